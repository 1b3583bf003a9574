#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/namespace_status.h"

static void expect(const struct json_object *ns, const char *const *lines, size_t n)
{
	const struct json_object *conditions = json_path(ns, "status", "conditions", NULL);

	assert_int_equal(json_len(conditions), n);
	for (size_t i = 0; i < n; i++) {
		const struct json_object *c = json_at(conditions, i);
		CLEANUP(mem_freep) char *text =
		    mem_printf("%s %s %s: %s", json_str(c, "type"), json_str(c, "status"), json_str(c, "reason"), json_str(c, "message"));
		assert_string_equal(text, lines[i]);
	}
}

static void test_conditions(void **state)
{
	static const char *const remains[] = {
		"NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered",
		"NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed",
		"NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization",
		"NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances, "
		"pods. has 12 resource instances",
		"NamespaceFinalizersRemaining True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: "
		"a.example/x in 2 resource instances",
	};
	static const char *const empty[] = {
		"NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered",
		"NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed",
		"NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization",
		"NamespaceContentRemaining False ContentRemoved: All content successfully removed",
		"NamespaceFinalizersRemaining False ContentHasNoFinalizers: All content-preserving finalizers finished",
	};
	static const char pods_text[] = "{\"metadata\":{\"remainingItemCount\":10},\"items\":[{},{\"metadata\":{\"finalizers\":[\"a.example/x\"]}}]}";
	static const char maps_text[] = "{\"items\":[{\"metadata\":{\"finalizers\":[\"a.example/x\"]}}]}";
	CLEANUP(json_putp) struct json_object *ns = json_object_new_object(), *pods = NULL, *maps = NULL;
	CLEANUP(namespace_content_close) struct namespace_content some, none;

	(void)state;
	namespace_content_init(&some);
	namespace_content_init(&none);
	json_parse(pods_text, strlen(pods_text), &pods, NULL, NULL);
	json_parse(maps_text, strlen(maps_text), &maps, NULL, NULL);
	namespace_content_add(&some, resource_find("", "v1", "pods"), pods);
	namespace_content_add(&some, resource_find("", "v1", "configmaps"), maps);
	assert_false(namespace_content_empty(&some));
	assert_true(namespace_conditions(ns, &some, 0));
	expect(ns, remains, ARRAY_SIZE(remains));
	assert_false(namespace_conditions(ns, &some, 1000000));
	assert_true(namespace_content_empty(&none));
	assert_true(namespace_conditions(ns, &none, 0));
	expect(ns, empty, ARRAY_SIZE(empty));
	namespace_content_fail(&none, "first");
	namespace_content_fail(&none, "second");
	assert_false(namespace_content_empty(&none));
	assert_true(namespace_conditions(ns, &none, 0));
	assert_string_equal(json_str(json_at(json_path(ns, "status", "conditions", NULL), 2), "message"), "first, second");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_conditions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
