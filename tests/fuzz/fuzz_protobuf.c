/* Bodies in protobuf: what is taken is bounded, what is refused has a reason. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "api/protobuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_close) struct buf json = BUF_INIT_MAX(1024 * 1024);
	struct err err = ERR_INIT;
	if (protobuf_to_json((const char *)data, size, &json, &err) < 0) {
		if (err.kind == ERR_NONE || !err.msg[0])
			abort();
	} else if (json.failed || !json.len || json.data[json.len - 1] != '}') {
		abort();
	}
	return 0;
}
