#include "lib/json_block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "tests/support/rng.h"

/* The same byte by byte. */
static const char *plain_skip(const char *p, const char *end)
{
	size_t depth = 1;
	bool in_string = false;
	for (; p < end; p++) {
		/* Outside a string, where none belongs, a backslash hides quotes alone. */
		if (*p == '\\' && (in_string || (p + 1 < end && (p[1] == '"' || p[1] == '\\'))))
			p++;
		else if (*p == '"')
			in_string = !in_string;
		else if (!in_string && (*p == '{' || *p == '['))
			depth++;
		else if (!in_string && (*p == '}' || *p == ']') && --depth == 0)
			return p + 1;
	}
	return NULL;
}

/* Texts of what matters and little else, so that every pattern comes at every place of a block. */
static void texts_by_chance_end_where_they_should(void **state)
{
	(void)state;
	static const char bytes[] = "{}[]\"\"\\\\aaaaaaaaaaaa\xdb\x5c,:";
	struct rng rng = rng_of(7, 0);
	for (int round = 0; round < 20000; round++) {
		size_t len = rng_below(&rng, 300), deep = rng_below(&rng, 100);
		/* As long as it is: a byte too far is the sanitizer's. */
		CLEANUP(mem_freep) char *text = mem_alloc(len + 1);
		for (size_t i = 0; i < len; i++)
			text[i] = i < deep ? '[' : bytes[rng_below(&rng, (uint32_t)sizeof(bytes) - 1)];
		const char *want = plain_skip(text, text + len), *got = json_block_skip(text, text + len);
		if (want != got)
			fail_msg("round %d: at %td, not %td", round, got ? got - text : -1,
				 want ? want - text : -1);
	}
}

static void strings_and_escapes_hide_brackets(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int end; /* -1: none */
	} rows[] = {
		{ "}", 1 },      { "]x", 1 },           { "", -1 },
		{ "\"}\"}", 4 }, { "\"\\\"}\"}", 6 },   { "{}}", 3 },
		{ "[[]]}", 5 },  { "\"\\\\\"}", 5 },    { "\"\\\\\\\"}\"}", 8 },
		{ "\"}", -1 },   { "{\"a\":[1]}", -1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *end = json_block_skip(rows[i].text, rows[i].text + strlen(rows[i].text));
		assert_int_equal(end ? end - rows[i].text : -1, rows[i].end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_by_chance_end_where_they_should),
		cmocka_unit_test(strings_and_escapes_hide_brackets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
