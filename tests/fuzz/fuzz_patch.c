/* Patches: a document and a patch, each a line of JSON, through all kinds of patches. Inputs stay as they
 * are, there is a result or a reason, and the patch between two objects takes the one to the other. */
#include <stdlib.h>
#include <string.h>

#include "api/decode.h"
#include "api/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write(struct buf *b, const struct json_object *value)
{
	buf_reset(b);
	json_write(b, value);
}

static void check_unchanged(const struct buf *before, const struct json_object *value)
{
	struct buf now CLEANUP(buf_close) = BUF_INIT;

	write(&now, value);
	if (now.len != before->len || memcmp(now.data, before->data, now.len) != 0)
		abort();
}

/* RESULT of a patch function: a value, or a reason. */
static bool taken(int result, const struct json_object *value, struct err *err)
{
	if (result < 0 ? value || err->kind == ERR_NONE || !err->msg[0] : err->kind != ERR_NONE)
		abort();
	*err = ERR_INIT;
	return result == 0;
}

/* What a merge patch can say: a member cannot become null. */
static bool has_null_member(const struct json_object *value)
{
	if (!json_object_is_type(value, json_type_object))
		return false;
	json_object_object_foreach(value, key, member)
	{
		(void)key;
		if (!member || has_null_member(member))
			return true;
	}
	return false;
}

/* The merge patch between two objects takes the one to the other. */
static void check_merge_way(const struct json_object *from, const struct json_object *to)
{
	struct json_object *diff CLEANUP(json_putp) = NULL;
	struct json_object *after CLEANUP(json_putp) = NULL;

	if (!json_object_is_type(from, json_type_object) || !json_object_is_type(to, json_type_object) ||
	    has_null_member(to) || patch_three_way_merge(from, to, from, &diff, NULL) < 0)
		return;
	if (patch_merge(from, diff, &after, NULL) < 0 || !json_equal(after, to))
		abort();
}

/* A map can have a key that a strategic patch takes for a directive. */
static bool has_directive(const struct json_object *value)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;

	write(&text, value);
	return memmem(text.data, text.len, "\"$", 2) != NULL;
}

static bool same_key(const struct json_object *a, const struct json_object *b)
{
	static const char *const merge_keys[] = { "name", "containerPort", "port", "ip",          "mountPath",
						  "uid",  "devicePath",    "type", "topologyKey", "key" };
	if (json_equal(a, b))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(merge_keys); i++)
		if (json_get(a, merge_keys[i]) &&
		    json_equal(json_get(a, merge_keys[i]), json_get(b, merge_keys[i])))
			return true;
	return false;
}

/* Two items of one list that a strategic patch could not tell apart. */
static bool has_twins(struct json_object *value)
{
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			if (has_twins(member))
				return true;
		}
	}
	if (!json_object_is_type(value, json_type_array))
		return false;
	for (size_t i = 0; i < json_len(value); i++) {
		if (has_twins(json_at(value, i)))
			return true;
		for (size_t k = 0; k < i; k++)
			if (same_key(json_at(value, i), json_at(value, k)))
				return true;
	}
	return false;
}

/* The same for a strategic one, between objects as the server has them. */
static void check_strategic_way(const struct schema_def *def, const struct json_object *from,
				const struct json_object *to)
{
	struct json_object *one CLEANUP(json_putp) = json_clone(from);
	struct json_object *other CLEANUP(json_putp) = json_clone(to);
	struct json_object *diff CLEANUP(json_putp) = NULL;
	struct json_object *after CLEANUP(json_putp) = NULL;

	if (decode_value(def, NULL, "v1", one, FIELD_VALIDATION_IGNORE, NULL, NULL) < 0 ||
	    decode_value(def, NULL, "v1", other, FIELD_VALIDATION_IGNORE, NULL, NULL) < 0 ||
	    has_directive(one) || has_directive(other) || has_twins(one) || has_twins(other) ||
	    patch_three_way(def, one, other, one, &diff, NULL) < 0)
		return;
	if (patch_strategic(def, one, diff, &after, NULL) < 0)
		return;
	if (decode_value(def, NULL, "v1", after, FIELD_VALIDATION_IGNORE, NULL, NULL) < 0 ||
	    !json_equal(after, other))
		abort();
}

static void try_all(const struct schema_def *def, const struct json_object *doc,
		    const struct json_object *patch)
{
	struct json_object *json CLEANUP(json_putp) = NULL;
	struct json_object *merged CLEANUP(json_putp) = NULL;
	struct json_object *strategic CLEANUP(json_putp) = NULL;
	struct json_object *diff CLEANUP(json_putp) = NULL;
	struct json_object *after CLEANUP(json_putp) = NULL;
	struct err err = ERR_INIT;

	taken(patch_json(doc, patch, &json, &err), json, &err);
	taken(patch_merge(doc, patch, &merged, &err), merged, &err);
	taken(patch_strategic(def, doc, patch, &strategic, &err), strategic, &err);
	if (taken(patch_three_way(def, doc, patch, doc, &diff, &err), diff, &err))
		taken(patch_strategic(def, doc, diff, &after, &err), after, &err);
	check_merge_way(doc, patch);
	if (json_object_is_type(doc, json_type_object) && json_object_is_type(patch, json_type_object))
		check_strategic_way(def, doc, patch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const definitions[] = { "core.v1.Pod", "apps.v1.Deployment", "core.v1.PodSpec",
						   "core.v1.Container" };
	struct json_object *doc CLEANUP(json_putp) = NULL;
	struct json_object *patch CLEANUP(json_putp) = NULL;
	struct buf doc_text CLEANUP(buf_close) = BUF_INIT;
	struct buf patch_text CLEANUP(buf_close) = BUF_INIT;

	if (size == 0)
		return 0;
	const char *text = (const char *)data + 1;
	const char *line_end = memchr(text, '\n', --size);
	if (line_end == NULL)
		return 0;
	size_t len = (size_t)(line_end - text);
	if (json_parse(text, len, &doc, NULL, NULL) < 0 ||
	    json_parse(line_end + 1, size - len - 1, &patch, NULL, NULL) < 0)
		return 0;
	write(&doc_text, doc);
	write(&patch_text, patch);
	try_all(schema_def_find(definitions[data[0] % ARRAY_SIZE(definitions)]), doc, patch);
	check_unchanged(&doc_text, doc);
	check_unchanged(&patch_text, patch);
	return 0;
}
