/* Rules for schemas about their rules (x-kubernetes-validations): what they must have, and that they compile.
 */
#include <ctype.h>
#include <string.h>

#include "api/cel/cel_program.h"
#include "api/custom_rules.h"
#include "api/fault.h"
#include "api/structural_check.h"
#include "lib/mem.h"

/* --- single rules --- */

static bool is_blank(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return !*text;
}

/* A line's end before the blanks at the end. */
static bool has_line_break(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	text = strchr(text, '\n');
	return text && !is_blank(text);
}

static void check_texts(const struct json_object *rule, struct field_path *path, struct field_errors *errors)
{
	static const char *const reasons[] = { "FieldValueDuplicate", "FieldValueForbidden",
					       "FieldValueInvalid", "FieldValueRequired", NULL };
	const char *text = json_str_or_empty(rule, "rule"), *message = json_str_or_empty(rule, "message");
	const char *expression = json_str_or_empty(rule, "messageExpression");
	const char *reason = json_str(rule, "reason"), *place = json_str_or_empty(rule, "fieldPath");
	bool known = !reason;

	if (is_blank(text))
		fault_required(errors, path, "rule", "rule is not specified");
	if (*message && is_blank(message))
		fault_str(errors, path, "message", message, "message must be non-empty if specified");
	else if (has_line_break(message))
		fault_str(errors, path, "message", message, "message must not contain line breaks");
	else if (has_line_break(text) && is_blank(message))
		fault_required(errors, path, "message",
			       "message must be specified if rule contains line breaks");
	if (*expression && is_blank(expression))
		fault_required(errors, path, "messageExpression",
			       "messageExpression must be non-empty if specified");
	for (size_t i = 0; reasons[i] && !known; i++)
		known = strcmp(reasons[i], reason) == 0;
	if (!known)
		fault_not_supported(errors, path, "reason", reason, reasons);
	if (*place && is_blank(place))
		fault_str(errors, path, "fieldPath", place, "fieldPath must be non-empty if specified");
	else if (strchr(place, '\n'))
		fault_str(errors, path, "fieldPath", place, "fieldPath must not contain line breaks");
}

void structural_check_rule_texts(const struct json_object *schema, struct field_path *path,
				 struct field_errors *errors)
{
	const struct json_object *list = json_get(schema, "x-kubernetes-validations");
	size_t mark = field_push(path, "x-kubernetes-validations");

	for (size_t i = 0; i < json_len(list); i++) {
		size_t inner = field_push_index(path, i);

		check_texts(json_at(list, i), path, errors);
		field_pop(path, inner);
	}
	field_pop(path, mark);
}

/* --- compiling --- */

/* As Kubernetes shows the struct that a rule is. */
static struct json_object *shown(const struct json_object *rule)
{
	static const struct {
		const char *key, *name;
		bool pointer;
	} rows[] = {
		{ "rule", "Rule", false },
		{ "message", "Message", false },
		{ "messageExpression", "MessageExpression", false },
		{ "reason", "Reason", true },
		{ "fieldPath", "FieldPath", false },
		{ "optionalOldSelf", "OptionalOldSelf", true },
	};
	struct json_object *made = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct json_object *value = json_get(rule, rows[i].key);

		json_object_object_add(made, rows[i].name,
				       value || rows[i].pointer ? json_clone(value)
								: json_object_new_string(""));
	}
	return made;
}

struct checking {
	struct field_path *path;
	struct field_errors *errors;
	const char *uncorrelatable; /* the list around in which items are not known again, or NULL */
};

static void check_old(const struct checking *c, const struct json_object *rule,
		      const struct cel_program *program)
{
	const struct json_object *optional = json_get(rule, "optionalOldSelf");
	CLEANUP(mem_freep) char *detail = NULL;

	if (!cel_program_uses_old(program)) {
		if (optional)
			fault_json(c->errors, c->path, "optionalOldSelf", optional,
				   "may not be set if oldSelf is not used in rule");
		return;
	}
	if (!c->uncorrelatable)
		return;
	detail = mem_printf("oldSelf cannot be used on the uncorrelatable portion of the schema within %s",
			    c->uncorrelatable);
	fault_str(c->errors, c->path, "rule", json_str_or_empty(rule, "rule"), detail);
}

static struct cel_program *compile(const struct checking *c, const struct json_object *rule, const char *key,
				   const struct structural *schema, bool root)
{
	bool is_rule = strcmp(key, "rule") == 0;
	CLEANUP(buf_close) struct buf faults = BUF_INIT;
	struct cel_program *program = NULL;

	if (cel_program_new(json_str_or_empty(rule, key), schema, root,
			    json_boolean(rule, "optionalOldSelf", false),
			    is_rule ? CEL_WANTS_BOOL : CEL_WANTS_STRING, &program, &faults) < 0) {
		CLEANUP(json_putp) struct json_object *value = shown(rule);

		fault_json(c->errors, c->path, key, value, faults.data);
		return NULL;
	}
	return program;
}

static void check_rule(const struct checking *c, const struct json_object *rule,
		       const struct structural *schema, bool root)
{
	const char *place = json_str_or_empty(rule, "fieldPath");
	struct cel_program *program = compile(c, rule, "rule", schema, root);
	CLEANUP(buf_close) struct buf ignored = BUF_INIT;

	if (program)
		check_old(c, rule, program);
	cel_program_free(program);
	if (*json_str_or_empty(rule, "messageExpression"))
		cel_program_free(compile(c, rule, "messageExpression", schema, root));
	if (*place && !custom_rule_path(schema, place, &ignored))
		fault_str(c->errors, c->path, "fieldPath", place, "fieldPath must be a valid path");
}

static void check_list(const struct checking *c, const struct json_object *definition,
		       const struct structural *schema, bool root)
{
	const struct json_object *list = json_get(definition, "x-kubernetes-validations");
	size_t mark = field_push(c->path, "x-kubernetes-validations");

	if (json_len(list) && !cel_program_sees(schema)) {
		field_error_add(c->errors, FIELD_INTERNAL, c->path, NULL,
				"rule declared on schema that does not support validation rules type: '%s' "
				"x-kubernetes-preserve-unknown-fields: '%s'",
				structural_type_name(schema->type),
				schema->preserve_unknown ? "true" : "false");
	} else {
		for (size_t i = 0; i < json_len(list); i++) {
			size_t inner = field_push_index(c->path, i);

			check_rule(c, json_at(list, i), schema, root);
			field_pop(c->path, inner);
		}
	}
	field_pop(c->path, mark);
}

static void walk(const struct checking *c, const struct json_object *definition,
		 const struct structural *schema, bool root)
{
	const struct json_object *all_of = json_get(definition, "allOf"),
				 *items = json_get(definition, "items");
	const struct json_object *additional = json_get(definition, "additionalProperties");
	const struct json_object *properties = json_get(definition, "properties");
	CLEANUP(mem_freep) char *here = NULL;
	struct checking inner = *c;
	size_t mark = c->path->len;

	check_list(c, definition, schema, root);
	for (size_t i = 0; i < json_len(all_of); i++) {
		field_push(c->path, "allOf");
		field_push_index(c->path, i);
		walk(c, json_at(all_of, i), schema, root);
		field_pop(c->path, mark);
	}
	if (json_object_is_type(items, json_type_object) && schema->items) {
		if (!inner.uncorrelatable && schema->list != STRUCTURAL_MAP)
			inner.uncorrelatable = here = mem_dup(c->path->text);
		field_push(c->path, "items");
		walk(&inner, items, schema->items, false);
		field_pop(c->path, mark);
	}
	if (json_object_is_type(additional, json_type_object) && schema->additional) {
		field_push(c->path, "additionalProperties");
		walk(c, additional, schema->additional, false);
		field_pop(c->path, mark);
	}
	for (size_t i = 0; i < schema->n_properties; i++) {
		const struct json_object *property = json_get(properties, schema->properties[i].name);

		if (!property)
			continue;
		field_push(c->path, "properties");
		field_push_key(c->path, schema->properties[i].name);
		walk(c, property, schema->properties[i].schema, false);
		field_pop(c->path, mark);
	}
}

void structural_check_rules(const struct json_object *schema, struct field_path *path,
			    struct field_errors *errors)
{
	struct checking checking = { .path = path, .errors = errors };
	struct structural *compiled = NULL;

	if (structural_new(schema, &compiled, NULL) < 0)
		return;
	walk(&checking, schema, compiled, true);
	structural_free(compiled);
}
