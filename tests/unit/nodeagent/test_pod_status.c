#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/timefmt.h"
#include "nodeagent/pod_status.h"

/* Each container is one letter: w waiting for the first time, b waiting after an end (back-off), R running and ready,
 * r running and not ready, s running and not started, 0 ended well, 1 ended badly. Init containers are named i..., sidecars
 * s..., ephemeral ones e..., the others c.... */
struct situation {
	const char *what, *policy;
	const char *kinds, *states;
	bool sandbox, ending, ended;
	const char *reason;          /* the agent's own */
	const char *before;          /* phase shown before */
	const char *phase;
	const char *conditions;      /* of status and reason: sandbox Initialized Ready ContainersReady */
	const char *message;         /* of Ready, or NULL */
};

static const struct situation situations[] = {
	{ "new", "Always", "c", "w", false, false, false, NULL, NULL,
	  "Pending", "F T F:ContainersNotReady F:ContainersNotReady", "containers with unready status: [c0]" },
	{ "new with init", "Always", "iic", "www", false, false, false, NULL, NULL,
	  "Pending", "F F:ContainersNotInitialized F:ContainersNotReady F:ContainersNotReady",
	  "containers with unready status: [c2]" },
	{ "runs", "Always", "c", "R", true, false, false, NULL, "Pending", "Running", "T T T T", NULL },
	{ "not ready", "Always", "c", "r", true, false, false, NULL, "Pending",
	  "Running", "T T F:ContainersNotReady F:ContainersNotReady", "containers with unready status: [c0]" },
	{ "one of two waits", "Always", "cc", "Rw", true, false, false, NULL, "Pending",
	  "Pending", "T T F:ContainersNotReady F:ContainersNotReady", "containers with unready status: [c1]" },
	{ "crashed, to be restarted", "Always", "c", "1", true, false, false, NULL, "Running",
	  "Running", "T T F:ContainersNotReady F:ContainersNotReady", NULL },
	{ "ended well, to be restarted", "Always", "c", "0", true, false, false, NULL, "Running",
	  "Running", "T T F:ContainersNotReady F:ContainersNotReady", NULL },
	{ "back-off", "Always", "c", "b", true, false, false, NULL, "Running",
	  "Running", "T T F:ContainersNotReady F:ContainersNotReady", NULL },
	{ "one of two in back-off", "Always", "cc", "Rb", true, false, false, NULL, "Running",
	  "Running", "T T F:ContainersNotReady F:ContainersNotReady", "containers with unready status: [c1]" },
	{ "completed, still being taken down", "Never", "c", "0", true, false, false, NULL, "Running",
	  "Running", "T T:PodCompleted F:PodCompleted F:PodCompleted", NULL },
	{ "completed", "Never", "c", "0", false, true, true, NULL, "Running",
	  "Succeeded", "F T:PodCompleted F:PodCompleted F:PodCompleted", NULL },
	{ "failed", "Never", "c", "1", false, true, true, NULL, "Running",
	  "Failed", "F T F:PodFailed F:PodFailed", NULL },
	{ "one of two failed", "Never", "cc", "01", false, true, true, NULL, "Running",
	  "Failed", "F T F:PodFailed F:PodFailed", NULL },
	{ "failed, tried again", "OnFailure", "c", "1", true, false, false, NULL, "Running",
	  "Running", "T T F:ContainersNotReady F:ContainersNotReady", NULL },
	{ "completed on failure policy", "OnFailure", "c", "0", false, true, true, NULL, "Running",
	  "Succeeded", "F T:PodCompleted F:PodCompleted F:PodCompleted", NULL },
	{ "first init runs", "Always", "iic", "Rww", true, false, false, NULL, "Pending",
	  "Pending", "T F:ContainersNotInitialized F:ContainersNotReady F:ContainersNotReady", NULL },
	{ "init done", "Always", "iic", "00w", true, false, false, NULL, "Pending",
	  "Pending", "T T F:ContainersNotReady F:ContainersNotReady", NULL },
	{ "init failed, being taken down", "Never", "ic", "1w", true, false, false, NULL, "Pending",
	  "Pending", "T F:ContainersNotInitialized F:PodFailed F:PodFailed", NULL },
	{ "init failed", "Never", "ic", "1w", false, true, true, NULL, "Pending",
	  "Failed", "F F:ContainersNotInitialized F:PodFailed F:PodFailed", NULL },
	{ "init failed, tried again", "Always", "ic", "bw", true, false, false, NULL, "Pending",
	  "Pending", "T F:ContainersNotInitialized F:ContainersNotReady F:ContainersNotReady", NULL },
	{ "sidecar begins", "Never", "sc", "ww", true, false, false, NULL, "Pending",
	  "Pending", "T F:ContainersNotInitialized F:ContainersNotReady F:ContainersNotReady",
	  "containers with unready status: [s0 c1]" },
	{ "sidecar runs, main to come", "Never", "sc", "Rw", true, false, false, NULL, "Pending",
	  "Pending", "T T F:ContainersNotReady F:ContainersNotReady", "containers with unready status: [c1]" },
	{ "sidecar not started", "Never", "sc", "sw", true, false, false, NULL, "Pending",
	  "Pending", "T F:ContainersNotInitialized F:ContainersNotReady F:ContainersNotReady", NULL },
	{ "sidecar and main run", "Never", "sc", "RR", true, false, false, NULL, "Pending", "Running", "T T T T", NULL },
	{ "main ended, sidecar still runs", "Never", "sc", "R0", true, true, false, NULL, "Running",
	  "Running", "T T F:ContainersNotReady F:ContainersNotReady", "containers with unready status: [c1]" },
	{ "all over, sidecar killed", "Never", "sc", "10", false, true, true, NULL, "Running",
	  "Succeeded", "F T:PodCompleted F:PodCompleted F:PodCompleted", NULL },
	{ "deleted, still runs", "Always", "c", "R", true, true, false, NULL, "Running", "Running", "T T T T", NULL },
	{ "deleted, killed", "Always", "c", "1", false, true, true, NULL, "Running",
	  "Failed", "F T F:PodFailed F:PodFailed", NULL },
	{ "deleted, ended well", "Always", "c", "0", false, true, true, NULL, "Running",
	  "Succeeded", "F T:PodCompleted F:PodCompleted F:PodCompleted", NULL },
	{ "deleted before it ran", "Always", "c", "w", false, true, true, NULL, "Pending",
	  "Failed", "F T F:PodFailed F:PodFailed", NULL },
	{ "past its deadline, still runs", "Always", "c", "R", true, true, false, "DeadlineExceeded", "Running",
	  "Running", "T T F:PodFailed F:PodFailed", NULL },
	{ "looked into", "Always", "ce", "RR", true, false, false, NULL, "Running", "Running", "T T T T", NULL },
	{ "whoever looked is through", "Always", "ce", "R1", true, false, false, NULL, "Running", "Running", "T T T T", NULL },
	{ "whoever is to look waits", "Always", "ce", "Rw", true, false, false, NULL, "Running", "Running", "T T T T", NULL },
	{ "looked into before it began", "Always", "ce", "wR", true, false, false, NULL, "Pending",
	  "Pending", "T T F:ContainersNotReady F:ContainersNotReady", "containers with unready status: [c0]" },
	{ "completed, looked into", "Never", "ce", "01", false, true, true, NULL, "Running",
	  "Succeeded", "F T:PodCompleted F:PodCompleted F:PodCompleted", NULL },
	{ "past its deadline", "Always", "c", "1", false, true, true, "DeadlineExceeded", "Running",
	  "Failed", "F T F:PodFailed F:PodFailed", NULL },
};

static struct termination well = { .set = true, .reason = (char *)"Completed", .container_id = (char *)"runc://a" };
static struct termination badly = { .set = true, .exit_code = 1, .reason = (char *)"Error", .container_id = (char *)"runc://a" };

static struct container_view view_of(char kind, char state, const struct json_object *spec)
{
	struct container_view v = {
		.spec = spec,
		.kind = kind == 'i'   ? CONTAINER_INIT
			: kind == 's' ? CONTAINER_SIDECAR
			: kind == 'e' ? CONTAINER_EPHEMERAL
				      : CONTAINER_APP,
		.container_id = state == 'w' ? NULL : "runc://a",
	};

	switch (state) {
	case 'R':
	case 'r':
	case 's':
		v.shown = SHOWN_RUNNING;
		v.started = state != 's';
		v.ready = state == 'R';
		break;
	case '0':
	case '1':
		v.shown = SHOWN_TERMINATED;
		v.ended = state == '0' ? &well : &badly;
		break;
	case 'b':
		v.last = &badly;
		break;
	default:
		break;
	}
	return v;
}

static const char *list_of(char kind)
{
	return kind == 'c' ? "containers" : kind == 'e' ? "ephemeralContainers" : "initContainers";
}

static struct json_object *pod_of(const struct situation *s)
{
	struct json_object *pod = json_object_new_object(), *spec = json_ensure_object(pod, "spec");

	json_set_int(json_ensure_object(pod, "metadata"), "generation", 3);
	json_set_str(spec, "restartPolicy", s->policy);
	for (size_t i = 0; s->kinds[i]; i++) {
		struct json_object *container = json_object_new_object();
		CLEANUP(mem_freep) char *name = mem_printf("%c%zu", s->kinds[i], i);
		json_set_str(container, "name", name);
		json_set_str(container, "image", "web:1");
		json_object_array_add(json_ensure_array(spec, list_of(s->kinds[i])), container);
	}
	return pod;
}

static struct json_object *build(const struct situation *s, struct json_object *pod, const struct json_object *previous)
{
	struct container_view views[8];
	const struct json_object *spec = json_get(pod, "spec");
	size_t n = strlen(s->kinds), of_list[256] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const char *list = list_of(s->kinds[i]);
		views[i] = view_of(s->kinds[i], s->states[i], json_at(json_get(spec, list), of_list[(unsigned char)list[0]]++));
	}
	const struct pod_view view = {
		.pod = pod, .previous = previous, .containers = views, .n_containers = n, .sandbox_ready = s->sandbox,
		.ending = s->ending, .ended = s->ended, .reason = s->reason, .message = s->reason ? "why" : NULL,
		.address = s->sandbox ? "10.0.0.2" : NULL, .host_address = "192.0.2.1", .start_us = 1000000,
		.now_us = 5000000,
	};
	return pod_status_build(&view);
}

static const struct json_object *condition(const struct json_object *status, size_t i, const char *type)
{
	const struct json_object *c = json_at(json_get(status, "conditions"), i);

	assert_string_equal(json_str(c, "type"), type);
	assert_int_equal(json_int(c, "observedGeneration", 0), 3);
	assert_true(json_object_object_get_ex(c, "lastProbeTime", NULL));
	return c;
}

static void test_situations(void **state)
{
	static const char *const types[] = { "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(situations); i++) {
		const struct situation *s = &situations[i];
		CLEANUP(json_putp) struct json_object *pod = pod_of(s);
		CLEANUP(json_putp) struct json_object *previous = json_object_new_object();
		CLEANUP(buf_close) struct buf conditions = BUF_INIT;
		if (s->before)
			json_set_str(previous, "phase", s->before);
		CLEANUP(json_putp) struct json_object *status = build(s, pod, previous);
		if (strcmp(json_str(status, "phase"), s->phase) != 0)
			fail_msg("%s: phase %s", s->what, json_str(status, "phase"));
		for (size_t c = 0; c < ARRAY_SIZE(types); c++) {
			const struct json_object *obj = condition(status, c, types[c]);
			buf_printf(&conditions, "%s%c%s%s", c ? " " : "", json_str(obj, "status")[0],
				   json_str(obj, "reason") ? ":" : "", json_str_or_empty(obj, "reason"));
			if (c == 2 && s->message && strcmp(json_str_or_empty(obj, "message"), s->message) != 0)
				fail_msg("%s: message %s", s->what, json_str_or_empty(obj, "message"));
		}
		if (strcmp(conditions.data, s->conditions) != 0)
			fail_msg("%s: conditions %s", s->what, conditions.data);
		assert_string_equal(json_str(condition(status, 4, "PodScheduled"), "status"), "True");
		if (s->reason)
			assert_true((json_str(status, "reason") != NULL) == s->ended);
	}
}

/* A condition that stays as it was keeps its time. */
static void test_transition_times(void **state)
{
	const struct situation before = { "", "Always", "c", "r", true, false, false, NULL, NULL, NULL, NULL, NULL };
	const struct situation after = { "", "Always", "c", "R", true, false, false, NULL, NULL, NULL, NULL, NULL };
	CLEANUP(json_putp) struct json_object *pod = pod_of(&before);
	CLEANUP(json_putp) struct json_object *first = build(&before, pod, NULL);
	const struct json_object *list = json_get(first, "conditions");

	(void)state;
	for (size_t i = 0; i < json_len(list); i++)
		json_set_str(json_at(list, i), "lastTransitionTime", "1999-01-01T00:00:00Z");
	CLEANUP(json_putp) struct json_object *second = build(&after, pod, first);
	assert_string_equal(json_str(condition(second, 1, "Initialized"), "lastTransitionTime"), "1999-01-01T00:00:00Z");
	assert_string_equal(json_str(condition(second, 2, "Ready"), "lastTransitionTime"), "1970-01-01T00:00:05Z");
}

static void test_foreign_conditions_and_gates(void **state)
{
	const struct situation runs = { "", "Always", "c", "R", true, false, false, NULL, NULL, NULL, NULL, NULL };
	CLEANUP(json_putp) struct json_object *pod = pod_of(&runs);
	struct json_object *gate = json_object_new_object(), *foreign = json_object_new_object();

	(void)state;
	json_set_str(gate, "conditionType", "example.com/gate");
	json_object_array_add(json_ensure_array(json_get(pod, "spec"), "readinessGates"), gate);
	CLEANUP(json_putp) struct json_object *without = build(&runs, pod, NULL);
	assert_string_equal(json_str(condition(without, 2, "Ready"), "reason"), "ReadinessGatesNotReady");
	assert_string_equal(json_str(condition(without, 3, "ContainersReady"), "status"), "True");
	json_set_str(foreign, "type", "example.com/gate");
	json_set_str(foreign, "status", "True");
	json_object_array_add(json_ensure_array(json_ensure_object(pod, "status"), "conditions"), foreign);
	CLEANUP(json_putp) struct json_object *with = build(&runs, pod, NULL);
	assert_string_equal(json_str(condition(with, 2, "Ready"), "status"), "True");
	assert_string_equal(json_str(json_at(json_get(with, "conditions"), 5), "type"), "example.com/gate");
}

static void test_container_status(void **state)
{
	const struct situation waits = { "", "Always", "c", "w", false, false, false, NULL, NULL, NULL, NULL, NULL };
	const struct situation runs = { "", "Always", "c", "R", true, false, false, NULL, NULL, NULL, NULL, NULL };
	const struct situation lost = { "", "Always", "c", "w", false, true, true, NULL, NULL, NULL, NULL, NULL };
	CLEANUP(json_putp) struct json_object *pod = pod_of(&waits);
	struct json_object *container = json_at(json_path(pod, "spec", "containers", NULL), 0);
	struct json_object *requests = json_ensure_object(json_ensure_object(container, "resources"), "requests");

	(void)state;
	json_set_str(requests, "cpu", "50m");
	CLEANUP(json_putp) struct json_object *a = build(&waits, pod, NULL);
	const struct json_object *c = json_at(json_get(a, "containerStatuses"), 0);
	assert_string_equal(json_str(json_path(c, "state", "waiting", NULL), "reason"), "ContainerCreating");
	assert_null(json_get(c, "containerID"));
	assert_null(json_get(c, "resources"));
	assert_string_equal(json_str(c, "imageID"), "");
	CLEANUP(json_putp) struct json_object *b = build(&runs, pod, NULL);
	c = json_at(json_get(b, "containerStatuses"), 0);
	assert_string_equal(json_str(json_get(c, "allocatedResources"), "cpu"), "50m");
	assert_string_equal(json_str(json_path(c, "resources", "requests", NULL), "cpu"), "50m");
	assert_true(json_boolean(c, "started", false));
	CLEANUP(json_putp) struct json_object *l = build(&lost, pod, NULL);
	c = json_at(json_get(l, "containerStatuses"), 0);
	assert_string_equal(json_str(json_path(c, "state", "terminated", NULL), "reason"), "ContainerStatusUnknown");
}

static void test_ephemeral_status(void **state)
{
	const struct situation looked = { "", "Always", "ce", "RR", true, false, false, NULL, NULL, NULL, NULL, NULL };
	CLEANUP(json_putp) struct json_object *pod = pod_of(&looked), *status = build(&looked, pod, NULL);
	const struct json_object *c = json_at(json_get(status, "ephemeralContainerStatuses"), 0);

	(void)state;
	assert_int_equal(json_len(json_get(status, "containerStatuses")), 1);
	assert_string_equal(json_str(c, "name"), "e1");
	assert_non_null(json_path(c, "state", "running", NULL));
	assert_false(json_boolean(c, "ready", true));
	assert_null(json_get(c, "started"));
}

static void test_qos_class(void **state)
{
	static const struct { const char *spec, *qos; } cases[] = {
		{ "{\"containers\":[{}]}", "BestEffort" },
		{ "{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"0\"}}}]}", "BestEffort" },
		{ "{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}", "Burstable" },
		{ "{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1\"}}}]}", "Burstable" },
		{ "{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}}}]}", "Guaranteed" },
		{ "{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"},\"requests\":{\"cpu\":\"1000m\"}}}]}",
		  "Guaranteed" },
		{ "{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"},\"requests\":{\"cpu\":\"1m\"}}}]}",
		  "Burstable" },
		{ "{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}}},{}]}", "Burstable" },
		{ "{\"initContainers\":[{}],\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}}}]}",
		  "Burstable" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *spec = NULL;
		assert_int_equal(json_parse(cases[i].spec, strlen(cases[i].spec), &spec, NULL, NULL), 0);
		assert_string_equal(pod_status_qos_class(spec), cases[i].qos);
	}
}

static void test_termination_round_trip(void **state)
{
	struct termination t = {
		.set = true, .exit_code = 137, .started_us = 1000000, .finished_us = 2000000, .reason = (char *)"OOMKilled",
		.message = (char *)"bye\n", .container_id = (char *)"runc://x",
	}, back = { 0 };
	CLEANUP(json_putp) struct json_object *json = pod_status_termination_json(&t);

	(void)state;
	pod_status_termination_parse(json, &back);
	assert_true(back.set && back.exit_code == 137 && back.started_us == 1000000 && back.finished_us == 2000000);
	assert_string_equal(back.reason, "OOMKilled");
	assert_string_equal(back.message, "bye\n");
	assert_string_equal(back.container_id, "runc://x");
	pod_status_termination_close(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_situations),
		cmocka_unit_test(test_transition_times),
		cmocka_unit_test(test_foreign_conditions_and_gates),
		cmocka_unit_test(test_container_status),
		cmocka_unit_test(test_ephemeral_status),
		cmocka_unit_test(test_qos_class),
		cmocka_unit_test(test_termination_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
