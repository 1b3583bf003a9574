/* The order and the equality of values. */
#include <math.h>
#include <string.h>

#include "api/cel/cel_eval.h"
#include "api/cel/cel_functions.h"
#include "api/structural_items.h"
#include "lib/json.h"

/* --- order --- */

#define ORDER(a_, b_) (((a_) > (b_)) - ((a_) < (b_)))

/* An int against a double, exactly: doubles beyond the ints are told first. */
static int compare_int_double(int64_t i, double d)
{
	if (d >= 9223372036854775808.0)
		return -1;
	if (d < -9223372036854775808.0)
		return 1;
	if (i != (int64_t)d)
		return ORDER(i, (int64_t)d);
	return ORDER(trunc(d), d);
}

static int compare_uint_double(uint64_t u, double d)
{
	if (d >= 18446744073709551616.0)
		return -1;
	if (d < 0)
		return 1;
	if (u != (uint64_t)d)
		return ORDER(u, (uint64_t)d);
	return ORDER(trunc(d), d);
}

static bool compare_numbers(const struct cel_value *a, const struct cel_value *b, int *ret)
{
	if ((a->kind == CEL_DOUBLE && isnan(a->d)) || (b->kind == CEL_DOUBLE && isnan(b->d)))
		return false;
	if (a->kind == b->kind)
		*ret = a->kind == CEL_INT    ? ORDER(a->i, b->i)
		       : a->kind == CEL_UINT ? ORDER(a->u, b->u)
					     : ORDER(a->d, b->d);
	else if (a->kind == CEL_INT && b->kind == CEL_UINT)
		*ret = a->i < 0 ? -1 : ORDER((uint64_t)a->i, b->u);
	else if (a->kind == CEL_INT)
		*ret = compare_int_double(a->i, b->d);
	else if (a->kind == CEL_UINT && b->kind == CEL_DOUBLE)
		*ret = compare_uint_double(a->u, b->d);
	else if (compare_numbers(b, a, ret))
		*ret = -*ret;
	return true;
}

static bool is_number(const struct cel_value *v)
{
	return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_DOUBLE;
}

static int compare_bytes(const struct cel_value *a, const struct cel_value *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len ? memcmp(a->text, b->text, len) : 0;

	return order ? order : ORDER(a->len, b->len);
}

bool cel_compare(const struct cel_value *a, const struct cel_value *b, int *ret)
{
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b, ret);
	if (a->kind != b->kind)
		return false;
	switch ((enum cel_kind)a->kind) {
	case CEL_BOOL:
		*ret = ORDER(a->b, b->b);
		return true;
	case CEL_STRING:
	case CEL_BYTES:
		*ret = compare_bytes(a, b);
		return true;
	case CEL_DURATION:
		*ret = ORDER(a->i, b->i);
		return true;
	case CEL_TIMESTAMP:
		*ret = a->i != b->i ? ORDER(a->i, b->i) : ORDER(a->len, b->len);
		return true;
	default:
		return false;
	}
}

/* --- equality --- */

static const struct structural *list_schema(const struct cel_value *list)
{
	return list->borrowed ? list->schema : list->list->schema;
}

/* Items of a list that is a map are the same one when their keys are equal. */
static bool same_item(struct cel_eval *e, const struct structural *schema, const struct cel_value *a,
		      const struct cel_value *b)
{
	if (schema->list == STRUCTURAL_SET || a->kind != CEL_OBJECT || b->kind != CEL_OBJECT)
		return cel_equal(e, a, b);
	return structural_same_item(schema, a->json, b->json);
}

bool cel_list_has_item(struct cel_eval *e, const struct cel_value *list, const struct cel_value *item,
		       size_t guess, size_t *ret)
{
	size_t n = cel_list_len(list);

	for (size_t k = 0; k <= n; k++) {
		size_t i = k ? k - 1 : guess;
		struct cel_value one;

		if (i >= n)
			continue;
		if (!cel_charge(e, 1))
			return false;
		one = cel_list_at(e, list, i);
		if (same_item(e, list_schema(list), &one, item)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool equal_lists(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b)
{
	const struct structural *schema = list_schema(a);
	bool ordered = !schema || schema->list == STRUCTURAL_ATOMIC;
	size_t n = cel_list_len(a), at;

	if (n != cel_list_len(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct cel_value x, y = cel_list_at(e, b, i);

		at = i;
		if (!cel_charge(e, 1) || (!ordered && !cel_list_has_item(e, a, &y, i, &at)))
			return false;
		x = cel_list_at(e, a, at);
		if (!cel_equal(e, &x, &y))
			return false;
	}
	return true;
}

/* The price of comparing JSON is its size. */
static bool charge_json(struct cel_eval *e, const struct json_object *json)
{
	size_t len =
	    json_object_is_type(json, json_type_string) ? (size_t)json_object_get_string_len(json) : 0;

	if (!cel_charge(e, len + 1))
		return false;
	for (size_t i = 0; i < json_len(json); i++)
		if (!charge_json(e, json_at(json, i)))
			return false;
	if (!json_object_is_type(json, json_type_object))
		return true;
	json_object_object_foreach((struct json_object *)(uintptr_t)json, key, member)
	{
		if (!cel_charge(e, strlen(key)) || !charge_json(e, member))
			return false;
	}
	return true;
}

static bool equal_maps(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b)
{
	struct cel_value key, value, other;
	size_t n = 0, m = 0;

	for (const void *at = NULL; cel_map_next(e, a, &at, &key, &value); n++)
		if (!cel_charge(e, 1) || !cel_map_find(e, b, &key, &other) || !cel_equal(e, &value, &other))
			return false;
	for (const void *at = NULL; cel_map_next(e, b, &at, &key, &value); m++)
		if (!cel_charge(e, 1))
			return false;
	return n == m;
}

bool cel_equal(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b)
{
	bool maps =
	    (a->kind == CEL_MAP || a->kind == CEL_OBJECT) && (b->kind == CEL_MAP || b->kind == CEL_OBJECT);
	int order;

	if (maps)
		return equal_maps(e, a, b);
	if (cel_compare(a, b, &order)) {
		if (a->kind == CEL_STRING || a->kind == CEL_BYTES)
			cel_charge(e, (a->len < b->len ? a->len : b->len));
		return order == 0;
	}
	if (a->kind != b->kind)
		return false;
	switch ((enum cel_kind)a->kind) {
	case CEL_NULL:
		return true;
	case CEL_TYPE:
		return a->i == b->i;
	case CEL_LIST:
		return equal_lists(e, a, b);
	case CEL_OPTIONAL:
		return a->inner && b->inner ? cel_equal(e, a->inner, b->inner) : a->inner == b->inner;
	case CEL_OPAQUE:
		return charge_json(e, a->json) && json_equal(a->json, b->json);
	case CEL_QUANTITY:
	case CEL_URL:
	case CEL_IP:
	case CEL_CIDR:
	case CEL_SEMVER:
	case CEL_FORMAT:
		return cel_equal_of_library(a, b);
	default:
		return false;
	}
}
