#include "api/cel/cel_checker.h"

#include <string.h>

#include "api/cel/cel_overload.h"
#include "api/cel/cel_time.h"
#include "lib/mem.h"
#include "lib/pattern.h"

const struct cel_type *cel_fault_type(struct cel_checker *c, uint32_t at, const char *format,
				      const struct cel_type *type)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	cel_type_write(&text, type);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	cel_fault(c->source, at, format, text.data);
#pragma GCC diagnostic pop
	return cel_type(CEL_TYPE_UNKNOWN);
}

const struct cel_type *cel_no_overload(struct cel_checker *c, uint32_t at, const char *name, bool member,
				       const struct cel_type *const *types, unsigned n)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	unsigned i = 0;

	if (member) {
		cel_type_write(&text, types[i++]);
		buf_char(&text, '.');
	}
	buf_char(&text, '(');
	for (unsigned first = i; i < n; i++) {
		if (i > first)
			buf_str(&text, ", ");
		cel_type_write(&text, types[i]);
	}
	buf_char(&text, ')');
	cel_fault(c->source, at, "found no matching overload for '%s' applied to '%s'", name, text.data);
	return cel_type(CEL_TYPE_UNKNOWN);
}

static void mismatch(struct cel_checker *c, uint32_t at, const struct cel_type *wanted,
		     const struct cel_type *found)
{
	CLEANUP(buf_close) struct buf want = BUF_INIT, got = BUF_INIT;

	cel_type_write(&want, wanted);
	cel_type_write(&got, found);
	cel_fault(c->source, at, "expected type '%s' but found '%s'", want.data, got.data);
}

/* --- names --- */

void cel_declare(struct cel_checker *c, const char *name, const struct cel_type *type)
{
	c->variables[c->n++] = (struct cel_variable){ name, type };
	if (c->n > c->checked->n_slots)
		c->checked->n_slots = c->n;
}

static bool find_variable(const struct cel_checker *c, const char *name, unsigned *ret)
{
	for (unsigned i = c->n; i-- > 0;)
		if (strcmp(c->variables[i].name, name) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static const struct {
	const char *name;
	enum cel_kind kind;
	enum cel_type_kind type;
} type_names[] = {
	{ "bool", CEL_BOOL, CEL_TYPE_BOOL },
	{ "int", CEL_INT, CEL_TYPE_INT },
	{ "uint", CEL_UINT, CEL_TYPE_UINT },
	{ "double", CEL_DOUBLE, CEL_TYPE_DOUBLE },
	{ "string", CEL_STRING, CEL_TYPE_STRING },
	{ "bytes", CEL_BYTES, CEL_TYPE_BYTES },
	{ "list", CEL_LIST, CEL_TYPE_DYN },
	{ "map", CEL_MAP, CEL_TYPE_DYN },
	{ "null_type", CEL_NULL, CEL_TYPE_NULL },
	{ "type", CEL_TYPE, CEL_TYPE_DYN },
	{ "optional_type", CEL_OPTIONAL, CEL_TYPE_DYN },
};

static const struct cel_type *be_type(struct cel_checker *c, struct cel_node *node, enum cel_kind kind,
				      enum cel_type_kind type)
{
	node->kind = CEL_LITERAL;
	node->value = (struct cel_value){ .kind = CEL_TYPE, .i = kind };
	return cel_type_of(c->scratch, CEL_TYPE_TYPE, cel_type(type), NULL);
}

static const struct cel_type *check_ident(struct cel_checker *c, struct cel_node *node)
{
	unsigned i;

	if (find_variable(c, node->name, &i)) {
		node->slot = i;
		if (i < 2)
			c->checked->used[i] = true;
		return c->variables[i].type;
	}
	for (i = 0; i < ARRAY_SIZE(type_names); i++)
		if (strcmp(type_names[i].name, node->name) == 0)
			return be_type(c, node, type_names[i].kind, type_names[i].type);
	cel_fault(c->source, node->at, "undeclared reference to '%s' (in container '')", node->name);
	return cel_type(CEL_TYPE_UNKNOWN);
}

/* --- fields --- */

static const struct cel_type *field_of(struct cel_checker *c, const struct cel_node *node,
				       const struct cel_type *type)
{
	const struct cel_type *field;

	switch (type->kind) {
	case CEL_TYPE_DYN:
	case CEL_TYPE_UNKNOWN:
		return type;
	case CEL_TYPE_MAP:
		return type->b;
	case CEL_TYPE_OBJECT:
		field = cel_type_field(c->scratch, type, node->name, node->other);
		if (field)
			return field;
		cel_fault(c->source, node->at, "undefined field '%s'", node->name);
		return cel_type(CEL_TYPE_UNKNOWN);
	default:
		return cel_fault_type(c, node->at, "type '%s' does not support field selection", type);
	}
}

/* google.protobuf.Timestamp: a type whose name has dots. */
static const struct cel_type *check_qualified(struct cel_checker *c, struct cel_node *node)
{
	static const char *const names[] = { "Timestamp", "Duration" };
	const struct cel_node *middle = node->args[0];
	unsigned ignored;

	if (middle->kind != CEL_SELECT || strcmp(middle->name, "protobuf") != 0 ||
	    middle->args[0]->kind != CEL_IDENT || strcmp(middle->args[0]->name, "google") != 0 ||
	    find_variable(c, "google", &ignored))
		return NULL;
	if (!strcmp(node->name, names[0]))
		return be_type(c, node, CEL_TIMESTAMP, CEL_TYPE_TIMESTAMP);
	if (!strcmp(node->name, names[1]))
		return be_type(c, node, CEL_DURATION, CEL_TYPE_DURATION);
	return NULL;
}

static const struct cel_type *check_select(struct cel_checker *c, struct cel_node *node)
{
	const struct cel_type *type = check_qualified(c, node), *field;
	bool optional = node->optional;

	if (type)
		return type;
	type = cel_check_node(c, node->args[0]);
	if (type->kind == CEL_TYPE_OPTIONAL) {
		optional = true;
		type = type->a;
	}
	field = field_of(c, node, type);
	if (node->test_only)
		return cel_type(CEL_TYPE_BOOL);
	return optional && field->kind != CEL_TYPE_UNKNOWN
		   ? cel_type_of(c->scratch, CEL_TYPE_OPTIONAL, field, NULL)
		   : field;
}

/* --- calls --- */

/* sets.contains(a, b) is no member of a variable. */
static void qualify(struct cel_checker *c, struct cel_node *node)
{
	const struct cel_node *target = node->args[0];
	CLEANUP(mem_freep) char *name = NULL;
	const struct cel_overload *found;
	unsigned ignored;

	if (!node->member || target->kind != CEL_IDENT || find_variable(c, target->name, &ignored))
		return;
	name = mem_printf("%s.%s", target->name, node->name);
	found = cel_overload_find(name);
	if (!found)
		return;
	node->name = found->name;
	node->member = false;
	node->args++;
	node->n--;
}

/* Arguments that can be looked at here already. */
static void check_literals(struct cel_checker *c, struct cel_node *node)
{
	unsigned last = node->n - 1;
	const struct cel_node *arg = node->n ? node->args[last] : NULL;
	bool regex =
	    !strcmp(node->name, "matches") || !strcmp(node->name, "find") || !strcmp(node->name, "findAll");
	struct cel_used_pattern *used;
	struct cel_value ignored;

	if (regex && node->n >= 2)
		arg = node->args[1];
	if (!arg || arg->kind != CEL_LITERAL || arg->value.kind != CEL_STRING)
		return;
	if ((!strcmp(node->name, "duration") &&
	     !cel_parse_duration(arg->value.text, arg->value.len, &ignored)) ||
	    (!strcmp(node->name, "timestamp") &&
	     !cel_parse_timestamp(arg->value.text, arg->value.len, &ignored)))
		cel_fault(c->source, arg->at, "invalid %s argument", node->name);
	if (!regex || node->n < 2)
		return;
	used = cel_alloc(c->arena, sizeof(*used));
	if (strlen(arg->value.text) != arg->value.len ||
	    pattern_parse(arg->value.text, &used->pattern, NULL) < 0) {
		cel_fault(c->source, arg->at, "invalid %s argument", node->name);
		return;
	}
	used->next = c->checked->patterns;
	c->checked->patterns = used;
	node->pattern = used->pattern;
}

static const struct cel_type *check_call(struct cel_checker *c, struct cel_node *node)
{
	const struct cel_type *small[4], **types = small, *result = NULL, *one;
	const struct cel_overload *o;

	qualify(c, node);
	if (node->n > ARRAY_SIZE(small))
		types = cel_alloc(c->scratch, node->n * sizeof(struct cel_type *));
	o = cel_overload_find(node->name);
	for (unsigned i = 0; i < node->n; i++)
		types[i] = cel_check_node(c, node->args[i]);
	if (!o) {
		cel_fault(c->source, node->at, "undeclared reference to '%s' (in container '')", node->name);
		return cel_type(CEL_TYPE_UNKNOWN);
	}
	node->overload = o;
	for (; o->function && strcmp(o->name, node->name) == 0; o++) {
		if (!cel_overload_accepts(o, node->member, types, node->n, c->scratch, &one))
			continue;
		result = !result || cel_type_same(result, one) ? one : cel_type(CEL_TYPE_DYN);
	}
	if (!result)
		return cel_no_overload(c, node->at, node->name, node->member, types, node->n);
	check_literals(c, node);
	return result;
}

/* --- logic --- */

static const struct cel_type *check_junction(struct cel_checker *c, struct cel_node *node)
{
	const char *name = node->kind == CEL_AND ? "_&&_" : "_||_";

	for (unsigned i = 0; i < node->n; i++) {
		const struct cel_type *types[2] = { cel_type(CEL_TYPE_BOOL),
						    cel_check_node(c, node->args[i]) };

		if (cel_type_fits(types[0], types[1]))
			continue;
		if (i == 0) {
			types[0] = types[1];
			types[1] = cel_type(CEL_TYPE_BOOL);
		}
		cel_no_overload(c, node->at, name, false, types, 2);
	}
	return cel_type(CEL_TYPE_BOOL);
}

static const struct cel_type *check_if(struct cel_checker *c, struct cel_node *node)
{
	const struct cel_type *types[3];

	for (unsigned i = 0; i < 3; i++)
		types[i] = cel_check_node(c, node->args[i]);
	if (!cel_type_fits(cel_type(CEL_TYPE_BOOL), types[0]) || !cel_type_fits(types[1], types[2]))
		return cel_no_overload(c, node->at, "_?_:_", false, types, 3);
	return cel_type_join(types[1], types[2]);
}

/* --- lists and maps --- */

/* All entries from FIRST on, every STEP, have one type. */
static const struct cel_type *check_entries(struct cel_checker *c, struct cel_node *node, unsigned first,
					    unsigned step, bool unwrap)
{
	const struct cel_type *all = NULL;

	for (unsigned i = first; i < node->n; i += step) {
		const struct cel_type *type = cel_check_node(c, node->args[i]);

		if (unwrap && node->optionals && node->optionals[i]) {
			if (type->kind == CEL_TYPE_OPTIONAL)
				type = type->a;
			else if (!cel_type_is_dyn(type))
				cel_fault_type(c, node->args[i]->at,
					       "expected type 'optional_type(dyn)' but found '%s'", type);
		}
		if (all && !cel_type_fits(all, type))
			mismatch(c, node->args[i]->at, all, type);
		all = all ? cel_type_join(all, type) : type;
	}
	return all ? all : cel_type(CEL_TYPE_DYN);
}

static const struct cel_type *check_map(struct cel_checker *c, struct cel_node *node)
{
	const struct cel_type *key = check_entries(c, node, 0, 2, false);
	const struct cel_type *value = check_entries(c, node, 1, 2, true);

	if (!cel_type_is_dyn(key) && key->kind != CEL_TYPE_STRING && key->kind != CEL_TYPE_INT &&
	    key->kind != CEL_TYPE_UINT && key->kind != CEL_TYPE_BOOL)
		key = cel_fault_type(c, node->args[0]->at, "unsupported key type '%s'", key);
	return cel_type_of(c->scratch, CEL_TYPE_MAP, key, value);
}

/* --- the walk --- */

static const struct cel_type *type_of_literal(const struct cel_value *value)
{
	static const enum cel_type_kind kinds[] = {
		[CEL_NULL] = CEL_TYPE_NULL,   [CEL_BOOL] = CEL_TYPE_BOOL,     [CEL_INT] = CEL_TYPE_INT,
		[CEL_UINT] = CEL_TYPE_UINT,   [CEL_DOUBLE] = CEL_TYPE_DOUBLE, [CEL_STRING] = CEL_TYPE_STRING,
		[CEL_BYTES] = CEL_TYPE_BYTES,
	};

	return cel_type(kinds[value->kind]);
}

const struct cel_type *cel_check_node(struct cel_checker *c, struct cel_node *node)
{
	switch ((enum cel_node_kind)node->kind) {
	case CEL_LITERAL:
		return type_of_literal(&node->value);
	case CEL_IDENT:
		return check_ident(c, node);
	case CEL_SELECT:
		return check_select(c, node);
	case CEL_CALL:
		return check_call(c, node);
	case CEL_LIST_OF:
		return cel_type_of(c->scratch, CEL_TYPE_LIST, check_entries(c, node, 0, 1, true), NULL);
	case CEL_MAP_OF:
		return check_map(c, node);
	case CEL_AND:
	case CEL_OR:
		return check_junction(c, node);
	case CEL_IF:
		return check_if(c, node);
	case CEL_FOLD:
		return cel_check_fold(c, node);
	}
	return cel_type(CEL_TYPE_DYN);
}

bool cel_check(struct cel_source *source, struct cel_node *node, const struct cel_variable *variables,
	       unsigned n, struct cel_arena *arena, struct cel_arena *scratch, struct cel_checked *ret)
{
	struct cel_checker *c = cel_alloc(scratch, sizeof(*c));

	*c = (struct cel_checker){ .source = source, .arena = arena, .scratch = scratch, .checked = ret };
	*ret = (struct cel_checked){ 0 };
	for (unsigned i = 0; i < n; i++)
		cel_declare(c, variables[i].name, variables[i].type);
	ret->type = cel_check_node(c, node);
	return source->n == 0;
}
