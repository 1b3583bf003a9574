#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/quota.h"
#include "lib/mem.h"

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

static const struct {
	const char *plural, *group, *version, *object, *usage;
} usages[] = {
	{ "configmaps", "", "v1", "{}", "configmaps=1,count/configmaps=1" },
	{ "deployments", "apps", "v1", "{}", "count/deployments.apps=1" },
	{ "pods", "", "v1",
	  "{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\",\"example.com/gpu\":\"2\"},\"limits\":{\"memory\":\"1Gi\"}}},"
	  "{\"resources\":{\"requests\":{\"cpu\":\"500m\"}}}]}}",
	  "count/pods=1,cpu=1500m,limits.memory=1Gi,pods=1,requests.cpu=1500m,requests.example.com/gpu=2" },
	/* One that is over uses nothing but its place. */
	{ "pods", "", "v1", "{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]},\"status\":{\"phase\":\"Failed\"}}", "count/pods=1" },
	{ "services", "", "v1", "{\"spec\":{\"type\":\"NodePort\",\"ports\":[{},{}]}}",
	  "count/services=1,services=1,services.loadbalancers=0,services.nodeports=2" },
	{ "services", "", "v1", "{\"spec\":{\"type\":\"LoadBalancer\",\"allocateLoadBalancerNodePorts\":false,\"ports\":[{}]}}",
	  "count/services=1,services=1,services.loadbalancers=1,services.nodeports=0" },
};

static void test_usage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(usages); i++) {
		CLEANUP(json_putp) struct json_object *obj = parse(usages[i].object);
		CLEANUP(json_putp) struct json_object *usage =
		    quota_usage(resource_find(usages[i].group, usages[i].version, usages[i].plural), obj);
		CLEANUP(buf_close) struct buf text = BUF_INIT;

		quota_write(&text, usage, NULL);
		assert_string_equal(text.data, usages[i].usage);
	}
}

static void test_counts(void **state)
{
	const struct resource *pods = resource_find("", "v1", "pods"), *deployments = resource_find("apps", "v1", "deployments");

	(void)state;
	assert_true(quota_counts("pods", pods));
	assert_true(quota_counts("requests.cpu", pods));
	assert_true(quota_counts("hugepages-2Mi", pods));
	assert_true(quota_counts("count/pods", pods));
	assert_false(quota_counts("requests.storage", pods));
	assert_false(quota_counts("services.nodeports", pods));
	assert_true(quota_counts("count/deployments.apps", deployments));
	assert_false(quota_counts("count/deployments", deployments));
}

#define CLASS(operator_, values) \
	"{\"spec\":{\"scopeSelector\":{\"matchExpressions\":[{\"scopeName\":\"PriorityClass\",\"operator\":\"" operator_ "\",\"values\":[" values "]}]}}}"

static const struct {
	const char *quota, *pod;
	bool in;
} scopes[] = {
	{ "{\"spec\":{}}", "{}", true },
	{ "{\"spec\":{\"scopes\":[\"BestEffort\"]}}", "{\"status\":{\"qosClass\":\"BestEffort\"}}", true },
	{ "{\"spec\":{\"scopes\":[\"NotBestEffort\"]}}", "{\"status\":{\"qosClass\":\"BestEffort\"}}", false },
	{ "{\"spec\":{\"scopes\":[\"Terminating\"]}}", "{\"spec\":{\"activeDeadlineSeconds\":5}}", true },
	{ "{\"spec\":{\"scopes\":[\"Terminating\",\"BestEffort\"]}}", "{\"spec\":{\"activeDeadlineSeconds\":5}}", false },
	{ CLASS("In", "\"high\",\"low\""), "{\"spec\":{\"priorityClassName\":\"low\"}}", true },
	{ CLASS("In", "\"high\""), "{\"spec\":{}}", false },
	{ CLASS("NotIn", "\"high\""), "{\"spec\":{}}", true },
	{ CLASS("Exists", ""), "{\"spec\":{\"priorityClassName\":\"low\"}}", true },
	{ CLASS("DoesNotExist", ""), "{\"spec\":{\"priorityClassName\":\"low\"}}", false },
};

static void test_scopes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		CLEANUP(json_putp) struct json_object *quota = parse(scopes[i].quota), *pod = parse(scopes[i].pod);

		assert_int_equal(quota_in_scope(quota, resource_find("", "v1", "pods"), pod), scopes[i].in);
	}
	/* A quota with scopes is about pods. */
	CLEANUP(json_putp) struct json_object *quota = parse(scopes[1].quota), *obj = parse("{}");
	assert_false(quota_in_scope(quota, resource_find("", "v1", "services"), obj));
}

static void test_specified(void **state)
{
	CLEANUP(json_putp)
	struct json_object *hard = parse("{\"requests.cpu\":\"1\",\"limits.memory\":\"1Gi\",\"pods\":\"3\"}"),
			   *pod = parse("{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\",\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}}"),
			   *fine = parse("{\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{\"requests\":{\"cpu\":\"1\"},\"limits\":{\"memory\":\"1\"}}}]}}");
	CLEANUP(buf_close) struct buf missing = BUF_INIT;

	(void)state;
	assert_false(quota_specified(hard, pod, &missing));
	assert_string_equal(missing.data, "must specify limits.memory for: a,b; requests.cpu for: a");
	buf_reset(&missing);
	assert_true(quota_specified(hard, fine, &missing));
}

static void test_lists(void **state)
{
	CLEANUP(json_putp)
	struct json_object *list = parse("{\"cpu\":\"500m\"}"), *more = parse("{\"cpu\":\"1\",\"memory\":\"1Gi\",\"pods\":\"1\"}"),
			   *mask = parse("{\"cpu\":\"9\",\"memory\":\"9\"}");
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	(void)state;
	quota_add(list, more, 1, mask);
	quota_write(&text, list, NULL);
	assert_string_equal(text.data, "cpu=1500m,memory=1Gi");
	quota_add(list, more, -1, mask);
	buf_reset(&text);
	quota_write(&text, list, mask);
	assert_string_equal(text.data, "cpu=500m,memory=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage),	  cmocka_unit_test(test_counts), cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_specified), cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
