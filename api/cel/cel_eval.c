#include "api/cel/cel_eval.h"

#include <string.h>

#include "api/cel/cel_functions.h"
#include "api/cel/cel_overload.h"
#include "lib/mem.h"

#define ARENA_MAX (16 << 20)

static const char exhausted[] = "operation cancelled: actual cost limit exceeded";

struct cel_value cel_exhausted(void)
{
	return cel_error(exhausted);
}

bool cel_is_exhausted(const struct cel_value *value)
{
	return value->kind == CEL_ERROR && value->text == exhausted;
}

bool cel_charge(struct cel_eval *e, uint64_t tenths)
{
	e->cost += tenths;
	if (e->arena.total > ARENA_MAX)
		e->cost = UINT64_MAX / 2;
	return e->cost <= e->limit;
}

bool cel_reserve(struct cel_eval *e, size_t bytes)
{
	if (bytes > ARENA_MAX || e->arena.total > ARENA_MAX - bytes)
		e->cost = UINT64_MAX / 2;
	return cel_charge(e, 0);
}

static struct cel_value no_overload(void)
{
	return cel_error(CEL_NO_OVERLOAD);
}

/* --- fields --- */

static struct cel_value key_of(const struct cel_node *node, const struct cel_value *operand)
{
	const char *name = operand->kind == CEL_OBJECT ? node->other : node->name;

	return cel_text(name, strlen(name));
}

static struct cel_value eval_select(struct cel_eval *e, const struct cel_node *node)
{
	struct cel_value operand = cel_eval(e, node->args[0]), key, found;
	bool optional = node->optional, there;

	if (operand.kind == CEL_ERROR)
		return operand;
	if (operand.kind == CEL_OPTIONAL) {
		if (!operand.inner)
			return node->test_only ? cel_bool(false) : cel_none();
		operand = *operand.inner;
		optional = true;
	}
	if (operand.kind != CEL_MAP && operand.kind != CEL_OBJECT)
		return no_overload();
	key = key_of(node, &operand);
	there = cel_map_find(e, &operand, &key, &found);
	if (node->test_only)
		return cel_bool(there);
	if (optional)
		return !there ? cel_none() : found.kind == CEL_ERROR ? found : cel_optional(e, found);
	return there ? found : cel_errorf(e, "no such key: %s", node->name);
}

/* --- calls --- */

/* What an optional with a value is or()ed with is not evaluated. */
static bool is_decided(const struct cel_node *node, const struct cel_value *target)
{
	return node->n == 2 && node->member && target->kind == CEL_OPTIONAL && target->inner &&
	       (!strcmp(node->name, "or") || !strcmp(node->name, "orValue"));
}

static struct cel_value eval_call(struct cel_eval *e, const struct cel_node *node)
{
	struct cel_value args[4];
	const struct cel_overload *o = node->overload;

	for (unsigned i = 0; i < node->n; i++) {
		args[i] = cel_eval(e, node->args[i]);
		if (args[i].kind == CEL_ERROR)
			return args[i];
		if (i == 0 && is_decided(node, &args[0]))
			return node->name[2] ? *args[0].inner : args[0];
	}
	for (; o->function && !strcmp(o->name, node->name); o++)
		if (cel_overload_takes(o, node->member, args, node->n))
			return o->function(e, node, args, node->n);
	return no_overload();
}

/* One false decides &&, one true ||, wherever it stands; an error counts only when nothing decides. */
static struct cel_value eval_junction(struct cel_eval *e, const struct cel_node *node)
{
	bool decides = node->kind == CEL_OR;
	struct cel_value error = { .kind = CEL_NULL };

	for (unsigned i = 0; i < node->n; i++) {
		struct cel_value v = cel_eval(e, node->args[i]);

		if (v.kind == CEL_BOOL && v.b == decides)
			return v;
		if (v.kind != CEL_BOOL && error.kind == CEL_NULL)
			error = v.kind == CEL_ERROR ? v : no_overload();
		if (cel_is_exhausted(&v))
			return v;
	}
	return error.kind == CEL_NULL ? cel_bool(!decides) : error;
}

static struct cel_value eval_if(struct cel_eval *e, const struct cel_node *node)
{
	struct cel_value condition = cel_eval(e, node->args[0]);

	if (condition.kind == CEL_ERROR)
		return condition;
	if (condition.kind != CEL_BOOL)
		return no_overload();
	return cel_eval(e, node->args[condition.b ? 1 : 2]);
}

/* --- lists and maps --- */

/* The entry I of a literal. False: it is an optional without a value. */
static bool eval_entry(struct cel_eval *e, const struct cel_node *node, unsigned i, struct cel_value *ret)
{
	*ret = cel_eval(e, node->args[i]);
	if (!node->optionals || !node->optionals[i] || ret->kind == CEL_ERROR)
		return true;
	if (ret->kind != CEL_OPTIONAL) {
		*ret = no_overload();
		return true;
	}
	if (!ret->inner)
		return false;
	*ret = *ret->inner;
	return true;
}

static struct cel_value eval_list(struct cel_eval *e, const struct cel_node *node)
{
	struct cel_value *items, list = cel_new_list(e, node->n, &items);
	size_t n = 0;

	if (list.kind == CEL_ERROR)
		return list;
	for (unsigned i = 0; i < node->n; i++) {
		if (!eval_entry(e, node, i, &items[n]))
			continue;
		if (items[n].kind == CEL_ERROR)
			return items[n];
		n++;
	}
	((struct cel_list *)(uintptr_t)list.list)->n = n;
	return cel_charge(e, 10 * CEL_STEP) ? list : cel_exhausted();
}

/* Puts KEY to VALUE into MAP, which has room. */
static struct cel_value put(struct cel_eval *e, struct cel_value map_value, struct cel_map *map,
			    struct cel_value key, struct cel_value value)
{
	struct cel_value found;

	if (key.kind == CEL_ERROR || value.kind == CEL_ERROR)
		return key.kind == CEL_ERROR ? key : value;
	if (key.kind != CEL_STRING && key.kind != CEL_INT && key.kind != CEL_UINT && key.kind != CEL_BOOL)
		return cel_errorf(e, "unsupported key type: %s", cel_kind_name(key.kind));
	if (cel_map_find(e, &map_value, &key, &found)) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;

		cel_show(&text, &key);
		return cel_errorf(e, "insert failed: key %s already exists", text.data ? text.data : "");
	}
	map->keys[map->n] = key;
	map->values[map->n++] = value;
	return map_value;
}

static struct cel_value eval_map(struct cel_eval *e, const struct cel_node *node)
{
	struct cel_map *map;
	struct cel_value result = cel_new_map(e, node->n / 2, &map);

	for (unsigned i = 0; i < node->n && result.kind != CEL_ERROR; i += 2) {
		struct cel_value key = cel_eval(e, node->args[i]), value;

		if (eval_entry(e, node, i + 1, &value))
			result = put(e, result, map, key, value);
	}
	return cel_charge(e, 30 * CEL_STEP) ? result : cel_exhausted();
}

/* --- macros --- */

/* The items that a fold goes over. */
struct range {
	struct cel_value value;
	size_t i;
	const void *cursor;
};

/* Puts the next item into the variables; false at the end, and when the budget is used up, which the caller
 * of the whole sees. */
static bool next(struct cel_eval *e, const struct cel_node *node, struct range *range)
{
	struct cel_value *slots = &e->slots[node->slot], key, value;

	if (!cel_charge(e, CEL_STEP))
		return false;
	if (range->value.kind == CEL_LIST) {
		if (range->i >= cel_list_len(&range->value))
			return false;
		key = cel_int((int64_t)range->i);
		value = cel_list_at(e, &range->value, range->i);
	} else if (!cel_map_next(e, &range->value, &range->cursor, &key, &value)) {
		return false;
	}
	range->i++;
	slots[0] = node->keyed || range->value.kind != CEL_LIST ? key : value;
	if (node->keyed)
		slots[1] = value;
	return true;
}

static struct cel_value fold_logic(struct cel_eval *e, const struct cel_node *node, struct range *range)
{
	bool decides = node->fold == CEL_EXISTS;
	struct cel_value error = { .kind = CEL_NULL };

	while (next(e, node, range)) {
		struct cel_value v = cel_eval(e, node->args[1]);

		if (v.kind == CEL_BOOL && v.b == decides)
			return v;
		if (cel_is_exhausted(&v))
			return v;
		if (v.kind != CEL_BOOL && error.kind == CEL_NULL)
			error = v.kind == CEL_ERROR ? v : no_overload();
	}
	return error.kind == CEL_NULL ? cel_bool(!decides) : error;
}

static struct cel_value fold_one(struct cel_eval *e, const struct cel_node *node, struct range *range)
{
	size_t n = 0;

	while (next(e, node, range)) {
		struct cel_value v = cel_eval(e, node->args[1]);

		if (v.kind != CEL_BOOL)
			return v.kind == CEL_ERROR ? v : no_overload();
		n += v.b;
	}
	return cel_bool(n == 1);
}

/* True when the item passes; *ret_error is the condition's fault otherwise, if any. */
static bool passes(struct cel_eval *e, const struct cel_node *node, struct cel_value *ret_error)
{
	struct cel_value v;

	ret_error->kind = CEL_NULL;
	if (!node->args[1])
		return true;
	v = cel_eval(e, node->args[1]);
	if (v.kind != CEL_BOOL)
		*ret_error = v.kind == CEL_ERROR ? v : no_overload();
	return cel_is_true(v);
}

static size_t range_len(const struct range *range)
{
	return range->value.kind == CEL_LIST ? cel_list_len(&range->value) : cel_map_len(&range->value);
}

static struct cel_value fold_list(struct cel_eval *e, const struct cel_node *node, struct range *range)
{
	struct cel_value *items, list = cel_new_list(e, range_len(range), &items), error;
	size_t n = 0;

	if (list.kind == CEL_ERROR)
		return list;
	while (next(e, node, range)) {
		struct cel_value item = e->slots[node->slot];

		if (passes(e, node, &error)) {
			items[n] = node->args[2] ? cel_eval(e, node->args[2]) : item;
			if (items[n].kind == CEL_ERROR)
				return items[n];
			n++;
		} else if (error.kind == CEL_ERROR) {
			return error;
		}
	}
	((struct cel_list *)(uintptr_t)list.list)->n = n;
	return list;
}

/* All entries of ENTRIES go into the map. */
static struct cel_value put_all(struct cel_eval *e, struct cel_value result, struct cel_map *map, size_t room,
				struct cel_value entries)
{
	struct cel_value key, value;
	const void *at = NULL;

	if (entries.kind == CEL_ERROR)
		return entries;
	if (entries.kind != CEL_MAP)
		return no_overload();
	while (result.kind != CEL_ERROR && cel_map_next(e, &entries, &at, &key, &value))
		result = map->n < room ? put(e, result, map, key, value)
				       : cel_error("an entry of transformMapEntry has more than one key");
	return result;
}

static struct cel_value fold_map(struct cel_eval *e, const struct cel_node *node, struct range *range)
{
	struct cel_map *map;
	size_t room = range_len(range);
	struct cel_value result = cel_new_map(e, room, &map), error;

	while (result.kind != CEL_ERROR && next(e, node, range)) {
		struct cel_value key = e->slots[node->slot];

		if (passes(e, node, &error)) {
			struct cel_value made = cel_eval(e, node->args[2]);

			result = node->fold == CEL_TRANSFORM_MAP ? put(e, result, map, key, made)
								 : put_all(e, result, map, room, made);
		} else if (error.kind == CEL_ERROR) {
			return error;
		}
	}
	return result;
}

static struct cel_value fold_optional(struct cel_eval *e, const struct cel_node *node,
				      const struct cel_value *target)
{
	struct cel_value made;

	if (target->kind != CEL_OPTIONAL)
		return no_overload();
	if (!target->inner)
		return *target;
	e->slots[node->slot] = *target->inner;
	made = cel_eval(e, node->args[2]);
	if (made.kind == CEL_ERROR)
		return made;
	if (node->fold == CEL_OPT_MAP)
		return cel_optional(e, made);
	return made.kind == CEL_OPTIONAL ? made : no_overload();
}

static struct cel_value eval_fold(struct cel_eval *e, const struct cel_node *node)
{
	struct range range = { .value = cel_eval(e, node->args[0]) };

	if (range.value.kind == CEL_ERROR)
		return range.value;
	if (node->fold == CEL_OPT_MAP || node->fold == CEL_OPT_FLAT_MAP)
		return fold_optional(e, node, &range.value);
	if (range.value.kind != CEL_LIST && range.value.kind != CEL_MAP && range.value.kind != CEL_OBJECT)
		return no_overload();
	switch ((enum cel_fold)node->fold) {
	case CEL_ALL:
	case CEL_EXISTS:
		return fold_logic(e, node, &range);
	case CEL_EXISTS_ONE:
		return fold_one(e, node, &range);
	case CEL_TRANSFORM_MAP:
	case CEL_TRANSFORM_ENTRY:
		return fold_map(e, node, &range);
	default:
		return fold_list(e, node, &range);
	}
}

/* --- the walk --- */

struct cel_value cel_eval(struct cel_eval *e, const struct cel_node *node)
{
	if (node->kind == CEL_LITERAL)
		return node->value;
	if (!cel_charge(e, CEL_STEP))
		return cel_exhausted();
	switch ((enum cel_node_kind)node->kind) {
	case CEL_LITERAL:
		return node->value;
	case CEL_IDENT:
		return e->slots[node->slot];
	case CEL_SELECT:
		return eval_select(e, node);
	case CEL_CALL:
		return eval_call(e, node);
	case CEL_LIST_OF:
		return eval_list(e, node);
	case CEL_MAP_OF:
		return eval_map(e, node);
	case CEL_AND:
	case CEL_OR:
		return eval_junction(e, node);
	case CEL_IF:
		return eval_if(e, node);
	case CEL_FOLD:
		return eval_fold(e, node);
	}
	return no_overload();
}
