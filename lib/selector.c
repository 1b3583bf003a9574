#include "lib/selector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/label.h"
#include "lib/mem.h"

void selector_close(struct selector *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct selector_requirement *r = &s->requirements[i];

		for (size_t v = 0; v < r->n_values; v++)
			free(r->values[v]);
		free(r->values);
		free(r->key);
	}
	free(s->requirements);
	*s = (struct selector){ 0 };
}

/* --- building --- */

static bool parse_int(const char *s, int64_t *ret)
{
	char *end;
	long long value;

	if (!(*s >= '0' && *s <= '9') && !((*s == '-' || *s == '+') && s[1] >= '0' && s[1] <= '9'))
		return false;
	errno = 0;
	value = strtoll(s, &end, 10);
	if (errno || *end)
		return false;
	*ret = value;
	return true;
}

/* The faults of a requirement, as Kubernetes lists them: one alone, several in brackets. */
struct fault_list {
	struct buf text;
	size_t n;
};

static void next_fault(struct fault_list *faults)
{
	if (faults->n++ > 0)
		buf_str(&faults->text, ", ");
}

static void check_key(struct fault_list *faults, const char *key)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;

	if (label_key_check(key, &why))
		return;
	next_fault(faults);
	buf_str(&faults->text, "key: Invalid value: ");
	buf_json_string(&faults->text, key);
	buf_printf(&faults->text, ": %s", why.data);
}

static void check_count(struct fault_list *faults, enum selector_op op, size_t n)
{
	const char *why = NULL;

	if ((op == SELECTOR_IN || op == SELECTOR_NOT_IN) && n == 0)
		why = "for 'in', 'notin' operators, values set can't be empty";
	if ((op == SELECTOR_EXISTS || op == SELECTOR_NOT_EXISTS) && n > 0)
		why = "values set must be empty for exists and does not exist";
	if ((op == SELECTOR_GT || op == SELECTOR_LT) && n != 1)
		why = "for 'Gt', 'Lt' operators, exactly one value is required";
	if (!why)
		return;
	next_fault(faults);
	buf_printf(&faults->text, "values: Invalid value: []: %s", why);
}

static void check_value(struct fault_list *faults, const char *key, enum selector_op op, const char *value,
			size_t i)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;
	int64_t number;

	if ((op == SELECTOR_GT || op == SELECTOR_LT) && !parse_int(value, &number)) {
		next_fault(faults);
		buf_printf(&faults->text, "values[%zu]: Invalid value: ", i);
		buf_json_string(&faults->text, value);
		buf_str(&faults->text, ": for 'Gt', 'Lt' operators, the value must be an integer");
	}
	if (label_value_check(value, &why))
		return;
	next_fault(faults);
	buf_printf(&faults->text, "values[%zu][%s]: Invalid value: ", i, key);
	buf_json_string(&faults->text, value);
	buf_printf(&faults->text, ": %s", why.data);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void selector_add_unchecked(struct selector *s, const char *key, enum selector_op op,
			    const char *const *values, size_t n)
{
	struct selector_requirement *r;
	size_t unique = 0;

	s->requirements = mem_realloc_array(s->requirements, s->n + 1, sizeof(*s->requirements));
	r = &s->requirements[s->n++];
	*r = (struct selector_requirement){ .key = mem_dup(key), .op = op };
	r->values = mem_realloc_array(NULL, n, sizeof(*r->values));
	for (size_t i = 0; i < n; i++)
		r->values[i] = mem_dup(values[i]);
	if (n > 1)
		qsort(r->values, n, sizeof(*r->values), compare_strings);
	for (size_t i = 0; i < n; i++) {
		if (unique > 0 && strcmp(r->values[unique - 1], r->values[i]) == 0)
			free(r->values[i]);
		else
			r->values[unique++] = r->values[i];
	}
	r->n_values = unique;
}

int selector_add(struct selector *s, const char *key, enum selector_op op, const char *const *values,
		 size_t n, struct err *err)
{
	struct fault_list faults = { 0 };

	check_key(&faults, key);
	check_count(&faults, op, n);
	for (size_t i = 0; i < n; i++)
		check_value(&faults, key, op, values[i], i);
	if (faults.n > 0) {
		err_set(err, ERR_BAD_REQUEST, faults.n > 1 ? "[%s]" : "%s", faults.text.data);
		buf_close(&faults.text);
		return -1;
	}
	selector_add_unchecked(s, key, op, values, n);
	return 0;
}

/* --- from meta/v1 LabelSelector --- */

static int compare_requirements(const void *a, const void *b)
{
	return strcmp(((const struct selector_requirement *)a)->key,
		      ((const struct selector_requirement *)b)->key);
}

static int add_expression(struct selector *s, const struct json_object *expression, struct err *err)
{
	static const struct {
		const char *name;
		enum selector_op op;
	} ops[] = {
		{ "In", SELECTOR_IN },
		{ "NotIn", SELECTOR_NOT_IN },
		{ "Exists", SELECTOR_EXISTS },
		{ "DoesNotExist", SELECTOR_NOT_EXISTS },
	};
	const struct json_object *array = json_get(expression, "values");
	size_t n = json_len(array);
	CLEANUP(mem_freep) const char **values = mem_realloc_array(NULL, n, sizeof(*values));
	const char *op = json_str_or_empty(expression, "operator");

	for (size_t i = 0; i < n; i++) {
		struct json_object *value = json_at(array, i);

		if (!json_object_is_type(value, json_type_string))
			return err_set(err, ERR_BAD_REQUEST,
				       "values[%zu] of a label selector is not a string", i);
		values[i] = json_object_get_string(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (strcmp(ops[i].name, op) == 0)
			return selector_add(s, json_str_or_empty(expression, "key"), ops[i].op, values, n,
					    err);
	return err_set(err, ERR_BAD_REQUEST, "\"%s\" is not a valid label selector operator", op);
}

static int add_all(struct selector *s, const struct json_object *label_selector, struct err *err)
{
	struct json_object *labels = json_get(label_selector, "matchLabels");
	const struct json_object *expressions = json_get(label_selector, "matchExpressions");

	if (json_object_is_type(labels, json_type_object)) {
		json_object_object_foreach(labels, key, value)
		{
			const char *text = json_object_is_type(value, json_type_string)
					       ? json_object_get_string(value)
					       : NULL;

			if (!text)
				return err_set(err, ERR_BAD_REQUEST, "matchLabels[%s] is not a string", key);
			if (selector_add(s, key, SELECTOR_IN, &text, 1, err) < 0)
				return -1;
		}
	}
	for (size_t i = 0; i < json_len(expressions); i++)
		if (add_expression(s, json_at(expressions, i), err) < 0)
			return -1;
	selector_sort(s);
	return 0;
}

void selector_sort(struct selector *s)
{
	if (s->n > 1)
		qsort(s->requirements, s->n, sizeof(*s->requirements), compare_requirements);
}

int selector_from_json(const struct json_object *label_selector, struct selector *ret, struct err *err)
{
	struct selector s = { .nothing = !label_selector };

	if (add_all(&s, label_selector, err) < 0) {
		selector_close(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

/* --- asking --- */

static bool has_value(const struct selector_requirement *r, const char *value)
{
	if (r->n_values == 1)
		return strcmp(r->values[0], value) == 0;
	return r->n_values > 0 &&
	       bsearch(&value, r->values, r->n_values, sizeof(*r->values), compare_strings);
}

static bool compare_matches(const struct selector_requirement *r, const char *value)
{
	int64_t have, want;

	if (!parse_int(value, &have) || !parse_int(r->values[0], &want))
		return false;
	return r->op == SELECTOR_GT ? have > want : have < want;
}

static bool requirement_matches(const struct selector_requirement *r, const char *value)
{
	switch (r->op) {
	case SELECTOR_IN:
		return value && has_value(r, value);
	case SELECTOR_NOT_IN:
		return !value || !has_value(r, value);
	case SELECTOR_EXISTS:
		return value != NULL;
	case SELECTOR_NOT_EXISTS:
		return value == NULL;
	case SELECTOR_GT:
	case SELECTOR_LT:
		return value && compare_matches(r, value);
	}
	return false;
}

bool selector_matches(const struct selector *s, selector_lookup_fn lookup, const void *set)
{
	if (s->nothing)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!requirement_matches(&s->requirements[i], lookup(set, s->requirements[i].key)))
			return false;
	return true;
}

static const char *lookup_json(const void *set, const char *key)
{
	return json_str(set, key);
}

bool selector_matches_json(const struct selector *s, const struct json_object *labels)
{
	return selector_matches(s, lookup_json, labels);
}

const char *selector_exact(const struct selector *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct selector_requirement *r = &s->requirements[i];

		if (r->op == SELECTOR_IN && r->n_values == 1 && strcmp(r->key, key) == 0)
			return r->values[0];
	}
	return NULL;
}

/* --- writing --- */

/* What field selectors have to escape; labels hold none of it. */
static void write_text(struct buf *b, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == ',' || *value == '=')
			buf_char(b, '\\');
		buf_char(b, *value);
	}
}

static void write_values(struct buf *b, const struct selector_requirement *r)
{
	for (size_t i = 0; i < r->n_values; i++) {
		if (i > 0)
			buf_char(b, ',');
		write_text(b, r->values[i]);
	}
}

static void write_requirement(struct buf *b, const struct selector_requirement *r)
{
	static const char *const one[] = {
		[SELECTOR_IN] = "=",
		[SELECTOR_NOT_IN] = "!=",
		[SELECTOR_GT] = ">",
		[SELECTOR_LT] = "<",
	};

	if (r->op == SELECTOR_NOT_EXISTS)
		buf_char(b, '!');
	buf_str(b, r->key);
	if (r->n_values == 1) {
		buf_str(b, one[r->op]);
		write_values(b, r);
	} else if (r->n_values > 1) {
		buf_str(b, r->op == SELECTOR_IN ? " in (" : " notin (");
		write_values(b, r);
		buf_char(b, ')');
	}
}

void selector_write(struct buf *b, const struct selector *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_char(b, ',');
		write_requirement(b, &s->requirements[i]);
	}
}
