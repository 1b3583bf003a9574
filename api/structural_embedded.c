/* What is asked of objects inside of objects, and of lists whose items must differ. */
#include <stdlib.h>
#include <string.h>

#include "api/structural.h"
#include "api/validate.h"
#include "lib/mem.h"

typedef void visit_fn(const struct structural *schema, const struct json_object *value,
		      struct field_path *path, struct field_errors *errors);

/* FN for every value that is below VALUE. */
static void visit_below(visit_fn *fn, const struct structural *schema, const struct json_object *value,
			struct field_path *path, struct field_errors *errors)
{
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; schema->items && i < json_len(value); i++) {
			size_t mark = field_push_index(path, i);

			fn(schema->items, json_at(value, i), path, errors);
			field_pop(path, mark);
		}
		return;
	}
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)value, name, member)
	{
		const struct structural *property = structural_property(schema, name);
		size_t mark;

		if (!property && !schema->additional)
			continue;
		mark = property ? field_push(path, name) : field_push_key(path, name);
		fn(property ? property : schema->additional, member, path, errors);
		field_pop(path, mark);
	}
}

/* --- lists --- */

static struct json_object *keys_of(const struct structural *schema, const struct json_object *item)
{
	struct json_object *keys = json_object_new_object();

	for (size_t i = 0; i < json_len(schema->list_keys); i++) {
		const char *key = json_object_get_string(json_at(schema->list_keys, i));
		struct json_object *value = json_get(item, key);

		if (value)
			json_set(keys, key, json_clone(value));
	}
	return keys;
}

struct list_item {
	char *text;
	size_t i;
};

static int compare_texts(const void *a, const void *b)
{
	const struct list_item *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->i > y->i) - (x->i < y->i);
}

/* Items, or their keys, as canonical text: equal ones are neighbours once they are sorted, so that a long
 * list costs no more than its sorting. Each that repeats an earlier one is named once. */
static void check_unique(const struct structural *schema, const struct json_object *list,
			 struct field_path *path, struct field_errors *errors)
{
	size_t n = json_len(list);
	struct list_item *items = mem_zalloc((n + 1) * sizeof(*items));
	bool *repeated = mem_zalloc(n + 1);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(json_putp)
		struct json_object *keys =
		    schema->list == STRUCTURAL_MAP ? keys_of(schema, json_at(list, i)) : NULL;
		struct buf text = BUF_INIT;

		json_write_sorted(&text, keys ? keys : json_at(list, i));
		items[i].text = buf_take(&text);
		items[i].i = i;
	}
	qsort(items, n, sizeof(*items), compare_texts);
	for (size_t i = 1; i < n; i++) {
		bool again = strcmp(items[i - 1].text, items[i].text) == 0;
		bool third = i > 1 && strcmp(items[i - 2].text, items[i].text) == 0;

		repeated[items[i].i] = again && !third;
	}
	for (size_t i = 0; i < n; i++) {
		CLEANUP(json_putp) struct json_object *keys = NULL;
		size_t mark;

		if (!repeated[i])
			continue;
		if (schema->list == STRUCTURAL_MAP)
			keys = keys_of(schema, json_at(list, i));
		mark = field_push_index(path, i);
		field_error_add(errors, FIELD_DUPLICATE, path, keys ? keys : json_at(list, i), "%s", "");
		field_pop(path, mark);
	}
	for (size_t i = 0; i < n; i++)
		free(items[i].text);
	free(items);
	free(repeated);
}

void structural_validate_lists(const struct structural *schema, const struct json_object *value,
			       struct field_path *path, struct field_errors *errors)
{
	if (schema->list != STRUCTURAL_ATOMIC && json_object_is_type(value, json_type_array))
		check_unique(schema, value, path, errors);
	visit_below(structural_validate_lists, schema, value, path, errors);
}

/* --- objects in objects --- */

static void check_text(const struct json_object *value, const char *key, struct field_path *path,
		       struct field_errors *errors)
{
	const struct json_object *text = json_get(value, key);
	size_t mark = field_push(path, key);

	if (text && !json_object_is_type(text, json_type_string))
		field_error_add(errors, FIELD_INVALID, path, text, "must be a string");
	else if (!*json_str_or_empty(value, key))
		field_error_required(errors, path, "must not be empty");
	field_pop(path, mark);
}

static void check_embedded_metadata(const struct json_object *value, struct field_path *path,
				    struct field_errors *errors)
{
	const struct json_object *metadata = json_get(value, "metadata");
	const char *name = json_str_or_empty(metadata, "name");
	struct name_faults faults = { .n = 0 };
	size_t mark = field_push(path, "metadata"), inner;

	if (*name)
		name_check_path_segment(name, false, &faults);
	for (size_t i = 0; i < faults.n; i++) {
		inner = field_push(path, "name");
		field_error_invalid_str(errors, path, name, "%s", faults.text[i]);
		field_pop(path, inner);
	}
	inner = field_push(path, "labels");
	validate_labels(json_get(metadata, "labels"), path, errors);
	field_pop(path, inner);
	inner = field_push(path, "annotations");
	validate_annotations(json_get(metadata, "annotations"), path, errors);
	field_pop(path, inner);
	field_pop(path, mark);
}

void structural_validate_embedded(const struct structural *schema, const struct json_object *value,
				  struct field_path *path, struct field_errors *errors)
{
	if (schema->embedded && json_object_is_type(value, json_type_object)) {
		check_text(value, "apiVersion", path, errors);
		check_text(value, "kind", path, errors);
		check_embedded_metadata(value, path, errors);
	}
	visit_below(structural_validate_embedded, schema, value, path, errors);
}
