#include "api/kinds/cells.h"

#include <stdlib.h>
#include <string.h>

#include "lib/selector.h"
#include "lib/timefmt.h"

void cell_str(struct json_object *cells, const char *s)
{
	json_object_array_add(cells, json_object_new_string(s ? s : ""));
}

void cell_str_or(struct json_object *cells, const char *s, const char *if_empty)
{
	cell_str(cells, s && *s ? s : if_empty);
}

void cell_bool(struct json_object *cells, bool b)
{
	json_object_array_add(cells, json_object_new_boolean(b));
}

void cell_int(struct json_object *cells, int64_t n)
{
	json_object_array_add(cells, json_object_new_int64(n));
}

void cell_buf(struct json_object *cells, const struct buf *b)
{
	cell_str(cells, b->data);
}

void cell_name(struct json_object *cells, const struct json_object *obj)
{
	cell_str(cells, json_str(json_get(obj, "metadata"), "name"));
}

const char *cell_since(const char *s, int64_t now_us, char *buf, size_t size)
{
	int64_t then_us;

	if (!s || !time_parse(s, &then_us))
		return "<unknown>";
	return time_human_duration((now_us - then_us) / 1000000, buf, size);
}

void cell_since_time(struct json_object *cells, const char *s, int64_t now_us)
{
	char text[TIMEFMT_SIZE];

	cell_str(cells, cell_since(s, now_us, text, sizeof(text)));
}

void cell_quantity(struct json_object *cells, const struct json_object *map, const char *key,
		   const char *if_absent)
{
	const char *text = json_str(map, key);

	cell_str(cells, text ? text : if_absent);
}

void cell_age(struct json_object *cells, const struct json_object *obj, int64_t now_us)
{
	char text[TIMEFMT_SIZE];

	cell_str(cells, cell_since(json_str(json_get(obj, "metadata"), "creationTimestamp"), now_us, text,
				   sizeof(text)));
}

static void container_members(struct json_object *cells, const struct json_object *pod_spec, const char *key)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const struct json_object *containers = json_get(pod_spec, "containers");

	for (size_t i = 0; i < json_len(containers); i++) {
		if (i > 0)
			buf_char(&b, ',');
		buf_str(&b, json_str_or_empty(json_at(containers, i), key));
	}
	cell_buf(cells, &b);
}

void cell_containers(struct json_object *cells, const struct json_object *pod_spec)
{
	container_members(cells, pod_spec, "name");
}

void cell_images(struct json_object *cells, const struct json_object *pod_spec)
{
	container_members(cells, pod_spec, "image");
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void cell_labels(struct json_object *cells, const struct json_object *labels)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	size_t n =
	    json_object_is_type(labels, json_type_object) ? (size_t)json_object_object_length(labels) : 0;

	if (n == 0) {
		cell_str(cells, "<none>");
		return;
	}
	CLEANUP(mem_freep) const char **keys = mem_realloc_array(NULL, n, sizeof(*keys));
	size_t i = 0;

	json_object_object_foreach((struct json_object *)(uintptr_t)labels, key, value)
	{
		(void)value;
		keys[i++] = key;
	}
	qsort(keys, n, sizeof(*keys), compare_strings);
	for (i = 0; i < n; i++)
		buf_printf(&b, "%s%s=%s", i > 0 ? "," : "", keys[i], json_str_or_empty(labels, keys[i]));
	cell_buf(cells, &b);
}

void cell_selector(struct json_object *cells, const struct json_object *selector)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(selector_close) struct selector parsed = { 0 };

	if (selector && selector_from_json(selector, &parsed, NULL) != 0) {
		cell_str(cells, "<error>");
		return;
	}
	selector_write(&b, &parsed);
	cell_str_or(cells, b.data, "<none>");
}
