#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kubectl-lite/discovery.h"
#include "lib/mem.h"

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;

	assert_int_equal(json_parse(text, strlen(text), &value, NULL, NULL), 0);
	return value;
}

static void test_rows(void **state)
{
	CLEANUP(json_putp) struct json_object *rows = json_object_new_array();
	CLEANUP(json_putp)
	struct json_object *answer =
	    parse("{\"kind\":\"APIGroupDiscoveryList\",\"items\":[{\"metadata\":{\"name\":\"example.com\"},"
		  "\"versions\":["
		  "{\"version\":\"v2\",\"resources\":[{\"resource\":\"crontabs\",\"responseKind\":{\"kind\":"
		  "\"CronTab\"},"
		  "\"scope\":\"Namespaced\",\"singularResource\":\"crontab\",\"verbs\":[\"get\",\"list\"],"
		  "\"shortNames\":[\"ct\"],"
		  "\"categories\":[\"all\"],\"subresources\":[{\"subresource\":\"status\"},{\"subresource\":"
		  "\"scale\"},{}]},"
		  "{\"resource\":\"no-verbs\",\"responseKind\":{\"kind\":\"X\"}},{\"verbs\":[\"get\"]},7]},"
		  "{\"version\":\"v1\",\"resources\":[{\"resource\":\"crontabs\",\"responseKind\":{\"kind\":"
		  "\"CronTab\"},"
		  "\"scope\":\"Cluster\",\"verbs\":[\"get\"]}]},{\"resources\":[]}]},null]}");

	(void)state;
	discovery_read(answer, rows);
	assert_int_equal(json_len(rows), 2);
	const struct json_object *first = json_at(rows, 0), *second = json_at(rows, 1);
	assert_string_equal(json_str(first, "group"), "example.com");
	assert_string_equal(json_str(first, "version"), "v2");
	assert_string_equal(json_str(first, "name"), "crontabs");
	assert_string_equal(json_str(first, "singularName"), "crontab");
	assert_true(json_boolean(first, "namespaced", false));
	assert_int_equal(json_len(json_get(first, "subresources")), 2);
	assert_int_equal(json_len(json_get(first, "categories")), 1);
	assert_string_equal(json_str(second, "version"), "v1");
	assert_false(json_boolean(second, "namespaced", true));
}

static void test_nonsense(void **state)
{
	static const char *const texts[] = {
		"null",
		"[]",
		"7",
		"{\"items\":{}}",
		"{\"items\":[[]]}",
		"{\"items\":[{\"versions\":[{\"version\":\"v1\",\"resources\":\"x\"}]}]}"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(json_putp)
		struct json_object *rows = json_object_new_array(), *answer = parse(texts[i]);
		discovery_read(answer, rows);
		assert_int_equal(json_len(rows), 0);
	}
}

static void set_time(const char *file, time_t seconds)
{
	const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
}

static void test_kept(void **state)
{
	char folder[] = "/tmp/test-discovery-XXXXXX";
	CLEANUP(json_putp) struct json_object *rows = parse("[{\"name\":\"crontabs\"}]");
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("XDG_CACHE_HOME", folder, 1);
	CLEANUP(mem_freep) char *ours = mem_printf("%s/kubectl-lite", folder);
	CLEANUP(mem_freep) char *file = mem_printf("%s/127.0.0.1_6443.json", ours);
	assert_null(discovery_cached("https://127.0.0.1:6443"));
	discovery_keep("https://127.0.0.1:6443", rows);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	CLEANUP(json_putp) struct json_object *kept = discovery_cached("https://127.0.0.1:6443");
	assert_true(json_equal(kept, rows));
	/* Another server whose name makes the same file name. */
	assert_null(discovery_cached("https://127.0.0.1_6443"));
	/* Too old, or of a clock that went back. */
	set_time(file, st.st_mtime - 7 * 3600);
	assert_null(discovery_cached("https://127.0.0.1:6443"));
	set_time(file, st.st_mtime + 3600);
	assert_null(discovery_cached("https://127.0.0.1:6443"));
	assert_int_equal(truncate(file, 10), 0);
	set_time(file, st.st_mtime);
	assert_null(discovery_cached("https://127.0.0.1:6443"));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(ours), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
