#include "controller/labels.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/mem.h"

struct labels {
	unsigned refs;
	size_t n;
	char *text;         /* canonical JSON: the key in the table */
	const char **pairs; /* n keys and values, in one allocation with their bytes */
	char *seen;         /* as it stood in an object: the key in the other table; or NULL */
	size_t seen_len;
};

static struct map interned, by_seen;
static struct labels *last_seen; /* often the next object has the same again */

struct labels *labels_intern(const struct json_object *obj)
{
	CLEANUP(buf_close) struct buf key = BUF_INIT;

	if (json_object_is_type(obj, json_type_object))
		json_write_sorted(&key, obj);
	else
		buf_str(&key, "{}");
	struct labels *labels = map_get(&interned, key.data);
	if (labels)
		return labels_ref(labels);
	labels = mem_zalloc(sizeof(*labels));
	labels->refs = 1;
	labels->text = buf_take(&key);
	size_t bytes = 0;
	size_t max = json_object_is_type(obj, json_type_object) ? (size_t)json_object_object_length(obj) : 0;
	if (max > 0) {
		json_object_object_foreach((struct json_object *)(uintptr_t)obj, name, value) bytes +=
		    strlen(name) + strlen(json_object_get_string(value)) + 2;
		labels->pairs = mem_alloc(2 * max * sizeof(char *) + bytes);
		char *to = (char *)(labels->pairs + 2 * max);
		json_object_object_foreach((struct json_object *)(uintptr_t)obj, name2, value2)
		{
			labels->pairs[2 * labels->n] = strcpy(to, name2);
			to += strlen(to) + 1;
			labels->pairs[2 * labels->n + 1] = strcpy(to, json_object_get_string(value2));
			to += strlen(to) + 1;
			labels->n++;
		}
	}
	map_put(&interned, labels->text, labels);
	return labels;
}

struct labels *labels_intern_text(struct json_span text)
{
	struct labels *labels = last_seen;

	if (labels && text.p && labels->seen_len == text.len && memcmp(labels->seen, text.p, text.len) == 0)
		return labels_ref(labels);
	CLEANUP(mem_freep) char *seen = text.p ? mem_dupn(text.p, text.len) : mem_dup("");
	labels = last_seen = map_get(&by_seen, seen);
	if (labels)
		return labels_ref(labels);
	CLEANUP(json_putp) struct json_object *obj = json_span_parse(text);
	labels = labels_intern(obj);
	if (!labels->seen) {
		labels->seen_len = strlen(seen);
		labels->seen = TAKE(seen);
		map_put(&by_seen, labels->seen, labels);
	}
	return labels;
}

struct labels *labels_ref(struct labels *labels)
{
	labels->refs++;
	return labels;
}

void labels_unref(struct labels *labels)
{
	if (!labels || --labels->refs > 0)
		return;
	map_remove(&interned, labels->text);
	if (labels->seen)
		map_remove(&by_seen, labels->seen);
	if (last_seen == labels)
		last_seen = NULL;
	free(labels->seen);
	free(labels->pairs);
	free(labels->text);
	free(labels);
}

void labels_unrefp(struct labels **labels)
{
	labels_unref(*labels);
}

const char *labels_get(const void *set, const char *key)
{
	const struct labels *labels = set;

	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->pairs[2 * i], key) == 0)
			return labels->pairs[2 * i + 1];
	return NULL;
}

bool labels_match(const struct labels *labels, const struct selector *selector)
{
	return selector_matches(selector, labels_get, labels);
}
