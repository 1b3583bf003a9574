/* YAML: whatever is taken is written as YAML, which reads back as the same value. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reads_back(const struct json_object *value)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct yaml_doc *docs = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	yaml_write(&b, value);
	if (b.failed)
		abort();
	/* A value that aliases made large may be too large as text. */
	if (yaml_parse("again", b.data, b.len, &docs, &n, &err) < 0) {
		if (err.kind != ERR_LIMIT)
			abort();
		return;
	}
	if (n != 1 || !json_equal(docs[0].value, value))
		abort();
	yaml_docs_free(docs, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml_doc *docs = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (yaml_parse("fuzz", (const char *)data, size, &docs, &n, &err) < 0) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if ((docs[i].duplicates > 0) != (docs[i].first_duplicate != NULL))
			abort();
		check_reads_back(docs[i].value);
	}
	yaml_docs_free(docs, n);
	return 0;
}
