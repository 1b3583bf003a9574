/* How a pod prints: the one word of STATUS out of phase, conditions and container states, in the order of
 * precedence of Kubernetes' printers.
 */
#include <string.h>

#include "api/kinds/cells.h"
#include "api/kinds/pod.h"
#include "api/kinds/pod_spec.h"
#include "lib/timefmt.h"

const struct kind_column pod_columns[POD_COLUMNS] = {
	CELL_COLUMN_NAME,
	{ "Ready", "string", "", "How many of its containers are ready.", 0 },
	{ "Status", "string", "", "State of the pod as a whole.", 0 },
	{ "Restarts", "string", "", "How often its containers were restarted, and when last.", 0 },
	CELL_COLUMN_AGE,
	{ "IP", "string", "", "Address of the pod.", 1 },
	{ "Node", "string", "", "Node it runs on.", 1 },
	{ "Nominated Node", "string", "", "Node where other pods are being removed to make room for it.", 1 },
	{ "Readiness Gates", "string", "", "How many of its readiness gates are true.", 1 },
};

const char *const pod_cell_fields[] = {
	"metadata.name",
	"metadata.creationTimestamp",
	"metadata.deletionTimestamp",
	"spec.nodeName",
	"spec.readinessGates",
	"spec.containers.name",
	"spec.initContainers.name",
	"spec.initContainers.restartPolicy",
	"status.phase",
	"status.reason",
	"status.podIPs",
	"status.nominatedNodeName",
	"status.conditions.type",
	"status.conditions.status",
	"status.conditions.reason",
	"status.containerStatuses.name",
	"status.containerStatuses.ready",
	"status.containerStatuses.restartCount",
	"status.containerStatuses.state",
	"status.containerStatuses.lastState.terminated",
	"status.initContainerStatuses.name",
	"status.initContainerStatuses.ready",
	"status.initContainerStatuses.started",
	"status.initContainerStatuses.restartCount",
	"status.initContainerStatuses.state",
	"status.initContainerStatuses.lastState.terminated",
	NULL,
};

struct summary {
	struct buf reason;
	int64_t restarts;
	int64_t last_restart_us; /* 0: never */
	size_t ready, total;
};

static const struct json_object *find_named(const struct json_object *list, const char *key, const char *name)
{
	for (size_t i = 0; i < json_len(list); i++)
		if (strcmp(json_str_or_empty(json_at(list, i), key), name) == 0)
			return json_at(list, i);
	return NULL;
}

static bool condition_true(const struct json_object *status, const char *type)
{
	const struct json_object *condition = find_named(json_get(status, "conditions"), "type", type);

	return strcmp(json_str_or_empty(condition, "status"), "True") == 0;
}

static void set_reason(struct summary *s, const char *prefix, const char *reason)
{
	buf_reset(&s->reason);
	buf_printf(&s->reason, "%s%s", prefix, reason);
}

/* "Error", else "Signal:9", else "ExitCode:1". */
static void set_terminated_reason(struct summary *s, const char *prefix, const struct json_object *terminated)
{
	const char *reason = json_str_or_empty(terminated, "reason");
	int64_t signal = json_int(terminated, "signal", 0);

	set_reason(s, prefix, reason);
	if (*reason)
		return;
	if (signal != 0)
		buf_printf(&s->reason, "Signal:%lld", (long long)signal);
	else
		buf_printf(&s->reason, "ExitCode:%lld", (long long)json_int(terminated, "exitCode", 0));
}

static void count_restarts(const struct json_object *container, int64_t *restarts, int64_t *last_us)
{
	const char *finished = json_str(json_path(container, "lastState", "terminated", NULL), "finishedAt");
	int64_t at_us;

	*restarts += json_int(container, "restartCount", 0);
	if (finished && time_parse(finished, &at_us) && at_us > *last_us)
		*last_us = at_us;
}

/* Goes through the init containers up to the one that is not through. True while the pod is initializing.
 * Sidecars count into SIDECARS too: their restarts stay in sight when the main containers run. */
static bool sum_up_init(struct summary *s, const struct json_object *obj, struct summary *sidecars)
{
	const struct json_object *spec_list = json_path(obj, "spec", "initContainers", NULL);
	const struct json_object *statuses = json_path(obj, "status", "initContainerStatuses", NULL);

	for (size_t i = 0; i < json_len(statuses); i++) {
		const struct json_object *c = json_at(statuses, i), *state = json_get(c, "state");
		const struct json_object *terminated = json_get(state, "terminated");
		const char *waiting = json_str_or_empty(json_get(state, "waiting"), "reason");
		bool sidecar =
		    pod_spec_is_sidecar(find_named(spec_list, "name", json_str_or_empty(c, "name")));

		count_restarts(c, &s->restarts, &s->last_restart_us);
		if (sidecar)
			count_restarts(c, &sidecars->restarts, &sidecars->last_restart_us);
		if (terminated && json_int(terminated, "exitCode", 0) == 0)
			continue;
		if (sidecar && json_boolean(c, "started", false)) {
			s->ready += json_boolean(c, "ready", false);
			continue;
		}
		if (terminated) {
			set_terminated_reason(s, "Init:", terminated);
		} else if (*waiting && strcmp(waiting, "PodInitializing") != 0) {
			set_reason(s, "Init:", waiting);
		} else {
			buf_reset(&s->reason);
			buf_printf(&s->reason, "Init:%zu/%zu", i, json_len(spec_list));
		}
		return true;
	}
	return false;
}

/* From the last to the first, so that the first container with something to say has the last word. */
static void sum_up_main(struct summary *s, const struct json_object *status)
{
	const struct json_object *statuses = json_get(status, "containerStatuses");
	bool has_running = false;

	for (size_t i = json_len(statuses); i-- > 0;) {
		const struct json_object *c = json_at(statuses, i), *state = json_get(c, "state");
		const struct json_object *terminated = json_get(state, "terminated");
		const char *waiting = json_str_or_empty(json_get(state, "waiting"), "reason");

		count_restarts(c, &s->restarts, &s->last_restart_us);
		if (*waiting) {
			set_reason(s, "", waiting);
		} else if (terminated) {
			set_terminated_reason(s, "", terminated);
		} else if (json_boolean(c, "ready", false) && json_get(state, "running")) {
			has_running = true;
			s->ready++;
		}
	}
	/* One container is done, another runs on. */
	if (has_running && s->reason.data && strcmp(s->reason.data, "Completed") == 0)
		set_reason(s, "", condition_true(status, "Ready") ? "Running" : "NotReady");
}

static void sum_up(struct summary *s, const struct json_object *obj)
{
	const struct json_object *status = json_get(obj, "status"),
				 *conditions = json_get(status, "conditions");
	const struct json_object *init = json_path(obj, "spec", "initContainers", NULL);
	const struct json_object *scheduled = find_named(conditions, "type", "PodScheduled");
	const char *phase = json_str_or_empty(status, "phase"), *reason = json_str_or_empty(status, "reason");
	bool deleting = json_path(obj, "metadata", "deletionTimestamp", NULL) != NULL;
	struct summary sidecars = { .restarts = 0 };

	s->total = json_len(json_path(obj, "spec", "containers", NULL));
	for (size_t i = 0; i < json_len(init); i++)
		s->total += pod_spec_is_sidecar(json_at(init, i));
	set_reason(s, "", *reason ? reason : phase);
	if (strcmp(json_str_or_empty(scheduled, "reason"), "SchedulingGated") == 0)
		set_reason(s, "", "SchedulingGated");
	if (!sum_up_init(s, obj, &sidecars) || condition_true(status, "Initialized")) {
		s->restarts = sidecars.restarts;
		s->last_restart_us = sidecars.last_restart_us;
		sum_up_main(s, status);
	}
	if (deleting && strcmp(reason, "NodeLost") == 0)
		set_reason(s, "", "Unknown");
	else if (deleting && strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0)
		set_reason(s, "", "Terminating");
}

static void cell_restarts(struct json_object *cells, const struct summary *s, int64_t now_us)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	char ago[TIMEFMT_SIZE];

	buf_int(&b, s->restarts);
	if (s->restarts != 0 && s->last_restart_us != 0)
		buf_printf(&b, " (%s ago)",
			   time_human_duration((now_us - s->last_restart_us) / 1000000, ago, sizeof(ago)));
	cell_buf(cells, &b);
}

static void cell_readiness_gates(struct json_object *cells, const struct json_object *obj)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const struct json_object *gates = json_path(obj, "spec", "readinessGates", NULL);
	size_t n = json_len(gates), n_true = 0;

	for (size_t i = 0; i < n; i++)
		n_true += condition_true(json_get(obj, "status"),
					 json_str_or_empty(json_at(gates, i), "conditionType"));
	if (n > 0)
		buf_printf(&b, "%zu/%zu", n_true, n);
	cell_str_or(cells, b.data, "<none>");
}

void pod_cells(const struct json_object *obj, int64_t now_us, struct json_object *cells)
{
	const struct json_object *status = json_get(obj, "status");
	struct summary s = { .reason = BUF_INIT };
	CLEANUP(buf_close) struct buf ready = BUF_INIT;

	sum_up(&s, obj);
	buf_printf(&ready, "%zu/%zu", s.ready, s.total);
	cell_name(cells, obj);
	cell_buf(cells, &ready);
	cell_buf(cells, &s.reason);
	cell_restarts(cells, &s, now_us);
	cell_age(cells, obj, now_us);
	cell_str_or(cells, json_str(json_at(json_get(status, "podIPs"), 0), "ip"), "<none>");
	cell_str_or(cells, json_str(json_get(obj, "spec"), "nodeName"), "<none>");
	cell_str_or(cells, json_str(status, "nominatedNodeName"), "<none>");
	cell_readiness_gates(cells, obj);
	buf_close(&s.reason);
}
