/* Selectors: what is taken is written in a form that is taken again and written alike. The first byte chooses
 * between label selectors, field selectors and LabelSelector objects. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/selector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int (*parse_fn)(const char *s, struct selector *ret, struct err *err);

static const char *look_up(const void *set, const char *key)
{
	return strlen(key) % 2 ? set : NULL;
}

static void check(const char *text, parse_fn parse)
{
	CLEANUP(selector_close) struct selector s = { 0 }, again = { 0 };
	CLEANUP(buf_close) struct buf first = BUF_INIT, second = BUF_INIT;
	struct err err = ERR_INIT;

	if (parse(text, &s, &err) < 0) {
		if (err.kind != ERR_BAD_REQUEST || !err.msg[0])
			abort();
		return;
	}
	selector_write(&first, &s);
	buf_str(&first, "");
	if (parse(first.data, &again, NULL) < 0)
		abort();
	selector_write(&second, &again);
	buf_str(&second, "");
	if (strcmp(first.data, second.data) != 0)
		abort();
	if (selector_matches(&s, look_up, "value") != selector_matches(&again, look_up, "value"))
		abort();
}

static int parse_object(const char *text, struct selector *ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;

	if (json_parse(text, strlen(text), &obj, NULL, NULL) < 0)
		return err_set(err, ERR_BAD_REQUEST, "no JSON");
	return selector_from_json(obj, ret, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(mem_freep) char *text = NULL;
	CLEANUP(selector_close) struct selector s = { 0 };

	if (size == 0)
		return 0;
	text = mem_dupn((const char *)data + 1, size - 1);
	if (data[0] == '{')
		parse_object(text, &s, NULL);
	else
		check(text, data[0] == '.' ? selector_parse_fields : selector_parse);
	return 0;
}
