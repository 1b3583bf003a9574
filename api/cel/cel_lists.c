/* Lists and sets.
 * https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library
 */
#include "api/cel/cel_functions.h"

CEL_FUNCTION(cel_list_index_of)
{
	size_t len = cel_list_len(&args[0]);

	(void)node, (void)n;
	for (size_t i = 0; i < len && cel_charge(e, CEL_STEP); i++) {
		struct cel_value item = cel_list_at(e, &args[0], i);

		if (cel_equal(e, &item, &args[1]))
			return cel_int((int64_t)i);
	}
	return cel_int(-1);
}

CEL_FUNCTION(cel_list_last_index_of)
{
	(void)node, (void)n;
	for (size_t i = cel_list_len(&args[0]); i-- > 0 && cel_charge(e, CEL_STEP);) {
		struct cel_value item = cel_list_at(e, &args[0], i);

		if (cel_equal(e, &item, &args[1]))
			return cel_int((int64_t)i);
	}
	return cel_int(-1);
}

/* --- order --- */

/* The items of a list one after the other, with the one before. An item that has no order is an error. */
static bool step(struct cel_eval *e, const struct cel_value *list, size_t i, const struct cel_value *before,
		 struct cel_value *ret_item, int *ret_order, struct cel_value *ret_error)
{
	*ret_item = cel_list_at(e, list, i);
	if (!cel_charge(e, CEL_STEP))
		*ret_error = cel_exhausted();
	else if (ret_item->kind == CEL_ERROR)
		*ret_error = *ret_item;
	else if (!cel_compare(ret_item, before, ret_order))
		*ret_error = cel_error(CEL_NO_OVERLOAD);
	else
		return true;
	return false;
}

CEL_FUNCTION(cel_is_sorted)
{
	size_t len = cel_list_len(&args[0]);
	struct cel_value before, item, error;
	int order;

	(void)node, (void)n;
	if (!len)
		return cel_bool(true);
	before = cel_list_at(e, &args[0], 0);
	for (size_t i = 1; i < len; i++, before = item) {
		if (!step(e, &args[0], i, &before, &item, &order, &error))
			return error;
		if (order < 0)
			return cel_bool(false);
	}
	return cel_bool(true);
}

static struct cel_value extreme(struct cel_eval *e, const struct cel_value *list, int wanted,
				const char *name)
{
	size_t len = cel_list_len(list);
	struct cel_value best, item, error;
	int order;

	if (!len)
		return cel_errorf(e, "%s called on empty list", name);
	best = cel_list_at(e, list, 0);
	for (size_t i = 1; i < len; i++) {
		if (!step(e, list, i, &best, &item, &order, &error))
			return error;
		if (order * wanted > 0)
			best = item;
	}
	return best;
}

CEL_FUNCTION(cel_min)
{
	(void)node, (void)n;
	return extreme(e, &args[0], -1, "min");
}

CEL_FUNCTION(cel_max)
{
	(void)node, (void)n;
	return extreme(e, &args[0], 1, "max");
}

static bool adds(uint8_t kind)
{
	return kind == CEL_INT || kind == CEL_UINT || kind == CEL_DOUBLE || kind == CEL_DURATION;
}

/* Of nothing it is the int 0, which compares with all numbers. */
CEL_FUNCTION(cel_sum)
{
	size_t len = cel_list_len(&args[0]);
	struct cel_value pair[2] = { cel_int(0) };

	if (len)
		pair[0] = cel_list_at(e, &args[0], 0);
	for (size_t i = 1; i < len && pair[0].kind != CEL_ERROR; i++) {
		pair[1] = cel_list_at(e, &args[0], i);
		if (pair[1].kind != pair[0].kind || !adds(pair[0].kind))
			return pair[1].kind == CEL_ERROR ? pair[1] : cel_error(CEL_NO_OVERLOAD);
		pair[0] = cel_add(e, node, pair, n);
		if (!cel_charge(e, CEL_STEP))
			return cel_exhausted();
	}
	return pair[0];
}

/* --- sets --- */

static bool has(struct cel_eval *e, const struct cel_value *list, const struct cel_value *item)
{
	size_t len = cel_list_len(list);

	for (size_t i = 0; i < len && cel_charge(e, 1); i++) {
		struct cel_value one = cel_list_at(e, list, i);

		if (cel_equal(e, &one, item))
			return true;
	}
	return false;
}

/* How many items of B are in A, up to the first for which that is not WANTED. */
static bool all_in(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b, bool wanted)
{
	size_t len = cel_list_len(b);

	for (size_t i = 0; i < len && cel_charge(e, 1); i++) {
		struct cel_value item = cel_list_at(e, b, i);

		if (has(e, a, &item) != wanted)
			return false;
	}
	return true;
}

CEL_FUNCTION(cel_sets_contains)
{
	(void)node, (void)n;
	return cel_bool(all_in(e, &args[0], &args[1], true));
}

CEL_FUNCTION(cel_sets_equivalent)
{
	(void)node, (void)n;
	return cel_bool(all_in(e, &args[0], &args[1], true) && all_in(e, &args[1], &args[0], true));
}

CEL_FUNCTION(cel_sets_intersects)
{
	(void)node, (void)n;
	return cel_bool(!all_in(e, &args[0], &args[1], false));
}
