/* JSON: whatever is taken is written, reads back as the same value, and its repeated keys are found. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_path(const char *path, void *arg)
{
	(void)path;
	++*(size_t *)arg;
}

static void check_reads_back(const struct json_object *obj,
			     void (*write)(struct buf *b, const struct json_object *obj))
{
	CLEANUP(json_putp) struct json_object *again = NULL;
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	size_t duplicates = 0;

	write(&b, obj);
	if (json_parse(b.data, b.len, &again, &duplicates, NULL) < 0 || duplicates > 0 ||
	    !json_equal(obj, again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	size_t duplicates = 0, found = 0;
	struct err err = ERR_INIT;
	int r = json_parse((const char *)data, size, &obj, &duplicates, &err);

	json_find_duplicates((const char *)data, size, count_path, &found);
	if (r < 0) {
		if (err.kind != ERR_PARSE || !err.msg[0])
			abort();
		return 0;
	}
	/* One path may stand for several repetitions of its key. */
	if (found > duplicates || (duplicates > 0 && found == 0))
		abort();
	check_reads_back(obj, json_write);
	check_reads_back(obj, json_write_pretty);
	check_reads_back(obj, json_write_sorted);
	return 0;
}
