#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

static int saved_stderr, pipe_read;

/* Between these two what is logged goes into a pipe. */
static void capture_begin(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	pipe_read = ends[0];
}

static char *capture_end(void)
{
	static char text[65536];
	ssize_t n;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	n = read(pipe_read, text, sizeof(text) - 1);
	close(pipe_read);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void test_text(void **state)
{
	char *text;

	(void)state;
	log_init("knarr-test", LOG_LEVEL_INFO, false);
	capture_begin();
	log_info("pod started", "pod", "default/web", "why", "a b\n", "none", NULL, "empty", "", "n",
		 log_num(-7), NULL);
	text = capture_end();
	assert_string_equal(strchr(text, ' '),
			    " info knarr-test pod started pod=default/web why=\"a b\\n\" none=null "
			    "empty=\"\" n=-7\n");
}

static void test_levels(void **state)
{
	enum log_level level = LOG_LEVEL_WARN;

	(void)state;
	log_init("t", LOG_LEVEL_WARN, false);
	capture_begin();
	log_info("hidden", NULL);
	log_debug("hidden", NULL);
	log_warn("shown", NULL);
	assert_non_null(strstr(capture_end(), " warn t shown\n"));
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_false(log_level_parse("loud", &level));
}

static void test_json(void **state)
{
	CLEANUP(json_putp) struct json_object *record = NULL;
	char *text;

	(void)state;
	log_init("t", LOG_LEVEL_INFO, true);
	capture_begin();
	log_error("a \"b\"", "key", "va\nlue", "none", NULL, NULL);
	text = capture_end();
	assert_int_equal(json_parse(text, strlen(text), &record, NULL, NULL), 0);
	assert_string_equal(json_str(record, "level"), "error");
	assert_string_equal(json_str(record, "message"), "a \"b\"");
	assert_string_equal(json_str(record, "key"), "va\nlue");
	assert_string_equal(json_str(record, "program"), "t");
	assert_non_null(json_str(record, "time"));
	assert_true(json_object_object_get_ex(record, "none", NULL));
}

static void test_one_line_however_it_is_called(void **state)
{
	CLEANUP(mem_freep) char *huge = mem_alloc(100001);
	char *text;

	(void)state;
	memset(huge, 'x', 100000);
	huge[100000] = '\0';
	log_init("t", LOG_LEVEL_INFO, false);
	capture_begin();
	log_info("two\nlines", "huge", huge, "after", "x", NULL);
	text = capture_end();
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_non_null(strstr(text, "\"two\\nlines\" huge=\"(too long)\"\n"));
}

static void test_numbers_stay_for_fifteen_calls(void **state)
{
	const char *first = log_num(INT64_MIN);

	(void)state;
	for (int i = 0; i < 15; i++)
		log_num(i);
	assert_string_equal(first, "-9223372036854775808");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_one_line_however_it_is_called),
		cmocka_unit_test(test_numbers_stay_for_fifteen_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
