#include "kubectl-lite/found.h"

#include <stdlib.h>

#include "kubectl-lite/sort_by.h"

void found_add(struct found *f, struct json_object *table, struct json_object *object, const struct query *q)
{
	f->tables = mem_realloc_array(f->tables, f->n + 1, sizeof(*f->tables));
	f->objects = mem_realloc_array(f->objects, f->n + 1, sizeof(*f->objects));
	f->resources = mem_realloc_array(f->resources, f->n + 1, sizeof(*f->resources));
	f->queries = mem_realloc_array(f->queries, f->n + 1, sizeof(*f->queries));
	f->tables[f->n] = table;
	f->objects[f->n] = object;
	f->resources[f->n] = q->resource;
	f->queries[f->n++] = q;
}

void found_close(struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		json_object_put(f->tables[i]);
		json_object_put(f->objects[i]);
	}
	free(f->tables);
	free(f->objects);
	free(f->resources);
	free(f->queries);
	free(f->revision);
}

void found_add_items(struct found *f, struct json_object *list, const struct query *q)
{
	struct json_object *items = json_get(list, "items");

	for (size_t i = 0; i < json_len(items); i++) {
		struct json_object *item = json_at(items, i);
		if (!json_object_is_type(item, json_type_object))
			continue;
		/* Items of a list do not say what they are; shown alone they must. */
		json_set_str(item, "apiVersion", q->resource->group_version);
		json_set_str(item, "kind", q->resource->kind_name);
		found_add(f, NULL, json_object_get(item), q);
	}
}

size_t found_count(const struct found *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->tables[i] ? json_len(json_get(f->tables[i], "rows")) : 1;
	return n;
}

static int sort_rows(struct sort_by *sort, struct json_object *rows, struct err *err)
{
	size_t n = json_len(rows);
	CLEANUP(mem_freep) struct json_object **values = mem_zalloc((n + 1) * sizeof(*values));

	for (size_t i = 0; i < n; i++)
		values[i] = json_object_get(json_at(rows, i));
	int failed = sort_by_values(sort, values, NULL, n, true, err);
	for (size_t i = 0; i < n; i++)
		json_object_array_put_idx(rows, i, values[i]);
	return failed;
}

int found_sort(struct found *f, const char *path, struct err *err)
{
	struct sort_by *sort = NULL;
	int failed = 0;

	if (sort_by_new(path, &sort, err) < 0)
		return -1;
	for (size_t i = 0; i < f->n && !failed; i++)
		if (f->tables[i])
			failed = sort_rows(sort, json_get(f->tables[i], "rows"), err);
	if (!failed && f->n && f->objects[0])
		failed = sort_by_values(sort, f->objects, (const void **)f->resources, f->n, false, err);
	sort_by_free(sort);
	return failed;
}
