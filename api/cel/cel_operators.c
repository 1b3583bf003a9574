/* Operators. Integers never wrap around: what does not fit is an error. */
#include <math.h>
#include <string.h>

#include "api/cel/cel_functions.h"
#include "api/cel/cel_time.h"
#include "lib/json.h"

static struct cel_value overflow(const struct cel_value *v)
{
	return cel_error(v->kind == CEL_INT        ? "integer overflow"
			 : v->kind == CEL_DURATION ? "duration overflow"
						   : "unsigned integer overflow");
}

/* The result of an operator on A and B, of one kind: OP is one of the compiler's checked ones. */
#define CHECKED(op_, real_)                                                                                  \
	do {                                                                                                 \
		struct cel_value result_ = args[0];                                                          \
                                                                                                             \
		(void)e, (void)node, (void)n;                                                                \
		if (args[0].kind == CEL_DOUBLE)                                                              \
			return cel_double(args[0].d real_ args[1].d);                                        \
		if (args[0].kind == CEL_UINT ? op_(args[0].u, args[1].u, &result_.u)                         \
					     : op_(args[0].i, args[1].i, &result_.i))                        \
			return overflow(&args[0]);                                                           \
		return result_;                                                                              \
	} while (0)

CEL_FUNCTION(cel_add)
{
	CHECKED(__builtin_add_overflow, +);
}

CEL_FUNCTION(cel_subtract)
{
	CHECKED(__builtin_sub_overflow, -);
}

CEL_FUNCTION(cel_multiply)
{
	CHECKED(__builtin_mul_overflow, *);
}

static bool is_zero(const struct cel_value *v)
{
	return v->kind == CEL_INT ? v->i == 0 : v->u == 0;
}

CEL_FUNCTION(cel_divide)
{
	(void)e, (void)node, (void)n;
	if (args[0].kind == CEL_DOUBLE)
		return cel_double(args[0].d / args[1].d);
	if (is_zero(&args[1]))
		return cel_error("division by zero");
	if (args[0].kind == CEL_UINT)
		return cel_uint(args[0].u / args[1].u);
	return args[0].i == INT64_MIN && args[1].i == -1 ? overflow(&args[0])
							 : cel_int(args[0].i / args[1].i);
}

CEL_FUNCTION(cel_modulo)
{
	(void)e, (void)node, (void)n;
	if (is_zero(&args[1]))
		return cel_error("modulus by zero");
	if (args[0].kind == CEL_UINT)
		return cel_uint(args[0].u % args[1].u);
	return args[0].i == INT64_MIN && args[1].i == -1 ? overflow(&args[0])
							 : cel_int(args[0].i % args[1].i);
}

CEL_FUNCTION(cel_negate)
{
	(void)e, (void)node, (void)n;
	if (args[0].kind == CEL_DOUBLE)
		return cel_double(-args[0].d);
	return args[0].i == INT64_MIN ? overflow(&args[0]) : cel_int(-args[0].i);
}

CEL_FUNCTION(cel_not)
{
	(void)e, (void)node, (void)n;
	return cel_bool(!args[0].b);
}

/* --- comparing --- */

CEL_FUNCTION(cel_equals)
{
	(void)node, (void)n;
	return cel_bool(cel_equal(e, &args[0], &args[1]));
}

CEL_FUNCTION(cel_equals_not)
{
	(void)node, (void)n;
	return cel_bool(!cel_equal(e, &args[0], &args[1]));
}

/* Nothing is below, above or at a NaN. */
CEL_FUNCTION(cel_compares)
{
	const char *op = node->name + 1;
	int order;

	(void)n;
	if (args[0].kind == CEL_STRING || args[0].kind == CEL_BYTES)
		cel_charge(e, args[0].len < args[1].len ? args[0].len : args[1].len);
	if (!cel_compare(&args[0], &args[1], &order))
		return cel_bool(false);
	if (op[1] == '=' && order == 0)
		return cel_bool(true);
	return cel_bool(*op == '<' ? order < 0 : order > 0);
}

CEL_FUNCTION(cel_in_list)
{
	size_t len = cel_list_len(&args[1]);

	(void)node, (void)n;
	for (size_t i = 0; i < len && cel_charge(e, 1); i++) {
		struct cel_value item = cel_list_at(e, &args[1], i);

		if (cel_equal(e, &args[0], &item))
			return cel_bool(true);
	}
	return cel_bool(false);
}

CEL_FUNCTION(cel_in_map)
{
	struct cel_value found;

	(void)node, (void)n;
	return cel_bool(cel_map_find(e, &args[1], &args[0], &found));
}

/* --- strings and lists --- */

CEL_FUNCTION(cel_concat)
{
	size_t len = (size_t)args[0].len + args[1].len;
	struct cel_value result = args[0];
	char *text;

	(void)node, (void)n;
	if (!cel_charge(e, len) || len > UINT32_MAX)
		return cel_exhausted();
	text = cel_alloc(&e->arena, len + 1);
	memcpy(text, args[0].text, args[0].len);
	memcpy(text + args[0].len, args[1].text, args[1].len);
	result.text = text;
	result.len = (uint32_t)len;
	return result;
}

/* Of lists that are sets or maps, what is in both stands where it stood in the first; in a map it is the
 * second's. */
CEL_FUNCTION(cel_concat_lists)
{
	const struct structural *schema = args[0].borrowed ? args[0].schema : args[0].list->schema;
	bool merges = schema && schema->list != STRUCTURAL_ATOMIC;
	size_t left = cel_list_len(&args[0]), right = cel_list_len(&args[1]), made = left;
	struct cel_value *items, list;

	(void)node, (void)n;
	if (!cel_charge(e, left + right))
		return cel_exhausted();
	list = cel_new_list(e, left + right, &items);
	if (list.kind == CEL_ERROR)
		return list;
	for (size_t i = 0; i < left; i++)
		items[i] = cel_list_at(e, &args[0], i);
	for (size_t i = 0; i < right; i++) {
		struct cel_value item = cel_list_at(e, &args[1], i);
		size_t at;

		if (!merges || !cel_list_has_item(e, &args[0], &item, i, &at))
			at = made++;
		items[at] = item;
	}
	((struct cel_list *)(uintptr_t)list.list)->n = made;
	((struct cel_list *)(uintptr_t)list.list)->schema = merges ? schema : NULL;
	return list;
}

/* --- size and index --- */

size_t cel_characters(const char *text, size_t len)
{
	size_t characters = 0;

	for (size_t i = 0; i < len; i++)
		characters += (text[i] & 0xC0) != 0x80;
	return characters;
}

CEL_FUNCTION(cel_size)
{
	(void)node, (void)n;
	switch ((enum cel_kind)args[0].kind) {
	case CEL_STRING:
		cel_charge(e, args[0].len);
		return cel_int((int64_t)cel_characters(args[0].text, args[0].len));
	case CEL_BYTES:
		return cel_int(args[0].len);
	case CEL_LIST:
		return cel_int((int64_t)cel_list_len(&args[0]));
	default:
		return cel_int((int64_t)cel_map_len(&args[0]));
	}
}

/* What stands at KEY of a list or map. False with an error in *RET when there is nothing. */
static bool at(struct cel_eval *e, const struct cel_value *of, const struct cel_value *key,
	       struct cel_value *ret)
{
	CLEANUP(buf_close) struct buf shown = BUF_INIT;

	if (of->kind == CEL_LIST && key->i >= 0 && (uint64_t)key->i < cel_list_len(of)) {
		*ret = cel_list_at(e, of, (size_t)key->i);
		return true;
	}
	if (of->kind != CEL_LIST && cel_map_find(e, of, key, ret))
		return true;
	cel_show(&shown, key);
	*ret = cel_errorf(e, "%s: %s", of->kind == CEL_LIST ? "index out of bounds" : "no such key",
			  shown.data ? shown.data : "");
	return false;
}

CEL_FUNCTION(cel_index)
{
	struct cel_value result;

	(void)node, (void)n;
	at(e, &args[0], &args[1], &result);
	return result;
}

CEL_FUNCTION(cel_index_optional)
{
	struct cel_value of = args[0], result;

	(void)node, (void)n;
	if (of.kind == CEL_OPTIONAL) {
		if (!of.inner)
			return of;
		of = *of.inner;
		if ((of.kind == CEL_LIST && args[1].kind != CEL_INT) ||
		    (of.kind != CEL_LIST && of.kind != CEL_MAP && of.kind != CEL_OBJECT))
			return cel_error(CEL_NO_OVERLOAD);
	}
	if (!at(e, &of, &args[1], &result))
		return cel_none();
	return result.kind == CEL_ERROR ? result : cel_optional(e, result);
}
