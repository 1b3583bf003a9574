#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "kubectl-lite/print.h"

static const char *const texts[] = {
	"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"managedFields\":[{}],\"labels\":{\"z\":\"1\",\"b\":\"2\"}}}",
	"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"b\"},\"l\":[1,null,\"x\"]}",
};

/* What output_list prints of both objects, or output_object of the first, in the form FORM. */
static char *print(const char *form, bool list)
{
	struct json_object *objects[2] = { NULL, NULL };
	const struct resource *resources[2];
	char path[] = "/tmp/knarr-print-XXXXXX";
	struct buf text = BUF_INIT;
	struct output output;
	int fd = mkstemp(path), before = dup(STDOUT_FILENO);

	for (size_t i = 0; i < 2; i++) {
		resources[i] = resource_find("", "v1", "pods");
		assert_int_equal(json_parse(texts[i], strlen(texts[i]), &objects[i], NULL, NULL), 0);
	}
	assert_int_equal(output_parse(form, &output, NULL), 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	int failed = list ? output_list(&output, objects, resources, 2, false, NULL) :
			    output_object(&output, resources[0], objects[0], false, NULL);
	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	close(fd);
	assert_int_equal(failed, 0);
	assert_int_equal(buf_read_file(&text, path, 1 << 20, NULL), 0);
	unlink(path);
	output_close(&output);
	json_putp(&objects[0]);
	json_putp(&objects[1]);
	return buf_take(&text);
}

static void check(const char *form, bool list, const char *want)
{
	CLEANUP(mem_freep) char *text = print(form, list);

	assert_string_equal(text, want);
}

static void test_forms(void **state)
{
	(void)state;
	check("name", false, "pod/a\n");
	check("name", true, "pod/a\npod/b\n");
	check("yaml", false, "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    b: \"2\"\n    z: \"1\"\n  name: a\n");
	check("json", false,
	      "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"Pod\",\n    \"metadata\": {\n        \"labels\": {\n            \"b\": \"2\",\n"
	      "            \"z\": \"1\"\n        },\n        \"name\": \"a\"\n    }\n}\n");
	check("jsonpath={.items[*].metadata.name}", true, "a b");
	check("custom-columns=N:.metadata.name,L:metadata.labels,X:.l", true,
	      "N     L              X\na     map[b:2 z:1]   <none>\nb     <none>         [1 <nil> x]\n");
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "nope", "custom-columns=a", "custom-columns=a:{.b", "jsonpath={.a", "jsonpath-file=/nothing/there" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct output output;
		struct err err = ERR_INIT;
		assert_int_equal(output_parse(bad[i], &output, &err), -1);
		assert_int_not_equal(err.kind, ERR_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
