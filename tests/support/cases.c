#include "tests/support/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FILE_MAX (1 << 20)

size_t cases_each(const char *file, void (*fn)(const char *name, struct json_object *one, void *arg),
		  void *arg)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	char *save;
	size_t n = 0;

	if (buf_read_file(&text, file, FILE_MAX, &err) < 0)
		fail_msg("%s", err.msg);
	for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		CLEANUP(json_putp) struct json_object *one = NULL;

		if (json_parse(line, strlen(line), &one, NULL, &err) < 0)
			fail_msg("%s: %s in %.100s", file, err.msg, line);
		fn(json_str(one, "name"), one, arg);
		n++;
	}
	if (n == 0)
		fail_msg("%s has no cases", file);
	return n;
}

void cases_expect_errors(const char *name, const struct field_errors *errors,
			 const struct json_object *wanted)
{
	for (size_t i = 0; i < errors->n; i++) {
		CLEANUP(mem_freep)
		char *got = mem_printf("%s: %s", errors->items[i].field, errors->items[i].message);
		const char *want =
		    i < json_len(wanted) ? json_object_get_string(json_at(wanted, i)) : "nothing";

		if (strcmp(got, want) != 0)
			fail_msg("%s: wanted\n%s\ngot\n%s", name, want, got);
	}
	if (errors->n < json_len(wanted))
		fail_msg("%s: %s is missing", name, json_object_get_string(json_at(wanted, errors->n)));
}
