#include "api/patch_shape.h"

#include <stdlib.h>
#include <string.h>

const struct schema_field *patch_shape_field(struct patch_shape shape, const char *key)
{
	return shape.def == NULL ? NULL : schema_field_find(shape.def, key, strlen(key));
}

struct patch_shape patch_shape_item(const struct schema_field *field)
{
	return (struct patch_shape){ .def =
					 field == NULL || field->type != SCHEMA_OBJECT ? NULL : field->def };
}

struct patch_shape patch_shape_member(struct patch_shape shape, const char *key)
{
	if (shape.map != NULL)
		return patch_shape_item(shape.map);

	const struct schema_field *field = patch_shape_field(shape, key);
	if (field != NULL && field->container == SCHEMA_MAP)
		return (struct patch_shape){ .map = field };
	return patch_shape_item(field);
}

bool patch_shape_merges_list(const struct schema_field *field)
{
	return field != NULL && field->container == SCHEMA_ARRAY && field->patch_merge;
}

int patch_shape_item_id(const struct schema_field *field, const struct json_object *item, char **ret,
			struct err *err)
{
	struct buf text = BUF_INIT;

	if (schema_texts(field)->merge_key != NULL) {
		const struct json_object *key = json_get(item, schema_texts(field)->merge_key);
		if (key == NULL) {
			struct buf shown CLEANUP(buf_close) = BUF_INIT;
			patch_shape_print(&shown, item);
			return err_set(err, ERR_BAD_REQUEST,
				       "map: %s does not contain declared merge key: %s", shown.data,
				       schema_texts(field)->merge_key);
		}
		item = key;
	}
	json_write_sorted(&text, item);
	*ret = buf_take(&text);
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_object(struct buf *b, const struct json_object *obj)
{
	size_t n = 0;
	const char **keys CLEANUP(mem_freep) =
	    mem_realloc_array(NULL, (size_t)json_object_object_length(obj) + 1, sizeof(*keys));

	json_object_object_foreach((struct json_object *)(uintptr_t)obj, key, value)
	{
		(void)value;
		keys[n++] = key;
	}
	qsort(keys, n, sizeof(*keys), compare_keys);
	buf_str(b, "map[");
	for (size_t i = 0; i < n; i++) {
		buf_str(b, i == 0 ? "" : " ");
		buf_str(b, keys[i]);
		buf_char(b, ':');
		patch_shape_print(b, json_get(obj, keys[i]));
	}
	buf_char(b, ']');
}

void patch_shape_print(struct buf *b, const struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		buf_str(b, "<nil>");
		break;
	case json_type_string:
		buf_str(b, json_object_get_string((struct json_object *)(uintptr_t)value));
		break;
	case json_type_object:
		print_object(b, value);
		break;
	case json_type_array:
		buf_char(b, '[');
		for (size_t i = 0; i < json_len(value); i++) {
			buf_str(b, i == 0 ? "" : " ");
			patch_shape_print(b, json_at(value, i));
		}
		buf_char(b, ']');
		break;
	default:
		json_write(b, value);
	}
}
