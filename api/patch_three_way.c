#include <stdlib.h>
#include <string.h>

#include "api/patch.h"
#include "api/patch_shape.h"
#include "lib/map.h"

/* Client-side apply. Three states of an object: ORIGINAL, what was applied last time; MODIFIED, what is
 * applied now; CURRENT, what the server has, with defaults and what others wrote. The patch
 *
 *     sets      what MODIFIED says and CURRENT does not
 *     deletes   what ORIGINAL said, MODIFIED no longer says and CURRENT still has
 *     leaves    all else in CURRENT: it is not ours
 *
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/
 */
static int diff_object(struct patch_shape shape, const struct json_object *original,
		       const struct json_object *modified, const struct json_object *current,
		       struct json_object *patch, struct err *err);

static struct json_object *unconst(const struct json_object *obj)
{
	return (struct json_object *)(uintptr_t)obj;
}

static void set_directive(struct json_object *patch, const char *prefix, const char *key,
			  struct json_object *value)
{
	char *name CLEANUP(mem_freep) = mem_printf("%s%s", prefix, key);

	json_set(patch, name, value);
}

static bool is_empty(const struct json_object *obj)
{
	return json_object_object_length(obj) == 0;
}

/* A union keeps just the members that are set: what an earlier choice left behind goes. */
static void retain_keys(struct json_object *patch, const struct json_object *modified)
{
	struct json_object *keys = json_object_new_array();

	json_object_object_foreach(unconst(modified), key, value)
	{
		if (value != NULL)
			json_object_array_add(keys, json_object_new_string(key));
	}
	json_set(patch, "$retainKeys", keys);
}

/* The items of a merging list by what tells them apart. */
struct items {
	const struct json_object *array;
	char **ids;
	size_t n;
	struct map by_id; /* id to index + 1, of the first with that id */
	bool repeated;    /* two items have one id */
};

static void items_close(struct items *items)
{
	for (size_t i = 0; i < items->n; i++)
		free(items->ids[i]);
	free(items->ids);
	map_close(&items->by_id);
}

static int items_load(struct items *items, const struct schema_field *field, const struct json_object *array,
		      struct err *err)
{
	items->array = array;
	items->ids = mem_zalloc((json_len(array) + 1) * sizeof(*items->ids));
	for (size_t i = 0; i < json_len(array); i++) {
		if (patch_shape_item_id(field, json_at(array, i), &items->ids[i], err) < 0)
			return -1;
		items->n++;
		if (map_get(&items->by_id, items->ids[i]) != NULL)
			items->repeated = true;
		else
			map_put(&items->by_id, items->ids[i], (void *)(uintptr_t)(i + 1));
	}
	return 0;
}

static bool items_have(const struct items *items, const char *id)
{
	return map_get(&items->by_id, id) != NULL;
}

static const struct json_object *items_get(const struct items *items, const char *id)
{
	uintptr_t found = (uintptr_t)map_get(&items->by_id, id);

	return found == 0 ? NULL : json_at(items->array, found - 1);
}

/* A list under comparison. */
struct list_diff {
	const struct schema_field *field;
	struct items original, modified, current;
	struct json_object *changes;   /* owned: items of the patch */
	struct json_object *deletions; /* owned: of a set of scalars */
};

static void list_diff_close(struct list_diff *diff)
{
	items_close(&diff->original);
	items_close(&diff->modified);
	items_close(&diff->current);
	json_object_put(diff->changes);
	json_object_put(diff->deletions);
}

/* An object with nothing but ITEM's merge key. */
static struct json_object *key_only(const struct schema_field *field, const struct json_object *item)
{
	struct json_object *obj = json_object_new_object();

	json_set(obj, schema_texts(field)->merge_key,
		 json_clone(json_get(item, schema_texts(field)->merge_key)));
	return obj;
}

static int diff_item(struct list_diff *diff, size_t i, struct err *err)
{
	const struct json_object *item = json_at(diff->modified.array, i);
	const char *id = diff->modified.ids[i];
	const struct json_object *current = items_get(&diff->current, id);

	if (current == NULL) {
		json_object_array_add(diff->changes, json_clone(item));
		return 0;
	}
	if (schema_texts(diff->field)->merge_key == NULL)
		return 0;

	struct json_object *change CLEANUP(json_putp) = json_object_new_object();
	if (diff_object(patch_shape_item(diff->field), items_get(&diff->original, id), item, current, change,
			err) < 0)
		return -1;
	if (is_empty(change))
		return 0;
	if (diff->field->retain_keys)
		retain_keys(change, item);
	json_set(change, schema_texts(diff->field)->merge_key,
		 json_clone(json_get(item, schema_texts(diff->field)->merge_key)));
	json_object_array_add(diff->changes, TAKE(change));
	return 0;
}

static void diff_deletion(struct list_diff *diff, size_t i)
{
	const struct json_object *item = json_at(diff->original.array, i);
	const char *id = diff->original.ids[i];

	if (items_have(&diff->modified, id) || !items_have(&diff->current, id))
		return;
	if (schema_texts(diff->field)->merge_key == NULL) {
		json_object_array_add(diff->deletions, json_clone(item));
		return;
	}
	struct json_object *deletion = key_only(diff->field, item);
	json_set_str(deletion, "$patch", "delete");
	json_object_array_add(diff->changes, deletion);
}

/* Items of both lists stand in one order. */
static bool same_order(const struct list_diff *diff)
{
	size_t at = 0;

	for (size_t i = 0; i < diff->modified.n; i++) {
		uintptr_t place = (uintptr_t)map_get(&diff->current.by_id, diff->modified.ids[i]);
		if (place == 0)
			continue;
		if (place < at)
			return false;
		at = place;
	}
	return true;
}

static void set_order(struct json_object *patch, const char *key, const struct list_diff *diff)
{
	struct json_object *order = json_object_new_array();

	for (size_t i = 0; i < diff->modified.n; i++) {
		const struct json_object *item = json_at(diff->modified.array, i);
		json_object_array_add(order, schema_texts(diff->field)->merge_key == NULL
						 ? json_clone(item)
						 : key_only(diff->field, item));
	}
	set_directive(patch, "$setElementOrder/", key, order);
}

/* Lists that repeat a merge key cannot be patched item by item. They are the same when each item, in order,
 * changes nothing in its counterpart; else the whole list is replaced. */
static int diff_repeated(struct list_diff *diff, const char *key, struct json_object *patch, struct err *err)
{
	bool same = diff->modified.n == diff->current.n;

	for (size_t i = 0; same && i < diff->modified.n; i++) {
		struct json_object *change CLEANUP(json_putp) = json_object_new_object();
		if (diff_object(patch_shape_item(diff->field), NULL, json_at(diff->modified.array, i),
				json_at(diff->current.array, i), change, err) < 0)
			return -1;
		same = strcmp(diff->modified.ids[i], diff->current.ids[i]) == 0 && is_empty(change);
	}
	if (same)
		return 0;

	struct json_object *list = json_object_new_array();
	struct json_object *replace = json_object_new_object();
	json_set_str(replace, "$patch", "replace");
	json_object_array_add(list, replace);
	for (size_t i = 0; i < diff->modified.n; i++)
		json_object_array_add(list, json_clone(json_at(diff->modified.array, i)));
	json_set(patch, key, list);
	return 0;
}

static int diff_list(const struct schema_field *field, const char *key, const struct json_object *original,
		     const struct json_object *modified, const struct json_object *current,
		     struct json_object *patch, struct err *err)
{
	struct list_diff diff CLEANUP(list_diff_close) = {
		.field = field,
		.changes = json_object_new_array(),
		.deletions = json_object_new_array(),
	};

	if (items_load(&diff.original, field, original, err) < 0 ||
	    items_load(&diff.modified, field, modified, err) < 0 ||
	    items_load(&diff.current, field, current, err) < 0)
		return -1;
	if (schema_texts(field)->merge_key != NULL && (diff.modified.repeated || diff.current.repeated))
		return diff_repeated(&diff, key, patch, err);
	for (size_t i = 0; i < diff.modified.n; i++)
		if (diff_item(&diff, i, err) < 0)
			return -1;
	for (size_t i = 0; i < diff.original.n; i++)
		diff_deletion(&diff, i);

	bool changed = json_len(diff.changes) > 0;
	if (changed || !same_order(&diff))
		set_order(patch, key, &diff);
	if (changed)
		json_set(patch, key, TAKE(diff.changes));
	if (json_len(diff.deletions) > 0)
		set_directive(patch, "$deleteFromPrimitiveList/", key, TAKE(diff.deletions));
	return 0;
}

static int diff_member(struct patch_shape shape, const char *key, const struct json_object *original,
		       const struct json_object *modified, const struct json_object *current,
		       struct json_object *patch, struct err *err)
{
	const struct schema_field *field = patch_shape_field(shape, key);

	if (json_object_is_type(modified, json_type_object) &&
	    json_object_is_type(current, json_type_object) && (field == NULL || !field->patch_replace)) {
		struct json_object *change CLEANUP(json_putp) = json_object_new_object();
		if (diff_object(patch_shape_member(shape, key), original, modified, current, change, err) < 0)
			return -1;
		if (is_empty(change))
			return 0;
		if (field != NULL && field->retain_keys)
			retain_keys(change, modified);
		json_set(patch, key, TAKE(change));
		return 0;
	}
	if (json_object_is_type(modified, json_type_array) && json_object_is_type(current, json_type_array) &&
	    patch_shape_merges_list(field)) {
		if (!json_object_is_type(original, json_type_array))
			original = NULL;
		return diff_list(field, key, original, modified, current, patch, err);
	}
	if (!json_equal(modified, current))
		json_set(patch, key, json_clone(modified));
	return 0;
}

/* Adds to PATCH what takes CURRENT to MODIFIED. */
static int diff_object(struct patch_shape shape, const struct json_object *original,
		       const struct json_object *modified, const struct json_object *current,
		       struct json_object *patch, struct err *err)
{
	json_object_object_foreach(unconst(modified), key, value)
	{
		const struct json_object *there = json_get(current, key);
		if (value != NULL && there == NULL)
			json_set(patch, key, json_clone(value));
		else if (value == NULL && there != NULL)
			json_set(patch, key, NULL);
		else if (value != NULL &&
			 diff_member(shape, key, json_get(original, key), value, there, patch, err) < 0)
			return -1;
	}
	if (!json_object_is_type(original, json_type_object))
		return 0;
	json_object_object_foreach(unconst(original), name, before)
	{
		if (before != NULL && json_get(modified, name) == NULL && json_get(current, name) != NULL)
			json_set(patch, name, NULL);
	}
	return 0;
}

int patch_three_way(const struct schema_def *def, const struct json_object *original,
		    const struct json_object *modified, const struct json_object *current,
		    struct json_object **ret, struct err *err)
{
	struct json_object *patch CLEANUP(json_putp) = json_object_new_object();

	if (!json_object_is_type(modified, json_type_object) ||
	    !json_object_is_type(current, json_type_object))
		return err_set(err, ERR_BAD_REQUEST, "only objects can be compared for a patch");
	if (diff_object((struct patch_shape){ .def = def }, original, modified, current, patch, err) < 0)
		return -1;
	*ret = TAKE(patch);
	return 0;
}

int patch_three_way_merge(const struct json_object *original, const struct json_object *modified,
			  const struct json_object *current, struct json_object **ret, struct err *err)
{
	return patch_three_way(NULL, original, modified, current, ret, err);
}
