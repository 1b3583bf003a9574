/* JSONPath: no template crashes the parser, and what it takes can be evaluated. The template ends at the
 * first NUL byte, the object follows; without one the object is a fixed one. */
#include <stdlib.h>
#include <string.h>

#include "lib/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fixed[] =
    "{\"kind\":\"List\",\"items\":[{\"a\":{\"b\":[1,2.5,\"x\",null,true]},\"n\":1},{\"a\":{},\"n\":2}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(mem_freep) char *template = mem_dupn((const char *)data, size);
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf b = BUF_INIT_MAX(1 << 20);
	size_t len = strlen(template);
	const char *text = len < size ? (const char *)data + len + 1 : fixed;
	size_t text_len = len < size ? size - len - 1 : sizeof(fixed) - 1;
	struct jsonpath *path = NULL;
	struct err err = ERR_INIT;

	if (jsonpath_parse(template, &path, &err) < 0) {
		if (err.kind == ERR_NONE || path)
			abort();
		return 0;
	}
	if (json_parse(text, text_len, &obj, NULL, NULL) == 0) {
		jsonpath_write(path, obj, false, &b, NULL);
		jsonpath_write(path, obj, true, &b, NULL);
		jsonpath_first(path, obj);
	}
	jsonpath_free(path);
	return 0;
}
