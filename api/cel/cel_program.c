#include "api/cel/cel_program.h"

#include <stdlib.h>
#include <string.h>

#include "api/cel/cel_check.h"
#include "api/cel/cel_eval.h"
#include "api/cel/cel_parse.h"
#include "lib/pattern.h"

struct cel_program {
	struct cel_arena arena;
	char *text;
	const struct cel_node *node;
	const struct structural *schema;
	bool root, optional_old;
	struct cel_checked checked; /* its type is gone */
};

enum { SELF, OLD_SELF, VARIABLES };

bool cel_program_sees(const struct structural *schema)
{
	struct cel_arena scratch = CEL_ARENA_INIT;
	bool sees = cel_type_of_schema(&scratch, schema, false, "") != NULL;

	cel_arena_close(&scratch);
	return sees;
}

void cel_program_free(struct cel_program *program)
{
	if (!program)
		return;
	for (struct cel_used_pattern *used = program->checked.patterns; used; used = used->next)
		pattern_free(used->pattern);
	cel_arena_close(&program->arena);
	free(program->text);
	free(program);
}

/* True when TYPE is what is wanted; else FAULTS says so. */
static bool is_wanted(const struct cel_type *type, enum cel_result wants, struct buf *faults)
{
	enum cel_type_kind kind = wants == CEL_WANTS_BOOL ? CEL_TYPE_BOOL : CEL_TYPE_STRING;

	if (type->kind == kind)
		return true;
	buf_str(faults, wants == CEL_WANTS_BOOL ? "cel expression must evaluate to a bool"
						: "messageExpression must evaluate to a string");
	return false;
}

static bool compile(struct cel_program *program, struct cel_source *source, struct cel_arena *scratch,
		    enum cel_result wants, struct buf *faults)
{
	const struct cel_type *self = cel_type_of_schema(scratch, program->schema, program->root, "selfType");
	struct cel_variable variables[VARIABLES];
	struct cel_node *node = cel_parse(source, &program->arena);

	if (!self)
		self = cel_type(CEL_TYPE_DYN);
	variables[SELF] = (struct cel_variable){ "self", self };
	variables[OLD_SELF] = (struct cel_variable){
		"oldSelf", program->optional_old ? cel_type_of(scratch, CEL_TYPE_OPTIONAL, self, NULL) : self
	};
	if (node &&
	    cel_check(source, node, variables, VARIABLES, &program->arena, scratch, &program->checked)) {
		program->node = node;
		return is_wanted(program->checked.type, wants, faults);
	}
	buf_str(faults,
		wants == CEL_WANTS_BOOL ? "compilation failed: " : "messageExpression compilation failed: ");
	cel_source_write(source, faults);
	return false;
}

int cel_program_new(const char *text, const struct structural *schema, bool root, bool optional_old,
		    enum cel_result wants, struct cel_program **ret, struct buf *ret_faults)
{
	CLEANUP(cel_arena_close) struct cel_arena scratch = CEL_ARENA_INIT;
	CLEANUP(cel_source_close) struct cel_source source = { .n = 0 };
	struct cel_program *program = mem_zalloc(sizeof(*program));

	program->text = mem_dup(text);
	program->schema = schema;
	program->root = root;
	program->optional_old = optional_old;
	source.text = program->text;
	source.len = strlen(text);
	if (!compile(program, &source, &scratch, wants, ret_faults)) {
		cel_program_free(program);
		return err_set(NULL, ERR_INVALID, "the expression does not compile");
	}
	program->checked.type = NULL;
	*ret = program;
	return 0;
}

bool cel_program_uses_old(const struct cel_program *program)
{
	return program->checked.used[OLD_SELF];
}

static int finish(const struct cel_eval *e, struct cel_value value, bool *ret_true, struct buf *ret_text,
		  struct err *err)
{
	if (e->cost > e->limit || cel_is_exhausted(&value))
		return err_set(err, ERR_LIMIT, "%s", cel_exhausted().text);
	if (value.kind == CEL_ERROR)
		return err_set(err, ERR_INVALID, "%s", value.text);
	if (value.kind != (ret_text ? CEL_STRING : CEL_BOOL))
		return err_set(err, ERR_INVALID, CEL_NO_OVERLOAD);
	if (ret_text)
		buf_add(ret_text, value.text, value.len);
	else
		*ret_true = value.b;
	return 0;
}

int cel_program_run(const struct cel_program *program, const struct json_object *value,
		    const struct json_object *old, uint64_t *cost, bool *ret_true, struct buf *ret_text,
		    struct err *err)
{
	/* To be run costs a step, even of a literal: a rule can be one for each of many items. */
	struct cel_eval e = { .arena = CEL_ARENA_INIT,
			      .cost = CEL_STEP,
			      .limit = (uint64_t)CEL_COST_OF_RULE * CEL_STEP };
	int result;

	e.slots = cel_alloc(&e.arena, program->checked.n_slots * sizeof(*e.slots));
	e.slots[SELF] = cel_from_json(&e, value, program->schema, program->root);
	e.slots[OLD_SELF] = cel_error("no such attribute(s): oldSelf");
	if (old)
		e.slots[OLD_SELF] = cel_from_json(&e, old, program->schema, program->root);
	if (program->optional_old)
		e.slots[OLD_SELF] = old ? cel_optional(&e, e.slots[OLD_SELF]) : cel_none();
	result = finish(&e, cel_eval(&e, program->node), ret_true, ret_text, err);
	*cost += (e.cost < e.limit ? e.cost : e.limit) / CEL_STEP;
	cel_arena_close(&e.arena);
	return result;
}
