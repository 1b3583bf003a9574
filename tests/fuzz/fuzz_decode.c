/* Decoding: no text crashes it, what it takes decodes again to the same, and what it refuses has a message.
 * The first byte chooses the resource. */
#include <stdlib.h>
#include <string.h>

#include "api/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *obj CLEANUP(json_putp) = NULL;
	struct json_object *again CLEANUP(json_putp) = NULL;
	struct buf warnings CLEANUP(buf_close) = BUF_INIT;
	struct buf first CLEANUP(buf_close) = BUF_INIT;
	struct buf second CLEANUP(buf_close) = BUF_INIT;
	struct err err = ERR_INIT;
	size_t n;

	if (size == 0)
		return 0;
	resource_all(&n);
	const struct resource *resource = resource_at((data[0] & 0x7fu) % (unsigned)n);
	bool yaml = (data[0] & 0x80) != 0;
	const char *text = (const char *)data + 1;
	if (decode_object(resource, text, size - 1, yaml, FIELD_VALIDATION_WARN, &warnings, &obj, &err) < 0) {
		if (err.kind == ERR_NONE || err.msg[0] == '\0')
			abort();
		return 0;
	}
	json_write(&first, obj);
	if (decode_object(resource, first.data, first.len, false, FIELD_VALIDATION_STRICT, NULL, &again,
			  &err) < 0)
		abort();
	json_write(&second, again);
	if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
		abort();
	return 0;
}
