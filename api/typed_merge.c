/* New values out of old ones: a configuration put over what is there, fields taken out. What does not change
 * is shared, not copied. */
#include <stdlib.h>
#include <string.h>

#include "api/typed.h"
#include "lib/json_key.h"

static struct json_object *unconst(const struct json_object *obj)
{
	return (struct json_object *)(uintptr_t)obj;
}

static struct json_object *share(const struct json_object *value)
{
	return json_object_get(unconst(value));
}

/* --- merging --- */

/* Either may be missing; null is there. False: neither leaves anything. */
static bool merge(struct field_arena *arena, struct typed type, bool has_live, const struct json_object *live,
		  bool has_config, const struct json_object *config, struct json_object **ret);

static bool merge_members(struct field_arena *arena, struct typed type, const struct json_object *live,
			  const struct json_object *config, struct json_object **ret)
{
	struct json_object *result = json_object_new_object();

	if (live) {
		json_object_object_foreach(unconst(live), key, value)
		{
			struct json_object *given = NULL, *merged = NULL;
			if (!config || !json_member(config, key, &given)) {
				json_key_add_new(result, key, share(value));
				continue;
			}
			bool declared;
			struct typed inner = typed_member(type, key, strlen(key), &declared);
			if (merge(arena, inner, true, value, true, given, &merged))
				json_key_add_new(result, key, merged);
		}
	}
	if (config) {
		json_object_object_foreach(unconst(config), key, value)
		{
			struct json_object *other;
			if (!live || !json_member(live, key, &other))
				json_key_add_new(result, key, share(value));
		}
	}
	*ret = result;
	if (json_object_object_length(result))
		return true;
	json_object_put(result);
	return false;
}

struct item {
	struct field_element element;
	const struct json_object *value;
	long other; /* its place in the other list, or -1 */
	bool taken, repeated;
};

static struct item *items_of(struct field_arena *arena, struct typed type, const struct json_object *list,
			     size_t *ret_n)
{
	size_t n = json_len(list), kept = 0;
	struct item *items = field_alloc(arena, (n + 1) * sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		struct item item = { .value = json_at(list, i), .other = -1 };
		if (typed_element(arena, type, item.value, &item.element, NULL) == 0)
			items[kept++] = item;
	}
	*ret_n = kept;
	return items;
}

static int compare_places(const void *a, const void *b)
{
	const struct item *const *x = a, *const *y = b;
	int order = field_element_compare(&(*x)->element, &(*y)->element);
	return order ? order : (*x > *y) - (*x < *y);
}

/* Says of items that are in both lists where the other is. Of items that the live list has twice the first
 * counts, and none is merged with. */
static void match(struct field_arena *arena, struct item *live, size_t n_live, struct item *config,
		  size_t n_config)
{
	struct item **sorted = field_alloc(arena, (n_live + 1) * sizeof(struct item *));

	for (size_t i = 0; i < n_live; i++)
		sorted[i] = &live[i];
	qsort(sorted, n_live, sizeof(struct item *), compare_places);
	for (size_t i = 1; i < n_live; i++)
		if (field_element_compare(&sorted[i]->element, &sorted[i - 1]->element) == 0)
			sorted[i]->repeated = sorted[i - 1]->repeated = true;
	for (size_t k = 0; k < n_config; k++) {
		size_t low = 0, high = n_live;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (field_element_compare(&sorted[middle]->element, &config[k].element) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < n_live && field_element_compare(&sorted[low]->element, &config[k].element) == 0)
			config[k].other = sorted[low] - live;
		for (; low < n_live && field_element_compare(&sorted[low]->element, &config[k].element) == 0;
		     low++)
			sorted[low]->other = (long)k;
	}
}

struct lists {
	struct field_arena *arena;
	struct typed type;
	struct item *live, *config;
	size_t n_live, n_config;
	struct json_object *result;
};

static void take_config(struct lists *lists, size_t at)
{
	struct item *item = &lists->config[at];
	bool has_live = item->other >= 0 && !lists->live[item->other].repeated;
	struct json_object *merged;

	item->taken = true;
	if (merge(lists->arena, typed_item(lists->type), has_live,
		  has_live ? lists->live[item->other].value : NULL, true, item->value, &merged))
		json_object_array_add(lists->result, merged);
}

/* The order of both lists is kept where they agree; where they do not, the configuration's wins, and what it
 * does not name stays behind the item it was behind. */
static void merge_items(struct lists *lists)
{
	size_t i = 0, k = 0, shared = 0; /* the next item of the configuration that both have */

	while (shared < lists->n_config && lists->config[shared].other < 0)
		shared++;
	while (i < lists->n_live || k < lists->n_config) {
		if (i < lists->n_live && k < lists->n_config) {
			long other = lists->live[i].other;
			if (other == (long)k) {
				take_config(lists, k++);
				i++;
				for (shared++; shared < lists->n_config && lists->config[shared].other < 0;)
					shared++;
				continue;
			}
			if (other >= 0 && shared < lists->n_config && other != (long)shared) {
				i++; /* shared, but not the one whose turn it is */
				continue;
			}
		}
		if (i < lists->n_live) {
			long other = lists->live[i].other;
			if (other < 0) {
				json_object_array_add(lists->result, share(lists->live[i++].value));
				continue;
			}
			if (lists->config[other].taken)
				i++;
		}
		if (k < lists->n_config) {
			bool was_shared = k == shared;
			take_config(lists, k++);
			if (was_shared)
				for (shared++; shared < lists->n_config && lists->config[shared].other < 0;)
					shared++;
		}
	}
}

static bool merge_lists(struct field_arena *arena, struct typed type, const struct json_object *live,
			const struct json_object *config, struct json_object **ret)
{
	struct lists lists = { .arena = arena, .type = type, .result = json_object_new_array() };

	lists.live = items_of(arena, type, live, &lists.n_live);
	lists.config = items_of(arena, type, config, &lists.n_config);
	match(arena, lists.live, lists.n_live, lists.config, lists.n_config);
	merge_items(&lists);
	*ret = lists.result;
	if (json_len(lists.result))
		return true;
	json_object_put(lists.result);
	return false;
}

static const struct json_object *of_shape(const struct json_object *value, enum json_type type)
{
	return json_object_is_type(value, type) ? value : NULL;
}

static bool merge(struct field_arena *arena, struct typed type, bool has_live, const struct json_object *live,
		  bool has_config, const struct json_object *config, struct json_object **ret)
{
	struct typed_atom atom = typed_atom(type, has_config && config ? config : live);
	enum json_type wanted = atom.shape == TYPED_MAP ? json_type_object : json_type_array;
	const struct json_object *a = of_shape(live, wanted), *b = of_shape(config, wanted);
	bool empty = atom.shape == TYPED_MAP
			 ? (!a || !json_object_object_length(a)) && (!b || !json_object_object_length(b))
			 : !json_len(a) && !json_len(b);

	if (atom.shape == TYPED_SCALAR || atom.atomic || empty) {
		*ret = share(has_config ? config : live);
		return has_config || has_live;
	}
	return atom.shape == TYPED_MAP ? merge_members(arena, type, a, b, ret)
				       : merge_lists(arena, type, a, b, ret);
}

struct json_object *typed_merge(struct field_arena *arena, struct typed type, const struct json_object *live,
				const struct json_object *config)
{
	struct json_object *result = NULL;

	if (!merge(arena, type, true, live, true, config, &result))
		return json_object_new_object();
	return result;
}

/* --- taking out --- */

struct json_object *typed_remove(struct field_arena *arena, struct typed type,
				 const struct json_object *value, const struct field_set *set)
{
	struct typed_atom atom = typed_atom(type, value);
	struct json_object *result;

	if (!set || atom.shape == TYPED_SCALAR || !value)
		return share(value);
	if (atom.atomic)
		return NULL;
	if (atom.shape == TYPED_MAP && json_object_is_type(value, json_type_object)) {
		result = json_object_new_object();
		json_object_object_foreach(unconst(value), key, member)
		{
			struct field_element name = { key, (uint32_t)strlen(key), FIELD_ELEMENT_NAME };
			const struct field_node *node = field_set_find(set, &name);
			bool declared;
			if (node && node->member)
				continue;
			struct typed inner = typed_member(type, key, name.len, &declared);
			struct json_object *left =
			    typed_remove(arena, inner, member, node ? node->children : NULL);
			if (left || !member)
				json_key_add_new(result, key, left);
		}
		if (json_object_object_length(result))
			return result;
	} else {
		result = json_object_new_array();
		for (size_t i = 0; i < json_len(value); i++) {
			const struct json_object *item = json_at(value, i);
			struct field_element element;
			const struct field_node *node = NULL;
			if (typed_element(arena, type, item, &element, NULL) == 0)
				node = field_set_find(set, &element);
			if (node && node->member)
				continue;
			struct json_object *left =
			    typed_remove(arena, typed_item(type), item, node ? node->children : NULL);
			json_object_array_add(result, left || !item ? left : json_object_new_object());
		}
		if (json_len(result))
			return result;
	}
	json_object_put(result);
	return NULL;
}

const struct field_set *typed_with_parents(struct field_arena *arena, struct typed type,
					   const struct field_set *set)
{
	if (!set)
		return NULL;
	struct field_set *result = field_alloc(arena, sizeof(*result) + set->n * sizeof(set->nodes[0]));
	result->n = set->n;
	for (size_t i = 0; i < set->n; i++) {
		struct field_node node = set->nodes[i];
		bool declared = false;
		struct typed inner = node.element.kind == FIELD_ELEMENT_NAME
					 ? typed_member(type, node.element.text, node.element.len, &declared)
					 : typed_item(type);
		if (node.children) {
			node.member |= declared;
			node.children = typed_with_parents(arena, inner, node.children);
		}
		result->nodes[i] = node;
	}
	return result;
}
