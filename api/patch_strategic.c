#include <stdlib.h>
#include <string.h>

#include "api/decode_scalar.h"
#include "api/patch.h"
#include "api/patch_shape.h"
#include "lib/map.h"

/* Strategic merge patch: objects merge member by member; lists that the schema gives a merge key (or that are
 * sets) merge item by item, all others are replaced. Members of a patch whose names begin with '$' direct the
 * merge:
 *
 *     $patch: replace | delete | merge     on an object, or on an item of a merging list
 *     $retainKeys: [k...]                  the object keeps only these members
 *     $setElementOrder/x: [...]            order of list x
 *     $deleteFromPrimitiveList/x: [...]    what list x, a set, loses
 *
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 */
#define SET_ORDER   "$setElementOrder/"
#define DELETE_FROM "$deleteFromPrimitiveList/"

static bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_directive(const char *key)
{
	return strcmp(key, "$patch") == 0 || strcmp(key, "$retainKeys") == 0 || has_prefix(key, SET_ORDER) ||
	       has_prefix(key, DELETE_FROM);
}

static struct json_object *unconst(const struct json_object *obj)
{
	return (struct json_object *)(uintptr_t)obj;
}

/* A copy of VALUE, as it is put where nothing was: without directives, null members, and items to be deleted.
 */
static struct json_object *plain_copy(const struct json_object *value)
{
	if (json_object_is_type(value, json_type_object)) {
		struct json_object *copy = json_object_new_object();
		json_object_object_foreach(unconst(value), key, member)
		{
			if (member != NULL && !is_directive(key))
				json_set(copy, key, plain_copy(member));
		}
		return copy;
	}
	if (json_object_is_type(value, json_type_array)) {
		struct json_object *copy = json_object_new_array();
		for (size_t i = 0; i < json_len(value); i++) {
			const struct json_object *item = json_at(value, i);
			if (json_get(item, "$patch") == NULL)
				json_object_array_add(copy, plain_copy(item));
		}
		return copy;
	}
	return json_clone(value);
}

static int unknown_patch_type(const struct json_object *patch, struct err *err)
{
	struct buf type CLEANUP(buf_close) = BUF_INIT;
	struct buf shown CLEANUP(buf_close) = BUF_INIT;

	patch_shape_print(&type, json_get(patch, "$patch"));
	patch_shape_print(&shown, patch);
	return err_set(err, ERR_BAD_REQUEST, "unknown patch type: %s in map: %s", type.data, shown.data);
}

static int merge_object(struct json_object *doc, const struct json_object *patch, struct patch_shape shape,
			struct err *err);

/* A list under way: items with what tells them apart. Items keep the place they had in the document, new ones
 * have none. */
enum { NO_PLACE = -1 };

struct entry {
	char *id;
	struct json_object *item; /* owned */
	long place;               /* in the document's list */
	long rank;                /* in the order asked for */
};

struct list {
	const struct schema_field *field;
	struct entry *entries;
	size_t n, capacity;
	struct map by_id; /* id to index + 1, of the first with that id */
	bool replaced; /* the patch's items stand alone: none is merged, not even with another of the patch */
};

static void list_close(struct list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->entries[i].id);
		json_object_put(list->entries[i].item);
	}
	free(list->entries);
	map_close(&list->by_id);
}

static struct entry *list_find(const struct list *list, const char *id)
{
	uintptr_t found = (uintptr_t)map_get(&list->by_id, id);

	return found == 0 ? NULL : &list->entries[found - 1];
}

/* Takes ID and ITEM. */
static void list_add(struct list *list, char *id, struct json_object *item, long place)
{
	if (list->n == list->capacity) {
		list->capacity = list->capacity == 0 ? 16 : list->capacity * 2;
		list->entries = mem_realloc_array(list->entries, list->capacity, sizeof(*list->entries));
	}
	list->entries[list->n++] = (struct entry){ .id = id, .item = item, .place = place, .rank = NO_PLACE };
	if (map_get(&list->by_id, id) == NULL)
		map_put(&list->by_id, id, (void *)(uintptr_t)list->n);
}

static void list_clear(struct list *list)
{
	const struct schema_field *field = list->field;

	list_close(list);
	*list = (struct list){ .field = field, .replaced = true };
}

/* Removes all items with ID; their entries stay, empty. */
static void list_remove(struct list *list, const char *id)
{
	if (map_remove(&list->by_id, id) == NULL)
		return;
	for (size_t i = 0; i < list->n; i++) {
		struct entry *entry = &list->entries[i];
		if (entry->item != NULL && strcmp(entry->id, id) == 0) {
			json_object_put(entry->item);
			entry->item = NULL;
		}
	}
}

static int list_load(struct list *list, const struct json_object *doc, struct err *err)
{
	for (size_t i = 0; i < json_len(doc); i++) {
		char *id;
		if (json_at(doc, i) == NULL)
			continue;
		if (patch_shape_item_id(list->field, json_at(doc, i), &id, err) < 0)
			return -1;
		list_add(list, id, json_object_get(json_at(doc, i)), (long)i);
	}
	return 0;
}

/* An item with $patch. Deletions and replacement come before all merging. */
static int apply_directive(struct list *list, const struct json_object *item, struct err *err)
{
	const char *type = json_str_or_empty(item, "$patch");

	if (strcmp(type, "replace") == 0) {
		list_clear(list);
		return 0;
	}
	if (strcmp(type, "merge") == 0)
		return err_set(err, ERR_BAD_REQUEST, "merging lists cannot yet be specified in the patch");
	if (strcmp(type, "delete") != 0)
		return unknown_patch_type(item, err);

	char *id CLEANUP(mem_freep) = NULL;
	if (patch_shape_item_id(list->field, item, &id, err) < 0)
		return -1;
	list_remove(list, id);
	return 0;
}

/* An item of the document becomes one of the result. */
static struct json_object *own(struct json_object **item)
{
	struct json_object *shared = *item;

	*item = json_share(shared);
	json_object_put(shared);
	return *item;
}

static int merge_item(struct list *list, const struct json_object *item, struct err *err)
{
	char *id CLEANUP(mem_freep) = NULL;

	if (patch_shape_item_id(list->field, item, &id, err) < 0)
		return -1;
	struct entry *entry = list->replaced ? NULL : list_find(list, id);
	if (entry == NULL)
		list_add(list, TAKE(id), plain_copy(item), NO_PLACE);
	else if (json_object_is_type(item, json_type_object))
		return merge_object(own(&entry->item), item, patch_shape_item(list->field), err);
	return 0;
}

/* Ranks entries by ORDER, a list of items or of objects with just the merge key. */
static int rank_entries(struct list *list, const struct json_object *order, struct err *err)
{
	struct map ranks CLEANUP(map_close) = MAP_INIT;
	size_t n = json_len(order);
	char **ids = mem_zalloc((n + 1) * sizeof(*ids));
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (json_at(order, i) == NULL || json_get(json_at(order, i), "$patch") != NULL)
			continue;
		r = patch_shape_item_id(list->field, json_at(order, i), &ids[i], err);
		if (r == 0 && map_get(&ranks, ids[i]) == NULL)
			map_put(&ranks, ids[i], (void *)(uintptr_t)(i + 1));
	}
	for (size_t i = 0; r == 0 && i < list->n; i++)
		list->entries[i].rank = (long)(uintptr_t)map_get(&ranks, list->entries[i].id) - 1;
	for (size_t i = 0; i < n; i++)
		free(ids[i]);
	free(ids);
	return r;
}

static int compare_ranks(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x < y ? -1 : x > y; /* both point into one array: as they came */
}

/* Ranked items in the order asked for; the others keep the document's order, and go before the first ranked
 * item that the document has behind them. */
static struct json_object *list_result(struct list *list)
{
	struct json_object *result = json_object_new_array();
	struct entry **ranked CLEANUP(mem_freep) = mem_realloc_array(NULL, list->n + 1, sizeof(*ranked));
	size_t n = 0, next = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list->entries[i].item != NULL && list->entries[i].rank != NO_PLACE)
			ranked[n++] = &list->entries[i];
	qsort(ranked, n, sizeof(*ranked), compare_ranks);
	for (size_t i = 0; i < list->n; i++) {
		struct entry *entry = &list->entries[i];
		if (entry->item == NULL || entry->rank != NO_PLACE)
			continue;
		while (next < n && !(entry->place != NO_PLACE && ranked[next]->place != NO_PLACE &&
				     entry->place < ranked[next]->place)) {
			json_object_array_add(result, TAKE(ranked[next]->item));
			next++;
		}
		json_object_array_add(result, TAKE(entry->item));
	}
	for (; next < n; next++)
		json_object_array_add(result, TAKE(ranked[next]->item));
	return result;
}

/* Merges list PATCH (may be NULL) into DOC (may be NULL), both unchanged. ORDER: $setElementOrder, or NULL.
 */
static int merge_list(const struct schema_field *field, const struct json_object *doc,
		      const struct json_object *patch, const struct json_object *order,
		      struct json_object **ret, struct err *err)
{
	struct list list CLEANUP(list_close) = { .field = field };

	if (list_load(&list, doc, err) < 0)
		return -1;
	for (size_t i = 0; i < json_len(patch); i++) {
		const struct json_object *item = json_at(patch, i);
		if (schema_texts(field)->merge_key != NULL && !json_object_is_type(item, json_type_object))
			return err_set(err, ERR_BAD_REQUEST,
				       "invalid patch: items of list %s must be objects", field->name);
		if (json_get(item, "$patch") != NULL && apply_directive(&list, item, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < json_len(patch); i++) {
		const struct json_object *item = json_at(patch, i);
		if (item != NULL && json_get(item, "$patch") == NULL && merge_item(&list, item, err) < 0)
			return -1;
	}
	if (rank_entries(&list, order != NULL ? order : patch, err) < 0)
		return -1;
	*ret = list_result(&list);
	return 0;
}

/* The items of PATCH must stand in ORDER, in this order: a patch that contradicts itself is refused. */
static int check_order(const struct schema_field *field, const struct json_object *patch,
		       const struct json_object *order, struct err *err)
{
	size_t at = 0;

	for (size_t i = 0; i < json_len(patch); i++) {
		const struct json_object *item = json_at(patch, i);
		char *id CLEANUP(mem_freep) = NULL;
		if (item == NULL || json_get(item, "$patch") != NULL)
			continue;
		if (patch_shape_item_id(field, item, &id, err) < 0)
			return -1;
		for (bool found = false; !found; at++) {
			char *other CLEANUP(mem_freep) = NULL;
			if (at == json_len(order)) {
				struct buf items CLEANUP(buf_close) = BUF_INIT;
				struct buf wanted CLEANUP(buf_close) = BUF_INIT;
				patch_shape_print(&items, patch);
				patch_shape_print(&wanted, order);
				return err_set(err, ERR_BAD_REQUEST,
					       "The order in patch list:\n%s\n doesn't match "
					       "$setElementOrder list:\n%s\n",
					       items.data, wanted.data);
			}
			if (patch_shape_item_id(field, json_at(order, at), &other, err) < 0)
				return -1;
			found = strcmp(id, other) == 0;
		}
	}
	return 0;
}

static struct json_object *directive(const struct json_object *patch, const char *prefix, const char *key)
{
	char *name CLEANUP(mem_freep) = mem_printf("%s%s", prefix, key);

	return json_get(patch, name);
}

/* A list whose order is set, whether or not the patch has items of it. */
static int apply_set_order(struct json_object *doc, const struct json_object *patch, const char *key,
			   const struct json_object *order, struct patch_shape shape, struct err *err)
{
	const struct schema_field *field = patch_shape_field(shape, key);
	const struct json_object *items = json_get(patch, key), *old = json_get(doc, key);
	struct json_object *merged;

	if (!json_object_is_type(order, json_type_array) ||
	    (items != NULL && !json_object_is_type(items, json_type_array)))
		return err_set(err, ERR_BAD_REQUEST, "invalid patch format of setElementOrder list");
	if (!patch_shape_merges_list(field) || (old == NULL && items == NULL))
		return 0;
	if (check_order(field, items, order, err) < 0 ||
	    merge_list(field, old, items, order, &merged, err) < 0)
		return -1;
	json_set(doc, key, merged);
	return 0;
}

static int apply_delete_from(struct json_object *doc, const char *key, const struct json_object *deletions,
			     struct err *err)
{
	struct json_object *old = json_get(doc, key);

	if (!json_object_is_type(deletions, json_type_array))
		return err_set(err, ERR_BAD_REQUEST, "invalid patch format of primitive list");
	if (!json_object_is_type(old, json_type_array))
		return 0;

	static const struct schema_field set = { .name = "", .container = SCHEMA_ARRAY, .patch_merge = true };
	struct list list CLEANUP(list_close) = { .field = &set };
	if (list_load(&list, old, err) < 0)
		return -1;
	for (size_t i = 0; i < json_len(deletions); i++) {
		char *id CLEANUP(mem_freep) = NULL;
		if (patch_shape_item_id(&set, json_at(deletions, i), &id, err) < 0)
			return -1;
		list_remove(&list, id);
	}
	json_set(doc, key, list_result(&list));
	return 0;
}

/* The object keeps what is named; the patch may set nothing else. */
static int apply_retain_keys(struct json_object *doc, const struct json_object *patch,
			     const struct json_object *keys, struct err *err)
{
	struct map retained CLEANUP(map_close) = MAP_INIT;

	if (!json_object_is_type(keys, json_type_array))
		return err_set(err, ERR_BAD_REQUEST, "invalid patch format of retainKeys");
	for (size_t i = 0; i < json_len(keys); i++) {
		if (!json_object_is_type(json_at(keys, i), json_type_string))
			return err_set(err, ERR_BAD_REQUEST, "invalid patch format of retainKeys");
		map_put(&retained, json_object_get_string(json_at(keys, i)), doc);
	}
	json_object_object_foreach(unconst(patch), patched, value)
	{
		if (value != NULL && !is_directive(patched) && map_get(&retained, patched) == NULL)
			return err_set(err, ERR_BAD_REQUEST, "patch content doesn't match retainKeys list");
	}
	json_object_object_foreach(doc, key, member)
	{
		(void)member;
		if (map_get(&retained, key) == NULL)
			json_object_object_del(doc, key);
	}
	return 0;
}

static int apply_directives(struct json_object *doc, const struct json_object *patch,
			    struct patch_shape shape, struct err *err)
{
	const struct json_object *keys = json_get(patch, "$retainKeys");

	if (keys != NULL && apply_retain_keys(doc, patch, keys, err) < 0)
		return -1;
	json_object_object_foreach(unconst(patch), key, value)
	{
		if (has_prefix(key, DELETE_FROM) &&
		    apply_delete_from(doc, key + strlen(DELETE_FROM), value, err) < 0)
			return -1;
	}
	json_object_object_foreach(unconst(patch), name, order)
	{
		if (has_prefix(name, SET_ORDER) &&
		    apply_set_order(doc, patch, name + strlen(SET_ORDER), order, shape, err) < 0)
			return -1;
	}
	return 0;
}

static int merge_member(struct json_object *doc, const char *key, const struct json_object *value,
			struct patch_shape shape, struct err *err)
{
	const struct schema_field *field = patch_shape_field(shape, key);
	struct json_object *old = json_get(doc, key);
	struct json_object *merged;

	if (json_object_is_type(value, json_type_object) && json_object_is_type(old, json_type_object) &&
	    (field == NULL || !field->patch_replace)) {
		merged = json_share(old);
		json_set(doc, key, merged);
		return merge_object(merged, value, patch_shape_member(shape, key), err);
	}
	if (json_object_is_type(value, json_type_array) && patch_shape_merges_list(field)) {
		if (!json_object_is_type(old, json_type_array))
			old = NULL;
		if (merge_list(field, old, value, NULL, &merged, err) < 0)
			return -1;
		json_set(doc, key, merged);
		return 0;
	}
	/* An object to be deleted or replaced where there is none. */
	const char *type = json_str_or_empty(value, "$patch");
	if (strcmp(type, "delete") == 0 && old == NULL)
		return 0;
	json_set(doc, key, plain_copy(value));
	return 0;
}

/* Merges PATCH into DOC in place; what lies in DOC is made anew where it changes. */
static int merge_object(struct json_object *doc, const struct json_object *patch, struct patch_shape shape,
			struct err *err)
{
	const struct json_object *type = json_get(patch, "$patch");
	bool delete = strcmp(json_str_or_empty(patch, "$patch"), "delete") == 0;

	if (delete || strcmp(json_str_or_empty(patch, "$patch"), "replace") == 0) {
		json_object_object_foreach(doc, old, value)
		{
			(void)value;
			json_object_object_del(doc, old);
		}
		if (delete)
			return 0;
	} else if (type != NULL && strcmp(json_str_or_empty(patch, "$patch"), "merge") != 0) {
		return unknown_patch_type(patch, err);
	}
	if (apply_directives(doc, patch, shape, err) < 0)
		return -1;
	json_object_object_foreach(unconst(patch), key, member)
	{
		/* Lists with $setElementOrder are done. */
		if (is_directive(key) || (patch_shape_merges_list(patch_shape_field(shape, key)) &&
					  directive(patch, SET_ORDER, key) != NULL))
			continue;
		if (member == NULL)
			json_object_object_del(doc, key);
		else if (merge_member(doc, key, member, shape, err) < 0)
			return -1;
	}
	return 0;
}

int patch_strategic(const struct schema_def *def, const struct json_object *doc,
		    const struct json_object *patch, struct json_object **ret, struct err *err)
{
	if (!json_object_is_type(patch, json_type_object))
		return err_set(err, ERR_BAD_REQUEST,
			       "json: cannot unmarshal %s into Go value of type map[string]interface {}",
			       decode_type_name(patch));

	if (!json_object_is_type(doc, json_type_object))
		return err_set(err, ERR_BAD_REQUEST, "the document to patch is no object");
	struct json_object *result CLEANUP(json_putp) = json_share(doc);
	if (merge_object(result, patch, (struct patch_shape){ .def = def }, err) < 0)
		return -1;
	*ret = TAKE(result);
	return 0;
}
