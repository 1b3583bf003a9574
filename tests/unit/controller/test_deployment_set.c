#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/deployment_set.h"

static struct cached_deployment deployment(void)
{
	return (struct cached_deployment){
		.meta = { .item.uid = (char *)"d-uid", .name = (char *)"web", .namespace_ = (char *)"ns" },
		.replicas = 3,
		.min_ready_s = 5,
		.collision_count = -1,
		.selector_json = (char *)"{\"matchLabels\":{\"app\":\"web\"}}",
		.template_json = (char *)"{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[]}}",
		.annotations_json = (char *)"{\"kubernetes.io/change-cause\":\"why\",\"deployment.kubernetes.io/revision\":\"7\","
					    "\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\"}",
	};
}

static void test_body(void **state)
{
	struct cached_deployment d = deployment();
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(mem_freep) char *name = NULL;
	CLEANUP(json_putp) struct json_object *rs = NULL;

	(void)state;
	assert_int_equal(deployment_set_body(&d, 1, 4, 2, &b, &name, NULL), 0);
	assert_int_equal(json_parse(b.data, b.len, &rs, NULL, NULL), 0);
	const struct json_object *metadata = json_get(rs, "metadata"), *annotations = json_get(metadata, "annotations");
	const char *hash = json_str(json_get(metadata, "labels"), "pod-template-hash");
	assert_string_equal(json_str(metadata, "name"), name);
	assert_string_equal(name + strlen("web-"), hash);
	assert_string_equal(json_str(json_path(rs, "spec", "selector", "matchLabels", NULL), "pod-template-hash"), hash);
	assert_string_equal(json_str(json_path(rs, "spec", "template", "metadata", "labels", NULL), "pod-template-hash"), hash);
	assert_string_equal(json_str(annotations, REVISION_ANNOTATION), "2");
	assert_string_equal(json_str(annotations, DESIRED_ANNOTATION), "3");
	assert_string_equal(json_str(annotations, MAX_ANNOTATION), "4");
	assert_string_equal(json_str(annotations, "kubernetes.io/change-cause"), "why");
	assert_null(json_str(annotations, "kubectl.kubernetes.io/last-applied-configuration"));
	assert_int_equal(json_int(json_get(rs, "spec"), "replicas", -1), 1);
	assert_int_equal(json_int(json_get(rs, "spec"), "minReadySeconds", -1), 5);
}

static void test_update_patch(void **state)
{
	struct cached_deployment d = deployment();
	struct cached_replica_set rs = { .meta.item.uid = (char *)"r", .min_ready_s = 5, .revision_text = (char *)"2",
					 .annotations_json = (char *)"{\"kubernetes.io/change-cause\":\"why\",\"mine\":\"1\"}" };
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	assert_false(deployment_set_update_patch(&d, &rs, 2, &b));
	/* Rolled back to: the revisions it had are remembered. */
	buf_reset(&b);
	rs.revision_history = (char *)"1";
	assert_true(deployment_set_update_patch(&d, &rs, 4, &b));
	assert_string_equal(b.data, "{\"metadata\":{\"uid\":\"r\",\"annotations\":{\"" REVISION_ANNOTATION "\":\"4\",\"" REVISION_HISTORY_ANNOTATION
				    "\":\"1,2\"}}}");
	buf_reset(&b);
	rs.min_ready_s = 0;
	rs.annotations_json = NULL;
	assert_true(deployment_set_update_patch(&d, &rs, 2, &b));
	assert_string_equal(b.data, "{\"metadata\":{\"uid\":\"r\",\"annotations\":{\"kubernetes.io/change-cause\":\"why\"}},\"spec\":{\"minReadySeconds\":5}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_body), cmocka_unit_test(test_update_patch) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
