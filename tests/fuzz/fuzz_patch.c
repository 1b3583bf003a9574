/* Patches: a document and a patch, each a line of JSON, through all kinds of patches. Inputs stay as they are, and a
 * three-way patch takes the one to the other. */
#include <stdlib.h>
#include <string.h>

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

static void try_all(const struct schema_def *def, const struct json_object *doc, const struct json_object *patch)
{
	struct json_object *json CLEANUP(json_putp) = NULL;
	struct json_object *merged CLEANUP(json_putp) = NULL;
	struct json_object *strategic CLEANUP(json_putp) = NULL;
	struct json_object *diff CLEANUP(json_putp) = NULL;
	struct json_object *after CLEANUP(json_putp) = NULL;

	patch_json(doc, patch, &json, NULL);
	patch_merge(doc, patch, &merged, NULL);
	patch_strategic(def, doc, patch, &strategic, NULL);
	if (patch_three_way(def, doc, patch, doc, &diff, NULL) == 0)
		patch_strategic(def, doc, diff, &after, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const definitions[] = { "core.v1.Pod", "apps.v1.Deployment", "core.v1.PodSpec", "core.v1.Container" };
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
