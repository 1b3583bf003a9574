#include "api/custom_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/cel/cel_program.h"
#include "api/structural_items.h"
#include "lib/mem.h"

#define MESSAGE_MAX 5120 /* of what a messageExpression comes to */

struct rule {
	struct cel_program *program;
	struct cel_program *message_program; /* of messageExpression, or NULL */
	const char *message_expression;
	char *text, *message; /* without blanks around; message: or NULL */
	char *field_path;     /* as shown, or NULL */
	enum field_error_type type;
	bool optional_old;
};

/* A place of the schema that has rules, or something below it has. */
struct custom_rules {
	const struct structural *schema;
	struct rule *rules;
	size_t n;
	struct custom_rules *items, *additional;
	struct named {
		const char *name;
		struct custom_rules *rules;
	} * properties;
	size_t n_properties;
	struct custom_rules **all_of;
	size_t n_all_of;
};

/* --- the end --- */

void custom_rules_free(struct custom_rules *rules)
{
	if (!rules)
		return;
	for (size_t i = 0; i < rules->n; i++) {
		cel_program_free(rules->rules[i].program);
		cel_program_free(rules->rules[i].message_program);
		free(rules->rules[i].text);
		free(rules->rules[i].message);
		free(rules->rules[i].field_path);
	}
	for (size_t i = 0; i < rules->n_properties; i++)
		custom_rules_free(rules->properties[i].rules);
	for (size_t i = 0; i < rules->n_all_of; i++)
		custom_rules_free(rules->all_of[i]);
	custom_rules_free(rules->items);
	custom_rules_free(rules->additional);
	free(rules->rules);
	free(rules->properties);
	free(rules->all_of);
	free(rules);
}

/* --- compiling --- */

static char *trimmed(const char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	return mem_dupn(text, len);
}

static enum field_error_type type_of_reason(const char *reason)
{
	static const struct {
		const char *reason;
		enum field_error_type type;
	} rows[] = { { "FieldValueForbidden", FIELD_FORBIDDEN },
		     { "FieldValueRequired", FIELD_REQUIRED },
		     { "FieldValueDuplicate", FIELD_DUPLICATE } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].reason, reason) == 0)
			return rows[i].type;
	return FIELD_INVALID;
}

/* Rules of a stored definition compile: it was checked when it was written. One that does not, since an older
 * server checked it otherwise, says nothing about objects. */
static void add_rule(struct custom_rules *to, const struct json_object *rule, bool root)
{
	const char *text = json_str_or_empty(rule, "rule"), *message = json_str_or_empty(rule, "message");
	const char *expression = json_str(rule, "messageExpression"), *place = json_str(rule, "fieldPath");
	CLEANUP(buf_close) struct buf faults = BUF_INIT, shown = BUF_INIT;
	struct rule made = { .optional_old = json_boolean(rule, "optionalOldSelf", false) };

	if (cel_program_new(text, to->schema, root, made.optional_old, CEL_WANTS_BOOL, &made.program,
			    &faults) < 0)
		return;
	made.type = type_of_reason(json_str_or_empty(rule, "reason"));
	made.text = trimmed(text);
	made.message = *message ? trimmed(message) : NULL;
	made.message_expression = expression;
	if (expression)
		cel_program_new(expression, to->schema, root, made.optional_old, CEL_WANTS_STRING,
				&made.message_program, &faults);
	if (place && custom_rule_path(to->schema, place, &shown))
		made.field_path = buf_take(&shown);
	to->rules = mem_realloc_array(to->rules, to->n + 1, sizeof(*to->rules));
	to->rules[to->n++] = made;
}

static void add_property(struct custom_rules *to, const char *name, struct custom_rules *rules)
{
	if (!rules)
		return;
	to->properties = mem_realloc_array(to->properties, to->n_properties + 1, sizeof(*to->properties));
	to->properties[to->n_properties++] = (struct named){ name, rules };
}

static struct custom_rules *below(const struct json_object *definition, const char *key,
				  const struct structural *schema)
{
	const struct json_object *part = json_get(definition, key);

	return schema && json_object_is_type(part, json_type_object) ? custom_rules_new(part, schema, false)
								     : NULL;
}

/* Under allOf there is no schema of its own: what is said there is about the one outside. */
static void add_all_of(struct custom_rules *to, const struct json_object *definition, bool root)
{
	const struct json_object *list = json_get(definition, "allOf");

	for (size_t i = 0; i < json_len(list); i++) {
		struct custom_rules *rules = custom_rules_new(json_at(list, i), to->schema, root);

		if (!rules)
			continue;
		to->all_of = mem_realloc_array(to->all_of, to->n_all_of + 1, sizeof(struct custom_rules *));
		to->all_of[to->n_all_of++] = rules;
	}
}

struct custom_rules *custom_rules_new(const struct json_object *definition, const struct structural *schema,
				      bool root)
{
	const struct json_object *list = json_get(definition, "x-kubernetes-validations");
	const struct json_object *properties = json_get(definition, "properties");
	struct custom_rules *made;

	if (!definition)
		return NULL;
	made = mem_zalloc(sizeof(*made));
	made->schema = schema;
	for (size_t i = 0; i < json_len(list); i++)
		add_rule(made, json_at(list, i), root);
	for (size_t i = 0; i < schema->n_properties && properties; i++)
		add_property(made, schema->properties[i].name,
			     below(properties, schema->properties[i].name, schema->properties[i].schema));
	made->items = below(definition, "items", schema->items);
	made->additional = below(definition, "additionalProperties", schema->additional);
	add_all_of(made, definition, root);
	if (made->n || made->n_properties || made->n_all_of || made->items || made->additional)
		return made;
	custom_rules_free(made);
	return NULL;
}

/* --- running --- */

struct running {
	struct field_path *path;
	struct field_errors *errors;
	uint64_t left; /* of the steps for all rules */
	bool stopped;
};

/* A value and what it was before. */
struct change {
	const struct json_object *value, *old;
	struct change *around; /* the nearest one of which that is known, or NULL */
	bool compared, same;
};

/* Compares once: each item of a list may ask for the list's. */
static bool is_unchanged(struct change *change)
{
	if (!change->old)
		return change->around && is_unchanged(change->around);
	if (!change->compared)
		change->same = json_equal(change->value, change->old);
	change->compared = true;
	return change->same;
}

static struct change inside(struct change *change, const struct json_object *value,
			    const struct json_object *old)
{
	return (struct change){
		.value = value,
		.old = old,
		.around = change->old ? change : change->around,
	};
}

/* Objects and lists are not shown. */
static void add_error(struct running *r, enum field_error_type type, const struct json_object *value,
		      const char *detail)
{
	bool large =
	    json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array);
	struct field_path nowhere;

	field_path_init(&nowhere, "<nil>");
	if (large && type == FIELD_INVALID)
		type = FIELD_INVALID_BARE;
	if (type == FIELD_DUPLICATE)
		detail = "";
	if (large && type == FIELD_DUPLICATE)
		type = FIELD_DUPLICATE_BARE;
	field_error_add(r->errors, type, r->path->len ? r->path : &nowhere, value, "%s", detail);
}

static const char *rule_name(const struct rule *rule)
{
	return rule->message ? rule->message : rule->text;
}

/* Runs one of a rule's programs. -1 with the error, which has been told when the budget is used up. */
static int run(struct running *r, const struct cel_program *program, const struct json_object *value,
	       const struct json_object *old, bool *ret_true, struct buf *ret_text, struct err *err)
{
	uint64_t cost = 0;
	int result = cel_program_run(program, value, old, &cost, ret_true, ret_text, err);

	if (cost > r->left) {
		add_error(r, FIELD_INVALID, value,
			  ret_text
			      ? "messageExpression evaluation failed due to running out of cost budget, no "
				"further validation rules will be run"
			      : "validation failed due to running out of cost budget, no further "
				"validation rules will be run");
		r->stopped = true;
		return err_set(err, ERR_LIMIT, "out of budget");
	}
	r->left -= cost;
	return result;
}

static void tell_error(struct running *r, const struct rule *rule, const struct json_object *value,
		       const struct err *err)
{
	CLEANUP(mem_freep) char *detail = NULL;

	if (r->stopped)
		return;
	if (err->kind == ERR_LIMIT) {
		detail = mem_printf("'%s': no further validation rules will be run due to call cost exceeds "
				    "limit for rule: %s",
				    err->msg, rule_name(rule));
		r->stopped = true;
	} else if (strncmp(err->msg, "no such overload", strlen("no such overload")) == 0) {
		detail = mem_printf("'%s': call arguments did not match a supported operator, function or "
				    "macro signature for rule: %s",
				    err->msg, rule_name(rule));
	} else {
		detail = mem_printf("%s evaluating rule: %s", err->msg, rule_name(rule));
	}
	add_error(r, FIELD_INVALID, value, detail);
}

/* The text of a messageExpression; false: it is of no use, and the rule's own message stands for it. */
static bool make_message(struct running *r, const struct rule *rule, struct change *change, char **ret)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(mem_freep) char *message = NULL;
	struct err err = ERR_INIT;

	if (!rule->message_program)
		return false;
	if (run(r, rule->message_program, change->value, change->old, NULL, &text, &err) < 0) {
		if (err.kind == ERR_LIMIT && !r->stopped) {
			CLEANUP(mem_freep)
			char *detail = mem_printf("no further validation rules will be run due to call cost "
						  "exceeds limit for messageExpression: \"%s\"",
						  rule->message_expression);
			add_error(r, FIELD_INVALID, change->value, detail);
			r->stopped = true;
		}
		return false;
	}
	message = trimmed(text.data ? text.data : "");
	if (!*message || strchr(message, '\n') || strlen(message) > MESSAGE_MAX)
		return false;
	*ret = TAKE(message);
	return true;
}

static void add_broken(struct running *r, const struct rule *rule, struct change *change)
{
	CLEANUP(mem_freep) char *message = NULL;
	size_t mark = r->path->len;

	if (rule->field_path)
		field_push(r->path, rule->field_path);
	if (!make_message(r, rule, change, &message))
		message = rule->message ? mem_dup(rule->message) : mem_printf("failed rule: %s", rule->text);
	if (!r->stopped)
		add_error(r, rule->type, change->value, message);
	field_pop(r->path, mark);
}

/* A value that did not change may break what is said about it alone: that is a warning. */
static void tell_broken(struct running *r, const struct rule *rule, struct change *change)
{
	struct field_errors *errors = r->errors;
	bool tolerated = !cel_program_uses_old(rule->program) && is_unchanged(change);

	if (tolerated && !errors->warnings)
		return;
	r->errors = tolerated ? errors->warnings : errors;
	add_broken(r, rule, change);
	r->errors = errors;
}

static void run_rule(struct running *r, const struct rule *rule, struct change *change)
{
	struct err err = ERR_INIT;
	bool holds = false;

	if (cel_program_uses_old(rule->program) && !change->old && !rule->optional_old)
		return;
	if (run(r, rule->program, change->value, change->old, &holds, NULL, &err) < 0)
		tell_error(r, rule, change->value, &err);
	else if (!holds)
		tell_broken(r, rule, change);
}

static void walk(struct running *r, const struct custom_rules *rules, struct change *change);

static void walk_items(struct running *r, const struct custom_rules *rules, struct change *change)
{
	CLEANUP(structural_items_close) struct structural_items before;

	structural_items_init(&before, rules->schema, change->old);
	for (size_t i = 0; i < json_len(change->value) && !r->stopped; i++) {
		const struct json_object *item = json_at(change->value, i);
		struct change one = inside(change, item, structural_items_find(&before, item, i));
		size_t mark = field_push_index(r->path, i);

		walk(r, rules->items, &one);
		field_pop(r->path, mark);
	}
}

static void walk_members(struct running *r, const struct custom_rules *rules, struct change *change)
{
	for (size_t i = 0; i < rules->n_properties && !r->stopped; i++) {
		const char *name = rules->properties[i].name;
		struct change one =
		    inside(change, json_get(change->value, name), json_get(change->old, name));
		size_t mark = field_push(r->path, name);

		walk(r, rules->properties[i].rules, &one);
		field_pop(r->path, mark);
	}
	if (!rules->additional)
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)change->value, name, member)
	{
		struct change one = inside(change, member, json_get(change->old, name));
		size_t mark = field_push_key(r->path, name);

		if (!r->stopped)
			walk(r, rules->additional, &one);
		field_pop(r->path, mark);
	}
}

static void walk(struct running *r, const struct custom_rules *rules, struct change *change)
{
	if (!change->value)
		return;
	for (size_t i = 0; i < rules->n && !r->stopped; i++)
		run_rule(r, &rules->rules[i], change);
	for (size_t i = 0; i < rules->n_all_of && !r->stopped; i++)
		walk(r, rules->all_of[i], change);
	if (rules->items && json_object_is_type(change->value, json_type_array))
		walk_items(r, rules, change);
	if (json_object_is_type(change->value, json_type_object))
		walk_members(r, rules, change);
}

void custom_rules_validate(const struct custom_rules *rules, const struct json_object *value,
			   const struct json_object *old, struct field_path *path,
			   struct field_errors *errors)
{
	struct running running = { .path = path, .errors = errors, .left = CEL_COST_OF_OBJECT };
	struct change change = { .value = value, .old = old };

	walk(&running, rules, &change);
}

/* --- fieldPath --- */

/* The name in ['...'] at *AT, unescaped; NULL: it is none. The caller's. */
static char *quoted_name(const char **at)
{
	static const char letters[] = "abfnrtv'\\", meant[] = "\a\b\f\n\r\t\v'\\";
	struct buf name = BUF_INIT;
	const char *s = *at;

	if (s[0] != '[' || s[1] != '\'')
		return NULL;
	for (s += 2; *s && *s != '\''; s++) {
		const char *found = *s == '\\' && s[1] ? strchr(letters, s[1]) : NULL;

		if (*s == '\\' && !found)
			break;
		buf_char(&name, found ? meant[found - letters] : *s);
		s += found != NULL;
	}
	if (s[0] != '\'' || s[1] != ']') {
		buf_close(&name);
		return NULL;
	}
	*at = s + 2;
	return buf_take(&name);
}

static char *dotted_name(const char **at)
{
	size_t len = **at == '.' ? strcspn(*at + 1, ".[]") : 0;
	char *name = len ? mem_dupn(*at + 1, len) : NULL;

	*at += len ? len + 1 : 0;
	return name;
}

bool custom_rule_path(const struct structural *schema, const char *text, struct buf *ret)
{
	do {
		CLEANUP(mem_freep) char *name = *text == '[' ? quoted_name(&text) : dotted_name(&text);

		if (!name)
			return false;
		if (schema->n_properties) {
			schema = structural_property(schema, name);
			buf_printf(ret, "%s%s", ret->len ? "." : "", name);
		} else {
			schema = schema->additional;
			buf_printf(ret, "[%s]", name);
		}
		if (!schema)
			return false;
	} while (*text);
	return true;
}
