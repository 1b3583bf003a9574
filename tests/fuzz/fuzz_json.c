/* JSON: whatever is taken is written, reads back as the same value, and its repeated keys are found. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_find.h"

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

/* What is picked out of a text that parses is what the whole has there. */
static void check_picks(const char *text, size_t len, const struct json_object *whole)
{
	static const char *const paths[] = { "metadata.name", "spec", NULL };
	CLEANUP(json_putp) struct json_object *picked = NULL;
	bool got = json_pick(text, len, paths, &picked, NULL) == 0;

	if (!whole || !json_object_is_type(whole, json_type_object))
		return;
	/* Keys that are written with escapes or twice are not found the same way. */
	if (memchr(text, '\\', len))
		return;
	if (!got || !json_equal(json_get(picked, "spec"), json_get(whole, "spec")))
		abort();
}

/* What is found in a text that parses reads as what the whole has there. */
static void check_finds(const char *text, size_t len, const struct json_object *whole)
{
	static const char *const wants[] = { "metadata.name", "spec", NULL };
	struct json_paths *paths = json_paths_new(wants);
	struct json_span found[2], value, key;
	bool got = json_find(paths, text, len, found, NULL) == 0;

	json_paths_free(paths);
	for (struct json_cursor c = json_span_begin(found[1]); got && json_span_element(&c, &value);)
		;
	for (struct json_cursor c = json_span_begin(found[1]); got && json_span_member(&c, &key, &value);)
		;
	if (!whole || !json_object_is_type(whole, json_type_object) || memchr(text, '\\', len))
		return;
	CLEANUP(json_putp) struct json_object *spec = json_span_parse(found[1]);
	if (!got || !json_equal(spec, json_get(whole, "spec")))
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
		check_picks((const char *)data, size, NULL);
		check_finds((const char *)data, size, NULL);
		if (err.kind != ERR_PARSE || !err.msg[0])
			abort();
		return 0;
	}
	/* One path may stand for several repetitions of its key. */
	if (found > duplicates || (duplicates > 0 && found == 0))
		abort();
	if (!duplicates) {
		check_picks((const char *)data, size, obj);
		check_finds((const char *)data, size, obj);
	}
	check_reads_back(obj, json_write);
	check_reads_back(obj, json_write_pretty);
	check_reads_back(obj, json_write_sorted);
	return 0;
}
