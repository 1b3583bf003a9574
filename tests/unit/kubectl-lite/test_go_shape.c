#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/resource.h"
#include "kubectl-lite/go_shape.h"
#include "lib/buf.h"

static void check(const char *api_version, const char *kind, const char *text, const char *want)
{
	struct json_object *obj = NULL;
	struct buf shaped = BUF_INIT;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	obj = go_shape(obj, resource_find_kind(api_version, kind)->def);
	json_write(&shaped, obj);
	assert_string_equal(shaped.data, want);
	buf_close(&shaped);
	json_object_put(obj);
}

static void test_order(void **state)
{
	(void)state;
	check(
	    "v1", "Secret",
	    "{\"type\":\"t\",\"data\":{\"b\":\"\",\"a\":\"\"},\"stringData\":{},\"immutable\":true,"
	    "\"metadata\":{\"labels\":{\"z\":\"1\",\"b\":\"2\"},\"name\":\"n\",\"creationTimestamp\":\"t\"},"
	    "\"apiVersion\":\"v1\",\"kind\":\"Secret\"}",
	    "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\",\"creationTimestamp\":"
	    "\"t\","
	    "\"labels\":{\"b\":\"2\",\"z\":\"1\"}},\"immutable\":true,\"data\":{\"a\":\"\",\"b\":\"\"},"
	    "\"stringData\":{},\"type\":\"t\"}");
	check("v1", "Pod",
	      "{\"spec\":{\"containers\":[{\"resources\":{},\"env\":[],\"envFrom\":[],\"ports\":[],\"image\":"
	      "\"i\","
	      "\"name\":\"n\",\"odd\":1}],\"initContainers\":[]}}",
	      "{\"spec\":{\"initContainers\":[],\"containers\":[{\"name\":\"n\",\"image\":\"i\",\"ports\":[],"
	      "\"envFrom\":[],\"env\":[],\"resources\":{},\"odd\":1}]},\"status\":{}}");
}

/* Templates have a creation time too: none. */
static void test_always(void **state)
{
	(void)state;
	check("apps/v1", "Deployment",
	      "{\"metadata\":{\"labels\":{},\"name\":\"n\"},\"spec\":{\"template\":{\"metadata\":{}}}}",
	      "{\"metadata\":{\"name\":\"n\",\"creationTimestamp\":null,\"labels\":{}},"
	      "\"spec\":{\"template\":{\"metadata\":{\"creationTimestamp\":null}},\"strategy\":{}},"
	      "\"status\":{}}");
	check("v1", "Service", "{\"spec\":{\"ports\":[{\"port\":80}]},\"status\":{\"x\":1}}",
	      "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":0}]},\"status\":{\"x\":1}}");
}

static void test_quantities(void **state)
{
	(void)state;
	check("v1", "ResourceQuota",
	      "{\"spec\":{\"hard\":{\"pods\":1,\"cpu\":\"1000m\",\"memory\":\"odd\"}}}",
	      "{\"spec\":{\"hard\":{\"cpu\":\"1\",\"memory\":\"odd\",\"pods\":\"1\"}},\"status\":{}}");
}

/* What does not have the form of its field is left as it is. */
static void test_wrong_forms(void **state)
{
	(void)state;
	check("v1", "Pod", "{\"metadata\":1,\"spec\":{\"containers\":{},\"nodeSelector\":[]}}",
	      "{\"metadata\":1,\"spec\":{\"containers\":{},\"nodeSelector\":[]},\"status\":{}}");
	check("v1", "Pod", "[]", "[]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_always),
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_wrong_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
