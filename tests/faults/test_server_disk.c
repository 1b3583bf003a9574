/* What clients are told while the disk fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api/api_fixture.h"
#include "tests/faults/faulty_disk.h"

#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"

/* The answer's code, and its message in *RET_MESSAGE. */
static int exchange(struct api_fixture *fixture, const char *method, const char *path, const char *body,
		    char **ret_message)
{
	struct api_request request = { .method = method,
				       .path = path,
				       .type = "application/json",
				       .body = body,
				       .body_len = body ? strlen(body) : 0 };
	struct api_answer answer;
	int code;

	api_exchange(fixture, &request, &answer);
	code = answer.code;
	if (ret_message)
		*ret_message = mem_dup(json_str_or_empty(answer.json, "message"));
	if (code >= 400 && ret_message && answer.json)
		assert_string_equal(json_str_or_empty(answer.json, "kind"), "Status");
	api_answer_close(&answer);
	return code;
}

static int create(struct api_fixture *fixture, const char *name, char **ret_message)
{
	CLEANUP(mem_freep) char *body = mem_printf("{\"metadata\":{\"name\":\"%s\"}}", name);

	return exchange(fixture, "POST", CONFIG_MAPS, body, ret_message);
}

static int get(struct api_fixture *fixture, const char *path)
{
	return exchange(fixture, "GET", path, NULL, NULL);
}

static void assert_refused(struct api_fixture *fixture, int expected, const char *part, const char *advice)
{
	CLEANUP(mem_freep) char *message = NULL;

	assert_int_equal(create(fixture, "b", &message), expected);
	if (!strstr(message, part) || !strstr(message, advice))
		fail_msg("%s", message);
}

static void test_full_disk(void **state)
{
	struct api_fixture fixture = { 0 };

	(void)state;
	api_fixture_start(&fixture);
	assert_int_equal(create(&fixture, "a", NULL), 201);
	faulty_disk_arm(
	    &(struct disk_fault){ .calls = DISK_WRITE, .nth = 1, .kind = DISK_LASTING, .full = true });
	for (int i = 0; i < 3; i++) {
		assert_refused(&fixture, 500, "No space left on device; nothing was stored",
			       "free space there");
		assert_int_equal(get(&fixture, CONFIG_MAPS "/a"), 200);
		assert_int_equal(get(&fixture, CONFIG_MAPS "/b"), 404);
		assert_int_equal(get(&fixture, CONFIG_MAPS), 200);
		assert_int_equal(get(&fixture, "/livez"), 200);
		assert_int_equal(get(&fixture, "/readyz"), 500);
	}
	assert_true(faulty_disk_heal());
	assert_int_equal(create(&fixture, "b", NULL), 201);
	assert_int_equal(get(&fixture, "/readyz"), 200);
	api_fixture_stop(&fixture);
}

static void test_failed_sync(void **state)
{
	struct api_fixture fixture = { 0 };

	(void)state;
	api_fixture_start(&fixture);
	faulty_disk_arm(&(struct disk_fault){ .calls = DISK_SYNC, .nth = 1, .kind = DISK_ONCE });
	assert_refused(&fixture, 500, "Input/output error; nothing was stored", "kernel's log");
	assert_true(faulty_disk_heal());
	assert_int_equal(get(&fixture, CONFIG_MAPS "/b"), 404);
	assert_int_equal(create(&fixture, "b", NULL), 201);
	api_fixture_stop(&fixture);
}

static void test_doubt(void **state)
{
	struct api_fixture fixture = { 0 };

	(void)state;
	api_fixture_start(&fixture);
	assert_int_equal(create(&fixture, "a", NULL), 201);
	faulty_disk_arm(&(struct disk_fault){ .calls = DISK_SYNC, .nth = 1, .kind = DISK_LASTING });
	assert_refused(&fixture, 503, "whether the change is stored is not known", "started again");
	assert_true(faulty_disk_heal());
	/* Also when the disk works again: what it holds is known only after a start. */
	assert_refused(&fixture, 503, "whether the change is stored is not known", "started again");
	assert_int_equal(get(&fixture, CONFIG_MAPS "/a"), 503);
	assert_int_equal(get(&fixture, CONFIG_MAPS), 503);
	assert_int_equal(get(&fixture, CONFIG_MAPS "?watch=1"), 503);
	assert_int_equal(exchange(&fixture, "DELETE", CONFIG_MAPS "/a", NULL, NULL), 503);
	assert_int_equal(get(&fixture, "/readyz"), 500);
	api_fixture_restart(&fixture);
	assert_int_equal(get(&fixture, CONFIG_MAPS "/a"), 200);
	if (get(&fixture, CONFIG_MAPS "/b") == 404)
		assert_int_equal(create(&fixture, "b", NULL), 201);
	api_fixture_stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_failed_sync),
		cmocka_unit_test(test_doubt),
	};

	faulty_disk_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
