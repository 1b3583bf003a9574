/* The writing half of yaml.h, through libyaml's emitter: kubectl's is a port of it, so that line widths,
 * indentation and the choice of quotes come out alike. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/mem.h"
#include "lib/yaml.h"
#include "lib/yaml_scalar.h"

static int append(void *arg, unsigned char *data, size_t len)
{
	struct buf *b = arg;

	buf_add(b, data, len);
	return !b->failed;
}

static bool emit_text(yaml_emitter_t *e, const char *text, size_t len, yaml_scalar_style_t style)
{
	yaml_event_t event;

	return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)len, 1, 1,
					    style) &&
	       yaml_emitter_emit(e, &event);
}

static bool emit_string(yaml_emitter_t *e, const char *text, size_t len)
{
	yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;

	/* The emitter itself quotes what cannot stand plain or as a block. */
	if (memchr(text, '\n', len))
		style = YAML_LITERAL_SCALAR_STYLE;
	else if (yaml_scalar_is_ambiguous(text, len))
		style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	return emit_text(e, text, len, style);
}

static bool emit_json_text(yaml_emitter_t *e, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	json_write(&text, value);
	return emit_text(e, text.data, text.len, YAML_PLAIN_SCALAR_STYLE);
}

static bool emit(yaml_emitter_t *e, struct json_object *value);

struct member {
	const char *key;
	struct json_object *value;
};

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static bool emit_object(yaml_emitter_t *e, struct json_object *object)
{
	size_t n = 0, count = (size_t)json_object_object_length(object);
	CLEANUP(mem_freep) struct member *members = mem_realloc_array(NULL, count, sizeof(*members));
	yaml_event_t event;

	json_object_object_foreach(object, key, value) members[n++] =
	    (struct member){ .key = key, .value = value };
	qsort(members, n, sizeof(*members), compare_members);
	if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) ||
	    !yaml_emitter_emit(e, &event))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!emit_string(e, members[i].key, strlen(members[i].key)) || !emit(e, members[i].value))
			return false;
	return yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(e, &event);
}

static bool emit_array(yaml_emitter_t *e, struct json_object *array)
{
	yaml_event_t event;

	if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE) ||
	    !yaml_emitter_emit(e, &event))
		return false;
	for (size_t i = 0; i < json_len(array); i++)
		if (!emit(e, json_at(array, i)))
			return false;
	return yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(e, &event);
}

static bool emit(yaml_emitter_t *e, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_object:
		return emit_object(e, value);
	case json_type_array:
		return emit_array(e, value);
	case json_type_string:
		return emit_string(e, json_object_get_string(value),
				   (size_t)json_object_get_string_len(value));
	default:
		return emit_json_text(e, value);
	}
}

static bool emit_document(yaml_emitter_t *e, struct json_object *value)
{
	yaml_event_t event;

	return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
	       yaml_emitter_emit(e, &event) &&
	       yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
	       yaml_emitter_emit(e, &event) && emit(e, value) &&
	       yaml_document_end_event_initialize(&event, 1) && yaml_emitter_emit(e, &event) &&
	       yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(e, &event);
}

void yaml_write(struct buf *b, const struct json_object *obj)
{
	yaml_emitter_t e;

	if (!yaml_emitter_initialize(&e))
		mem_checked(NULL);
	yaml_emitter_set_output(&e, append, b);
	yaml_emitter_set_unicode(&e, 1);
	/* Refused is only what is no UTF-8, or a buffer at its cap: either way the text is not whole. */
	if (!emit_document(&e, (struct json_object *)(uintptr_t)obj)) {
		buf_close(b);
		b->failed = true;
	}
	yaml_emitter_delete(&e);
}
