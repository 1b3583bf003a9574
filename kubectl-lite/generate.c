#include "kubectl-lite/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/validate.h"
#include "kubectl-lite/session.h"
#include "lib/quantity.h"
#include "lib/selector.h"

struct json_object *generate_object(const char *api_version, const char *kind, const char *name,
				    bool namespaced)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *metadata;

	json_set_str(obj, "kind", kind);
	json_set_str(obj, "apiVersion", api_version);
	metadata = json_ensure_object(obj, "metadata");
	json_set_str(metadata, "name", name);
	if (namespaced && session_namespace_given())
		json_set_str(metadata, "namespace", session_overrides()->namespace_);
	return obj;
}

struct json_object *generate_pod_template(struct json_object *parent, struct json_object *labels_taken)
{
	struct json_object *template = json_ensure_object(parent, "template");
	struct json_object *metadata = json_ensure_object(template, "metadata");

	if (labels_taken)
		json_set(metadata, "labels", labels_taken);
	return json_ensure_object(template, "spec");
}

struct json_object *generate_container(const char *name, const char *image, char *const *command, size_t n)
{
	struct json_object *container = json_object_new_object();

	json_set_str(container, "name", name);
	json_set_str(container, "image", image);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(json_ensure_array(container, "command"),
				      json_object_new_string(command[i]));
	return container;
}

struct json_object *generate_pair(const char *key, const char *value)
{
	struct json_object *pair = json_object_new_object();

	json_set_str(pair, key, value);
	return pair;
}

int generate_pairs(const char *text, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *pairs = json_object_new_object();
	CLEANUP(mem_freep) char *copy = mem_dup(text);

	for (char *rest = copy, *key; (key = strsep(&rest, ","));) {
		char *value = strchr(key, '=');
		if (!value || value == key)
			return err_set(err, ERR_PARSE, "unexpected label spec: %s", key);
		*value++ = '\0';
		json_set_str(pairs, key, value);
	}
	*ret = TAKE(pairs);
	return 0;
}

struct json_object *generate_strings(const struct string_list *items)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < items->n; i++)
		json_object_array_add(array, json_object_new_string(items->items[i]));
	return array;
}

bool generate_list_has(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

void generate_list_add(struct string_list *list, const char *text)
{
	list->items = mem_realloc_array(list->items, list->n + 1, sizeof(*list->items));
	list->items[list->n++] = text;
}

void generate_int_or_string(struct json_object *obj, const char *key, const char *value)
{
	char *end;
	long long number = strtoll(value, &end, 10);

	if (*value && !*end)
		json_set_int(obj, key, number);
	else
		json_set_str(obj, key, value);
}

/* --- label selectors --- */

/* How TEXT says that KEY is to have its value: '=' (also "=="), '!' ("!="), or 0: in words. The parser gives
 * the same requirement for "a=b" and "a in (b)", and kubectl does not. */
static char equality_of(const char *text, const char *key)
{
	size_t len = strlen(key);
	int depth = 0;

	for (const char *p = text; *p; p++) {
		depth += (*p == '(') - (*p == ')' && depth > 0);
		bool begins = p == text || (strchr(", ", p[-1]) && depth == 0);
		if (!begins || strncmp(p, key, len) != 0)
			continue;
		const char *after = p + len + strspn(p + len, " ");
		if (*after == '=' || *after == '!')
			return *after;
	}
	return 0;
}

static int add_requirement(struct json_object *selector, const char *text,
			   const struct selector_requirement *r, struct err *err)
{
	static const char *const operators[] = { [SELECTOR_IN] = "In",
						 [SELECTOR_NOT_IN] = "NotIn",
						 [SELECTOR_EXISTS] = "Exists",
						 [SELECTOR_NOT_EXISTS] = "DoesNotExist" };
	char equality = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN ? equality_of(text, r->key) : 0;

	if (r->op == SELECTOR_IN && equality == '=') {
		json_set_str(json_ensure_object(selector, "matchLabels"), r->key, r->values[0]);
		return 0;
	}
	if (equality == '!' || r->op == SELECTOR_GT || r->op == SELECTOR_LT)
		return err_set(err, ERR_PARSE, "\"%s\" is not a valid label selector operator",
			       equality == '!'        ? "!="
			       : r->op == SELECTOR_GT ? "gt"
						      : "lt");
	struct json_object *expression = json_object_new_object();
	json_object_array_add(json_ensure_array(selector, "matchExpressions"), expression);
	json_set_str(expression, "key", r->key);
	json_set_str(expression, "operator", operators[r->op]);
	for (size_t i = 0; i < r->n_values; i++)
		json_object_array_add(json_ensure_array(expression, "values"),
				      json_object_new_string(r->values[i]));
	return 0;
}

int generate_label_selector(const char *text, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *selector = json_object_new_object();
	CLEANUP(selector_close) struct selector parsed = { 0 };

	if (selector_parse(text, &parsed, err) < 0)
		return err_wrap(err, "couldn't parse the selector string \"%s\"", text);
	for (size_t i = 0; i < parsed.n; i++)
		if (add_requirement(selector, text, &parsed.requirements[i], err) < 0)
			return -1;
	*ret = TAKE(selector);
	return 0;
}

void generate_expressions_text(struct buf *b, const struct json_object *expressions, bool named)
{
	buf_char(b, '[');
	for (size_t i = 0; i < json_len(expressions); i++) {
		const struct json_object *e = json_at(expressions, i), *values = json_get(e, "values");
		buf_printf(b, named ? "%s{Key:%s Operator:%s Values:[" : "%s{%s %s [", i ? " " : "",
			   json_str_or_empty(e, "key"), json_str_or_empty(e, "operator"));
		for (size_t v = 0; v < json_len(values); v++)
			buf_printf(b, "%s%s", v ? " " : "", json_object_get_string(json_at(values, v)));
		buf_str(b, "]}");
	}
	buf_char(b, ']');
}

/* --- quantities and ports --- */

int generate_quantities(const char *text, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *list = json_object_new_object();
	CLEANUP(mem_freep) char *copy = mem_dup(text);

	for (char *rest = copy, *part; (part = strsep(&rest, ","));) {
		char *value = strchr(part, '='), shown[QUANTITY_SIZE];
		struct quantity quantity;
		if (!value || strchr(value + 1, '='))
			return err_set(err, ERR_PARSE,
				       "Invalid argument syntax %s, expected <resource>=<value>", part);
		*value++ = '\0';
		if (!quantity_parse(value, &quantity))
			return err_set(err, ERR_PARSE,
				       "quantities must match the regular expression "
				       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
		json_set_str(list, part, quantity_format(&quantity, shown));
	}
	*ret = TAKE(list);
	return 0;
}

static int parse_port(const char *text, int64_t *ret, struct err *err)
{
	size_t digits = strspn(text, "0123456789");
	long port = strtol(text, NULL, 10);

	if (!digits || text[digits])
		return err_set(err, ERR_PARSE, "strconv.ParseUint: parsing \"%s\": invalid syntax", text);
	if (digits > 5 || port > UINT16_MAX)
		return err_set(err, ERR_PARSE, "strconv.ParseUint: parsing \"%s\": value out of range", text);
	*ret = port;
	return 0;
}

int generate_port_pair(const char *text, int64_t *ret_port, struct json_object **ret_target, struct err *err)
{
	CLEANUP(mem_freep) char *port_text = mem_dup(text);
	char *target = strchr(port_text, ':'), *end;
	struct name_faults faults = { 0 };
	int64_t port;

	if (target) {
		*target++ = '\0';
		target[strcspn(target, ":")] = '\0';
	}
	if (parse_port(port_text, &port, err) < 0)
		return -1;
	long long number = target ? strtoll(target, &end, 10) : port;
	if (target && (!*target || *end)) {
		CLEANUP(buf_close) struct buf all = BUF_INIT;
		name_check_port_name(target, &faults);
		for (size_t i = 0; i < faults.n; i++)
			buf_printf(&all, "%s%s", i ? "," : "", faults.text[i]);
		if (faults.n)
			return err_set(err, ERR_PARSE, "%s", all.data);
		*ret_target = json_object_new_string(target);
	} else {
		if (target && (number < 1 || number > UINT16_MAX))
			return err_set(err, ERR_PARSE, "must be between 1 and 65535, inclusive");
		*ret_target = json_object_new_int64(number);
	}
	*ret_port = port;
	return 0;
}
