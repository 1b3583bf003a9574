/* Values against their schema, in the order and the words of Kubernetes' validator of OpenAPI schemas. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/structural_items.h"
#include "lib/mem.h"

/* --- words --- */

static void invalid(struct field_errors *errors, const struct field_path *path,
		    const struct json_object *value, const char *format, ...) PRINTF_LIKE(4, 5);

/* "spec.n in body should be ..." */
static void invalid(struct field_errors *errors, const struct field_path *path,
		    const struct json_object *value, const char *format, ...)
{
	CLEANUP(buf_close) struct buf detail = BUF_INIT;
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&detail, format, ap);
	va_end(ap);
	field_error_add(errors, FIELD_INVALID, path, value, "%s in body %s", path->text, detail.data);
}

/* What no field is named for. */
static void invalid_as_a_whole(struct field_errors *errors, const struct field_path *path, const char *detail)
{
	CLEANUP(json_putp) struct json_object *none = json_object_new_string("");
	struct field_path nowhere;

	field_path_init(&nowhere, "<nil>");
	field_error_add(errors, FIELD_INVALID, &nowhere, none, "\"%s\" %s", path->text, detail);
}

/* A number as Go prints it: the shortest text that is read back as the same. */
static const char *number_text(double number, bool as_integer, char *buf, size_t size)
{
	if (as_integer && fabs(number) < 9e18) {
		snprintf(buf, size, "%lld", (long long)number);
		return buf;
	}
	for (int precision = 0; precision < DBL_DECIMAL_DIG; precision++) {
		snprintf(buf, size, "%.*e", precision, number);
		if (!(strtod(buf, NULL) < number) && !(strtod(buf, NULL) > number))
			break;
	}
	const char *e = strchr(buf, 'e');
	long exponent = e ? strtol(e + 1, NULL, 10) : 0;
	if (exponent >= -4 && exponent < 21) {
		int digits = (int)(e - buf) - (number < 0) - (strchr(buf, '.') != NULL);
		int decimals = digits - 1 - (int)exponent;
		if (exponent < 6 || decimals > 0)
			snprintf(buf, size, "%.*f", decimals > 0 ? decimals : 0, number);
	}
	return buf;
}

/* --- types --- */

static const char *type_of(const struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return "boolean";
	case json_type_double:
		return "number";
	case json_type_int:
		return "integer";
	case json_type_object:
		return "object";
	case json_type_array:
		return "array";
	case json_type_string:
		return "string";
	case json_type_null:
		break;
	}
	return "null";
}

static bool is_integral(const struct json_object *value)
{
	double number = json_object_get_double(value);

	return json_object_is_type(value, json_type_int) ||
	       (json_object_is_type(value, json_type_double) && fabs(number) < 9e18 &&
		!(floor(number) < number));
}

static bool is_number(const struct json_object *value)
{
	return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
}

static bool has_type(const struct structural *schema, const struct json_object *value)
{
	if (!value)
		return schema->nullable || (schema->type == STRUCTURAL_ANY && !schema->int_or_string);
	if (schema->int_or_string)
		return is_integral(value) || json_object_is_type(value, json_type_string);
	switch (schema->type) {
	case STRUCTURAL_ANY:
		return true;
	case STRUCTURAL_OBJECT:
		return json_object_is_type(value, json_type_object);
	case STRUCTURAL_ARRAY:
		return json_object_is_type(value, json_type_array);
	case STRUCTURAL_STRING:
		return json_object_is_type(value, json_type_string);
	case STRUCTURAL_INTEGER:
		return is_integral(value);
	case STRUCTURAL_NUMBER:
		return is_number(value);
	case STRUCTURAL_BOOLEAN:
		return json_object_is_type(value, json_type_boolean);
	}
	return true;
}

static void check_type(const struct structural *schema, const struct json_object *value,
		       const struct field_path *path, struct field_errors *errors)
{
	if (has_type(schema, value))
		return;
	CLEANUP(json_putp) struct json_object *type = json_object_new_string(type_of(value));
	field_error_add(
	    errors, FIELD_TYPE_INVALID, path, type, "%s in body must be of type %s: \"%s\"", path->text,
	    schema->int_or_string ? "integer,string" : structural_type_name(schema->type), type_of(value));
}

/* --- several schemas for one value --- */

static void check(const struct structural *schema, const struct json_object *value, struct field_path *path,
		  struct field_errors *errors);

/* How many of LIST hold. The faults of the first that does not are in *RET_FIRST when none does. */
static size_t count_valid(const struct structural_list_of *list, const struct json_object *value,
			  struct field_path *path, bool stop, struct field_errors *ret_first)
{
	size_t valid = 0;

	for (size_t i = 0; i < list->n && !(stop && valid); i++) {
		struct field_errors own = FIELD_ERRORS_INIT;

		check(list->items[i], value, path, &own);
		valid += own.n == 0;
		if (own.n && !ret_first->n) {
			*ret_first = own;
			own = FIELD_ERRORS_INIT;
		}
		field_errors_close(&own);
	}
	if (valid)
		field_errors_close(ret_first);
	return valid;
}

static void check_any_of(const struct structural_rules *rules, const struct json_object *value,
			 struct field_path *path, struct field_errors *errors)
{
	struct field_errors first = FIELD_ERRORS_INIT;

	if (!rules->any_of.n || count_valid(&rules->any_of, value, path, true, &first))
		return;
	invalid_as_a_whole(errors, path, "must validate at least one schema (anyOf)");
	field_errors_move(errors, &first);
}

static void check_one_of(const struct structural_rules *rules, const struct json_object *value,
			 struct field_path *path, struct field_errors *errors)
{
	struct field_errors first = FIELD_ERRORS_INIT;
	size_t valid = rules->one_of.n ? count_valid(&rules->one_of, value, path, false, &first) : 1;

	if (valid == 1)
		return;
	if (valid == 0) {
		invalid_as_a_whole(errors, path,
				   "must validate one and only one schema (oneOf). Found none valid");
	} else {
		CLEANUP(mem_freep)
		char *detail = mem_printf("must validate one and only one schema (oneOf). Found %zu valid "
					  "alternatives",
					  valid);
		invalid_as_a_whole(errors, path, detail);
	}
	field_errors_move(errors, &first);
}

static void check_all_of(const struct structural_rules *rules, const struct json_object *value,
			 struct field_path *path, struct field_errors *errors)
{
	size_t valid = 0;

	for (size_t i = 0; i < rules->all_of.n; i++) {
		size_t before = errors->n;

		check(rules->all_of.items[i], value, path, errors);
		valid += errors->n == before;
	}
	if (valid < rules->all_of.n)
		invalid_as_a_whole(errors, path,
				   valid ? "must validate all the schemas (allOf)"
					 : "must validate all the schemas (allOf). None validated");
}

static void check_not(const struct structural_rules *rules, const struct json_object *value,
		      struct field_path *path, struct field_errors *errors)
{
	struct field_errors own = FIELD_ERRORS_INIT;

	if (!rules->not_)
		return;
	check(rules->not_, value, path, &own);
	if (!own.n)
		invalid_as_a_whole(errors, path, "must not validate the schema (not)");
	field_errors_close(&own);
}

/* --- strings, numbers --- */

static int64_t characters(const char *text, size_t len)
{
	int64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (text[i] & 0xC0) != 0x80;
	return n;
}

static void check_string(const struct structural_rules *rules, const struct json_object *value,
			 const struct field_path *path, struct field_errors *errors)
{
	const char *text = json_object_get_string((struct json_object *)value);
	size_t bytes = (size_t)json_object_get_string_len(value);
	int64_t length = characters(text, bytes);

	if (rules->max_length >= 0 && length > rules->max_length)
		field_error_add(errors, FIELD_TOO_LONG, path, value, "may not be more than %lld bytes",
				(long long)rules->max_length);
	if (rules->min_length >= 0 && length < rules->min_length)
		invalid(errors, path, value, "should be at least %lld chars long",
			(long long)rules->min_length);
	if (rules->pattern && !pattern_matches(rules->pattern, text, bytes))
		invalid(errors, path, value, "should match '%s'", rules->pattern_text);
	if (rules->format && !structural_format_holds(rules->format, text))
		field_error_add(errors, FIELD_TYPE_INVALID, path, value,
				"%s in body must be of type %s: \"%s\"", path->text, rules->format, text);
}

static void check_number(const struct structural_rules *rules, const struct json_object *value,
			 const struct field_path *path, struct field_errors *errors)
{
	bool integer = json_object_is_type(value, json_type_int);
	double number = json_object_get_double(value);
	char text[64];

	if (rules->has_multiple && rules->multiple_of > 0) {
		double quotient = number / rules->multiple_of;
		if (fabs(quotient - nearbyint(quotient)) > 1e-9 * fmax(1, fabs(quotient)))
			invalid(errors, path, value, "should be a multiple of %s",
				number_text(rules->multiple_of, integer, text, sizeof(text)));
	}
	if (rules->has_maximum &&
	    (number > rules->maximum || (rules->exclusive_maximum && !(number < rules->maximum))))
		invalid(errors, path, value, "should be less than %s%s",
			rules->exclusive_maximum ? "" : "or equal to ",
			number_text(rules->maximum, integer, text, sizeof(text)));
	if (rules->has_minimum &&
	    (number < rules->minimum || (rules->exclusive_minimum && !(number > rules->minimum))))
		invalid(errors, path, value, "should be greater than %s%s",
			rules->exclusive_minimum ? "" : "or equal to ",
			number_text(rules->minimum, integer, text, sizeof(text)));
}

/* --- lists, values, objects --- */

static void too_many(struct field_errors *errors, const struct field_path *path, size_t n, int64_t max)
{
	CLEANUP(json_putp) struct json_object *count = json_object_new_int64((int64_t)n);

	field_error_add(errors, FIELD_TOO_MANY, path, count, "must have at most %lld item%s", (long long)max,
			max == 1 ? "" : "s");
}

static void check_list_length(const struct structural_rules *rules, const struct json_object *value,
			      const struct field_path *path, struct field_errors *errors)
{
	size_t n = json_len(value);

	if (rules->min_items >= 0 && (int64_t)n < rules->min_items) {
		CLEANUP(json_putp) struct json_object *count = json_object_new_int64((int64_t)n);
		invalid(errors, path, count, "should have at least %lld items", (long long)rules->min_items);
	}
	if (rules->max_items >= 0 && (int64_t)n > rules->max_items)
		too_many(errors, path, n, rules->max_items);
}

static void check_values(const struct structural_rules *rules, const struct json_object *value,
			 const struct field_path *path, struct field_errors *errors)
{
	CLEANUP(buf_close) struct buf supported = BUF_INIT;

	if (!rules->values)
		return;
	for (size_t i = 0; i < json_len(rules->values); i++)
		if (json_equal(json_at(rules->values, i), value))
			return;
	for (size_t i = 0; i < json_len(rules->values); i++) {
		const struct json_object *one = json_at(rules->values, i);
		CLEANUP(buf_close) struct buf text = BUF_INIT;

		if (json_object_is_type(one, json_type_string))
			buf_str(&text, json_object_get_string((struct json_object *)one));
		else
			json_write(&text, one);
		buf_str(&supported, i ? ", " : "");
		buf_json_string(&supported, text.data ? text.data : "");
	}
	field_error_add(errors, FIELD_NOT_SUPPORTED, path, value, "supported values: %s", supported.data);
}

/* False: its number of properties is wrong, and nothing more is looked at. */
static bool check_count(const struct structural_rules *rules, const struct json_object *value,
			const struct field_path *path, struct field_errors *errors)
{
	int64_t n = json_object_object_length(value);

	if (rules->min_properties >= 0 && n < rules->min_properties) {
		CLEANUP(json_putp) struct json_object *count = json_object_new_int64(n);
		invalid(errors, path, count, "should have at least %lld properties",
			(long long)rules->min_properties);
		return false;
	}
	if (rules->max_properties >= 0 && n > rules->max_properties) {
		too_many(errors, path, (size_t)n, rules->max_properties);
		return false;
	}
	return true;
}

static void check_required(const struct structural_rules *rules, const struct json_object *value,
			   struct field_path *path, struct field_errors *errors)
{
	for (size_t i = 0; i < json_len(rules->required); i++) {
		const char *name = json_object_get_string(json_at(rules->required, i));
		size_t mark;

		if (json_object_object_get_ex(value, name, NULL))
			continue;
		mark = field_push(path, name);
		field_error_required(errors, path, "");
		field_pop(path, mark);
	}
}

/* The rules of one schema for one value; what is below has its own. */
static void check_rules(const struct structural_rules *rules, const struct json_object *value,
			struct field_path *path, struct field_errors *errors)
{
	check_any_of(rules, value, path, errors);
	check_one_of(rules, value, path, errors);
	check_all_of(rules, value, path, errors);
	check_not(rules, value, path, errors);
	if (json_object_is_type(value, json_type_string))
		check_string(rules, value, path, errors);
	else if (is_number(value))
		check_number(rules, value, path, errors);
}

/* --- down the tree --- */

static void check_items(const struct structural *schema, const struct json_object *value,
			const struct json_object *old, struct field_path *path, struct field_errors *errors)
{
	CLEANUP(structural_items_close) struct structural_items before;

	structural_items_init(&before, schema, old);
	for (size_t i = 0; schema->items && i < json_len(value); i++) {
		const struct json_object *item = json_at(value, i);
		size_t mark = field_push_index(path, i);

		structural_validate(schema->items, item, structural_items_find(&before, item, i), path,
				    errors);
		field_pop(path, mark);
	}
	if (schema->rules)
		check_list_length(schema->rules, value, path, errors);
}

static void check_members(const struct structural *schema, const struct json_object *value,
			  const struct json_object *old, struct field_path *path, struct field_errors *errors)
{
	for (size_t i = 0; i < schema->n_properties; i++) {
		const struct structural_property *property = &schema->properties[i];
		struct json_object *member = NULL;
		size_t mark;

		if (!json_object_object_get_ex(value, property->name, &member))
			continue;
		mark = field_push(path, property->name);
		structural_validate(property->schema, member, json_get(old, property->name), path, errors);
		field_pop(path, mark);
	}
	if (!schema->additional)
		return;
	json_object_object_foreach((struct json_object *)value, name, member)
	{
		size_t mark;

		if (structural_property(schema, name))
			continue;
		mark = field_push(path, name);
		structural_validate(schema->additional, member, json_get(old, name), path, errors);
		field_pop(path, mark);
	}
}

void structural_validate(const struct structural *schema, const struct json_object *value,
			 const struct json_object *old, struct field_path *path, struct field_errors *errors)
{
	const struct structural_rules *rules = schema->rules;

	if (old && json_equal(value, old))
		return;
	check_type(schema, value, path, errors);
	if (rules)
		check_rules(rules, value, path, errors);
	if (json_object_is_type(value, json_type_array))
		check_items(schema, value, old, path, errors);
	if (rules && (value || !schema->nullable))
		check_values(rules, value, path, errors);
	if (!json_object_is_type(value, json_type_object))
		return;
	if (rules && !check_count(rules, value, path, errors))
		return;
	check_members(schema, value, old, path, errors);
	if (rules)
		check_required(rules, value, path, errors);
}

static void check(const struct structural *schema, const struct json_object *value, struct field_path *path,
		  struct field_errors *errors)
{
	structural_validate(schema, value, NULL, path, errors);
}
