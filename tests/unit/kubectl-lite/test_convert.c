#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/convert.h"
#include "lib/mem.h"

#define TEMPLATE "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}"

/* From, to (sorted), and what is noted. */
static const struct {
	const char *from, *to, *notes;
} cases[] = {
	{ "{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"Deployment\",\"spec\":{\"rollbackTo\":{\"revision\":1}," TEMPLATE "}}",
	  "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}}," TEMPLATE "}}",
	  "spec.selector: set to the template's labels, {\"a\":\"b\"}\nspec.rollbackTo: left out, a rollback is asked for by `rollout undo`\n" },
	{ "{\"apiVersion\":\"apps/v1beta2\",\"kind\":\"Deployment\",\"spec\":{\"selector\":{\"matchLabels\":{\"x\":\"y\"}}," TEMPLATE "}}",
	  "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"spec\":{\"selector\":{\"matchLabels\":{\"x\":\"y\"}}," TEMPLATE "}}", "" },
	{ "{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"ReplicaSet\",\"spec\":{\"template\":{}}}",
	  "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"spec\":{\"template\":{}}}",
	  "spec.selector: must be given, and the template has no labels to take it from\n" },
	{ "{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"DaemonSet\",\"spec\":{\"selector\":{},\"templateGeneration\":3}}",
	  "{\"apiVersion\":\"apps/v1\",\"kind\":\"DaemonSet\",\"spec\":{\"selector\":{},\"updateStrategy\":{\"type\":\"OnDelete\"}}}",
	  "spec.templateGeneration: left out, nothing reads it any more\n"
	  "spec.updateStrategy.type: set to OnDelete, which was the default then; today it is RollingUpdate\n" },
	{ "{\"apiVersion\":\"batch/v1beta1\",\"kind\":\"CronJob\",\"spec\":{}}", "{\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\",\"spec\":{}}", "" },
	{ "{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"Ingress\",\"spec\":{\"backend\":{\"serviceName\":\"d\",\"servicePort\":80},"
	  "\"rules\":[{\"http\":{\"paths\":[{\"path\":\"/\",\"backend\":{\"serviceName\":\"w\",\"servicePort\":\"http\"}}]}}]}}",
	  "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"spec\":{\"defaultBackend\":{\"service\":{\"name\":\"d\",\"port\":{\"number\":80}}},"
	  "\"rules\":[{\"http\":{\"paths\":[{\"backend\":{\"service\":{\"name\":\"w\",\"port\":{\"name\":\"http\"}}},\"path\":\"/\",\"pathType\":\"ImplementationSpecific\"}]}}]}}",
	  "spec.backend: is called spec.defaultBackend\n"
	  "spec.rules[0].http.paths[0].backend: serviceName and servicePort became service\n"
	  "spec.rules[0].http.paths[0].pathType: set to ImplementationSpecific, which was the default\n" },
	{ "{\"apiVersion\":\"policy/v1beta1\",\"kind\":\"PodDisruptionBudget\",\"spec\":{\"minAvailable\":1,\"selector\":{}}}",
	  "{\"apiVersion\":\"policy/v1\",\"kind\":\"PodDisruptionBudget\",\"spec\":{\"minAvailable\":1}}",
	  "spec.selector: left out, for the empty one chose no pod then, and would choose every pod today\n" },
	{ "{\"apiVersion\":\"autoscaling/v2beta1\",\"kind\":\"HorizontalPodAutoscaler\",\"spec\":{\"metrics\":["
	  "{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"targetAverageUtilization\":80}},"
	  "{\"type\":\"Object\",\"object\":{\"metricName\":\"m\",\"target\":{\"kind\":\"Service\",\"name\":\"s\"},\"targetValue\":\"10\"}}]}}",
	  "{\"apiVersion\":\"autoscaling/v2\",\"kind\":\"HorizontalPodAutoscaler\",\"spec\":{\"metrics\":["
	  "{\"resource\":{\"name\":\"cpu\",\"target\":{\"averageUtilization\":80,\"type\":\"Utilization\"}},\"type\":\"Resource\"},"
	  "{\"object\":{\"describedObject\":{\"kind\":\"Service\",\"name\":\"s\"},\"metric\":{\"name\":\"m\"},\"target\":{\"type\":\"Value\",\"value\":\"10\"}},\"type\":\"Object\"}]}}",
	  "spec.metrics[0]: what is aimed at became its target\nspec.metrics[1]: what is aimed at became its target\n" },
	{ "{\"apiVersion\":\"apiextensions.k8s.io/v1beta1\",\"kind\":\"CustomResourceDefinition\",\"spec\":{\"version\":\"v1\",\"scope\":\"Cluster\","
	  "\"additionalPrinterColumns\":[{\"name\":\"N\",\"JSONPath\":\".spec.n\"}]}}",
	  "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\",\"spec\":{\"scope\":\"Cluster\",\"versions\":["
	  "{\"additionalPrinterColumns\":[{\"jsonPath\":\".spec.n\",\"name\":\"N\"}],\"name\":\"v1\","
	  "\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}},\"served\":true,\"storage\":true}]}}",
	  "spec.version: is in the list spec.versions\nspec.versions[v1].schema: keeps fields it does not know, as was the default\n"
	  "spec.additionalPrinterColumns: is said for each version\n" },
	/* Things that are no such objects are the server's to refuse. */
	{ "{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"Ingress\",\"spec\":\"no\"}",
	  "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"spec\":\"no\"}", "" },
	{ "{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"Ingress\",\"spec\":{\"backend\":3,\"rules\":[1,{\"http\":{\"paths\":[2]}}]}}",
	  "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"spec\":{\"defaultBackend\":3,\"rules\":[1,{\"http\":{\"paths\":[2]}}]}}",
	  "spec.backend: is called spec.defaultBackend\n" },
	{ "{\"apiVersion\":\"autoscaling/v2beta1\",\"kind\":\"HorizontalPodAutoscaler\",\"spec\":{\"metrics\":[{\"resource\":[1]}]}}",
	  "{\"apiVersion\":\"autoscaling/v2\",\"kind\":\"HorizontalPodAutoscaler\",\"spec\":{\"metrics\":[{\"resource\":[1]}]}}",
	  "spec.metrics[0]: what is aimed at became its target\n" },
};

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

static void test_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *obj = parse(cases[i].from), *wanted = parse(cases[i].to);
		CLEANUP(buf_close) struct buf notes = BUF_INIT, text = BUF_INIT, wanted_text = BUF_INIT;

		assert_true(convert_object(obj, &notes));
		json_write_sorted(&text, obj);
		json_write_sorted(&wanted_text, wanted);
		assert_string_equal(text.data, wanted_text.data);
		assert_string_equal(notes.data ? notes.data : "", cases[i].notes);
		/* What has been converted needs it no more. */
		assert_false(convert_object(obj, &notes));
	}
}

static void test_bare_probes(void **state)
{
	CLEANUP(json_putp)
	struct json_object *obj = parse("{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"livenessProbe\":{\"periodSeconds\":3},"
					"\"readinessProbe\":{\"httpGet\":{\"port\":80}}}]}}}}");
	CLEANUP(buf_close) struct buf notes = BUF_INIT;

	(void)state;
	convert_find_bare_probes(obj, &notes);
	assert_string_equal(notes.data, "spec.template.spec.containers[web].livenessProbe: says nothing that could be probed; it needs one of exec, "
					"grpc, httpGet and tcpSocket\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_bare_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
