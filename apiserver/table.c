#include "apiserver/table.h"

#include <stdlib.h>
#include <string.h>

#include "api/custom.h"
#include "lib/json_skip.h"
#include "lib/mem.h"

static const struct kind_column default_columns[] = {
	{ "Name", "string", "name", "Name must be unique within a namespace.", 0 },
	{ "Created At", "date", "", "When the object was created.", 0 },
};

bool table_include_parse(const char *text, enum table_include *ret)
{
	static const char *const names[] = { "None", "Metadata", "Object" };
	if (!text || !*text) {
		*ret = TABLE_METADATA;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*ret = (enum table_include)i;
		return true;
	}
	return false;
}

static void write_column(struct buf *b, const struct kind_column *column)
{
	buf_str(b, "{\"name\":");
	buf_json_string(b, column->name);
	buf_str(b, ",\"type\":");
	buf_json_string(b, column->type);
	buf_str(b, ",\"format\":");
	buf_json_string(b, column->format);
	buf_str(b, ",\"description\":");
	buf_json_string(b, column->description ? column->description : "");
	buf_str(b, ",\"priority\":");
	buf_int(b, column->priority);
	buf_char(b, '}');
}

void table_begin(struct buf *b, const struct resource *resource, const char *list_meta, bool columns)
{
	buf_str(b, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{");
	buf_str(b, list_meta);
	buf_str(b, "},\"columnDefinitions\":");
	if (columns) {
		const struct kind *kind = resource->kind;
		bool own = kind->cells || resource->custom;
		const struct kind_column *rows = own ? kind->columns : default_columns;
		size_t n = own ? kind->n_columns : ARRAY_SIZE(default_columns);
		for (size_t i = 0; i < n; i++) {
			buf_char(b, i ? ',' : '[');
			write_column(b, &rows[i]);
		}
		buf_char(b, ']');
	} else {
		buf_str(b, "null");
	}
	buf_str(b, ",\"rows\":[");
}

/* OBJECT, or as much of it as its cells need. Our own bytes: they cannot fail to parse. */
static struct json_object *cell_values(const struct kind *kind, const struct object *object)
{
	struct json_object *obj = NULL;
	size_t len;
	if (!kind->cell_fields)
		return object_json(object);
	const char *bytes = object_bytes(object, &len);
	if (json_pick(bytes, len, kind->cell_fields, &obj, NULL) < 0)
		abort();
	return obj;
}

static void write_cells(struct buf *b, const struct resource *resource, const struct object *object,
			int64_t now_us)
{
	CLEANUP(json_putp) struct json_object *obj = cell_values(resource->kind, object);
	CLEANUP(json_putp) struct json_object *cells = json_object_new_array();
	const struct kind *kind = resource->kind;
	if (resource->custom) {
		custom_cells(resource->custom, obj, now_us, cells);
	} else if (kind->cells) {
		kind->cells(obj, now_us, cells);
	} else {
		json_object_array_add(cells, json_object_new_string(object_name(object)));
		const char *created = json_str_or_empty(json_get(obj, "metadata"), "creationTimestamp");
		json_object_array_add(cells, json_object_new_string(created));
	}
	json_write(b, cells);
}

void table_row(struct buf *b, const struct resource *resource, const struct object *object,
	       enum table_include include, int64_t now_us, bool first)
{
	buf_str(b, first ? "{\"cells\":" : ",{\"cells\":");
	write_cells(b, resource, object, now_us);
	buf_str(b, ",\"object\":");
	switch (include) {
	case TABLE_NONE:
		buf_str(b, "null");
		break;
	case TABLE_METADATA:
		table_write_metadata(b, object);
		break;
	case TABLE_OBJECT: {
		size_t len;
		const char *bytes = object_bytes(object, &len);
		buf_add(b, bytes, len);
		break;
	}
	}
	buf_char(b, '}');
}

void table_end(struct buf *b)
{
	buf_str(b, "]}");
}

void table_write_metadata(struct buf *b, const struct object *object)
{
	static const char member[] = "\"metadata\":";
	size_t len, managed_len;
	const char *item = object_item_bytes(object, &len);
	const char *managed = object_managed(object, &managed_len);
	struct json_cursor cursor = { item + sizeof(member) - 1, item + len };
	/* managedFields are the last of metadata, and most of it. */
	if (managed_len)
		cursor.p = managed + managed_len + 1;
	else
		json_skip_value(&cursor);
	buf_str(b, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",");
	buf_add(b, item, (size_t)(cursor.p - item));
	buf_char(b, '}');
}
