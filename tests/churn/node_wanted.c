#include "tests/churn/node_wanted.h"

#include <string.h>

#include "tests/churn/object.h"

#define PROBE(kind_)                                                                                         \
	"\"" kind_                                                                                           \
	"Probe\":{\"httpGet\":{\"path\":\"/ping\",\"port\":8080},\"periodSeconds\":1,\"timeoutSeconds\":30," \
	"\"failureThreshold\":30}"

/* Probes have all the time of the world: a slow machine must not look like a restart. */
static void web_container(int version, struct buf *ret)
{
	buf_printf(
	    ret,
	    "{\"name\":\"web\",\"image\":\"market-data:v%d\",\"imagePullPolicy\":\"IfNotPresent\"," PROBE(
		"readiness") "," PROBE("liveness") "}",
	    version);
}

static const char sleeper[] =
    "{\"name\":\"sleeper\",\"image\":\"busybox:v1\",\"imagePullPolicy\":\"IfNotPresent\","
    "\"command\":[\"/bin/sleep\",\"100000\"]}";

void node_web_body(const struct node_web *web, struct buf *ret)
{
	buf_printf(ret,
		   "{\"apiVersion\":\"apps/"
		   "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"%s\"},\"spec\":{\"replicas\":%d,"
		   "\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},\"template\":{\"metadata\":{\"labels\":{"
		   "\"app\":\"%s\"}},\"spec\":{"
		   "\"terminationGracePeriodSeconds\":1,\"containers\":[",
		   web->name, web->replicas, web->name, web->name);
	web_container(web->version, ret);
	buf_str(ret, "]}}}}");
}

void node_pod_body(const struct node_pod *pod, struct buf *ret)
{
	static const char *const policies[] = { "", "Always", "OnFailure", "Never" };

	buf_printf(ret,
		   "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"labels\":{"
		   "\"kind\":\"%d\"}},\"spec\":{"
		   "\"terminationGracePeriodSeconds\":1,\"restartPolicy\":\"%s\",",
		   pod->name, (int)pod->kind, policies[pod->kind]);
	if (pod->kind == NODE_POD_RUNS) {
		buf_str(
		    ret,
		    "\"volumes\":[{\"name\":\"tmp\",\"emptyDir\":{\"medium\":\"Memory\"}}],"
		    "\"initContainers\":[{\"name\":"
		    "\"first\",\"image\":\"busybox:v1\",\"imagePullPolicy\":\"IfNotPresent\",\"command\":[\"/"
		    "bin/sh\",\"-c\","
		    "\"sleep "
		    "0.3\"],\"volumeMounts\":[{\"name\":\"tmp\",\"mountPath\":\"/tmp\"}]}],\"containers\":[");
		web_container(1, ret);
		buf_printf(ret, ",%s]}}", sleeper);
	} else if (pod->kind == NODE_POD_COMPLETES) {
		buf_str(ret, "\"containers\":[{\"name\":\"job\",\"image\":\"busybox:v1\",\"imagePullPolicy\":"
			     "\"IfNotPresent\","
			     "\"command\":[\"/bin/sleep\",\"2\"]}]}}");
	} else {
		buf_printf(ret, "\"containers\":[%s]}}", sleeper);
	}
}

void node_expected_close(struct node_expected *expected)
{
	names_close(&expected->pods);
	names_close(&expected->live);
	names_close(&expected->containers);
}

static bool no(struct buf *why, const char *format, ...) PRINTF_LIKE(2, 3);
static bool no(struct buf *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(why, format, ap);
	va_end(ap);
	return false;
}

/* Adds what runs of POD; false when one of its containers does not. */
static bool add_running(const struct json_object *pod, struct node_expected *ret, struct buf *why)
{
	const struct json_object *list = json_path(pod, "status", "containerStatuses", NULL);

	if (json_len(list) != json_len(json_path(pod, "spec", "containers", NULL)))
		return no(why, "pod %s (%s) shows %zu containers", object_name(pod), object_phase(pod),
			  json_len(list));
	for (size_t i = 0; i < json_len(list); i++) {
		const char *id = strstr(json_str_or_empty(json_at(list, i), "containerID"), "://");
		if (!json_path(json_at(list, i), "state", "running", NULL) ||
		    !json_boolean(json_at(list, i), "ready", false) || !id)
			return no(why, "container %s of pod %s does not run or is not ready",
				  json_str_or_empty(json_at(list, i), "name"), object_name(pod));
		names_add(&ret->containers, id + 3, strlen(id + 3));
	}
	return true;
}

static bool pod_shown(const struct json_object *pod, enum node_pod_kind kind, const struct node_rules *rules,
		      struct node_expected *ret, struct buf *why)
{
	const char *uid = object_uid(pod), *phase = object_phase(pod);

	if (object_terminating(pod))
		return no(why, "pod %s is still terminating", object_name(pod));
	names_add(&ret->pods, uid, strlen(uid));
	if (kind == NODE_POD_COMPLETES)
		return strcmp(phase, "Succeeded") == 0 || no(why, "pod %s is %s", object_name(pod), phase);
	if (kind == NODE_POD_NEVER && node_rules_hits(rules, uid, "sleeper") > 0)
		return strcmp(phase, "Failed") == 0 ||
		       no(why, "pod %s was hit and is %s", object_name(pod), phase);
	names_add(&ret->live, uid, strlen(uid));
	return add_running(pod, ret, why) && node_rules_restarts_right(rules, pod, why);
}

static const struct json_object *find(const struct json_object *list, const char *name)
{
	const struct json_object *items = json_get(list, "items");

	for (size_t i = 0; i < json_len(items); i++)
		if (strcmp(object_name(json_at(items, i)), name) == 0)
			return json_at(items, i);
	return NULL;
}

static bool web_shown(const struct node_web *web, const struct node_rules *rules,
		      const struct json_object *deployments, const struct json_object *pods,
		      struct node_expected *ret, struct buf *why)
{
	static const char *const fields[] = { "replicas", "updatedReplicas", "readyReplicas",
					      "availableReplicas" };
	const struct json_object *d = find(deployments, web->name), *items = json_get(pods, "items");
	CLEANUP(mem_freep) char *image = mem_printf("market-data:v%d", web->version);
	int n = 0;

	if (!d)
		return no(why, "deployment %s does not exist", web->name);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (json_int(json_get(d, "status"), fields[i], 0) != web->replicas)
			return no(why, "deployment %s: status.%s is not %d", web->name, fields[i],
				  web->replicas);
	if (json_int(json_get(d, "status"), "observedGeneration", 0) !=
	    json_int(json_get(d, "metadata"), "generation", 0))
		return no(why, "deployment %s: its newest spec was not observed", web->name);
	for (size_t i = 0; i < json_len(items); i++) {
		const struct json_object *pod = json_at(items, i);
		if (strcmp(json_str_or_empty(json_path(pod, "metadata", "labels", NULL), "app"), web->name) !=
		    0)
			continue;
		n++;
		if (!pod_shown(pod, NODE_POD_RUNS, rules, ret, why))
			return false;
		if (strcmp(json_str_or_empty(json_at(json_path(pod, "spec", "containers", NULL), 0), "image"),
			   image) != 0)
			return no(why, "pod %s is not of %s", object_name(pod), image);
	}
	return n == web->replicas ||
	       no(why, "deployment %s has %d pods, not %d", web->name, n, web->replicas);
}

bool node_wanted_shown(const struct node_wanted *wanted, const struct node_rules *rules,
		       const struct json_object *deployments, const struct json_object *pods,
		       struct node_expected *ret, struct buf *why)
{
	for (size_t i = 0; i < NODE_WEBS; i++)
		if (wanted->webs[i].exists &&
		    !web_shown(&wanted->webs[i], rules, deployments, pods, ret, why))
			return false;
	for (size_t i = 0; i < NODE_PODS; i++) {
		const struct node_pod *want = &wanted->pods[i];
		const struct json_object *pod = want->kind ? find(pods, want->name) : NULL;
		if (want->kind && !pod)
			return no(why, "pod %s does not exist", want->name);
		if (pod && !pod_shown(pod, want->kind, rules, ret, why))
			return false;
	}
	return ret->pods.n == json_len(json_get(pods, "items")) ||
	       no(why, "there are %zu pods, %zu are wanted", json_len(json_get(pods, "items")), ret->pods.n);
}
