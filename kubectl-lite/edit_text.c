#include "kubectl-lite/edit_text.h"

#include <string.h>

#include "kubectl-lite/objects.h"
#include "lib/yaml.h"

struct json_object *edit_document(struct json_object *const *objects, size_t n, bool managed)
{
	struct json_object *list = json_object_new_object(), *items = json_ensure_array(list, "items");

	json_set_str(list, "apiVersion", "v1");
	json_set_str(list, "kind", "List");
	json_ensure_object(list, "metadata");
	for (size_t i = 0; i < n; i++) {
		struct json_object *obj = json_clone(objects[i]);
		if (!managed)
			object_drop_managed(obj);
		json_object_array_add(items, obj);
	}
	if (n != 1)
		return list;
	struct json_object *only = json_object_get(json_at(items, 0));
	json_object_put(list);
	return only;
}

void edit_write(struct buf *b, const struct json_object *document, bool json)
{
	CLEANUP(buf_close) struct buf sorted = BUF_INIT;
	CLEANUP(json_putp) struct json_object *copy = NULL;

	if (!json) {
		yaml_write(b, document);
		return;
	}
	json_write_sorted(&sorted, document);
	if (json_parse(sorted.data, sorted.len, &copy, NULL, NULL) == 0)
		json_write_pretty(b, copy);
	buf_char(b, '\n');
}

void edit_write_head(struct buf *b, const char *problems)
{
	buf_str(b,
		"# Please edit the object below. Lines beginning with a '#' will be ignored,\n"
		"# and an empty file will abort the edit. If an error occurs while saving this file will be\n"
		"# reopened with the relevant failures.\n"
		"#\n");
	for (const char *line = problems; *line;) {
		size_t len = strcspn(line, "\n");
		buf_printf(b, "# %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	if (*problems)
		buf_str(b, "#\n");
}

void edit_strip(struct buf *b, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		len += text[len] == '\n';
		if (*text != '#')
			buf_add(b, text, len);
		text += len;
	}
}
