#include "nodeagent/pod_status.h"

#include <string.h>

#include "lib/quantity.h"
#include "lib/timefmt.h"

/* What the containers' states add up to. */
struct tally {
	size_t init_pending, init_failed, sidecars_pending, sidecars_running;
	size_t waiting, running, stopped, succeeded;
};

void pod_status_termination_close(struct termination *t)
{
	free(t->reason);
	free(t->message);
	free(t->container_id);
	*t = (struct termination){ 0 };
}

static bool has_last(const struct container_view *c)
{
	return c->last && c->last->set;
}

static void tally_init(struct tally *t, const struct container_view *c)
{
	switch (c->shown) {
	case SHOWN_WAITING:
		if (has_last(c) && c->last->exit_code != 0)
			t->init_failed++;
		else
			t->init_pending++;
		break;
	case SHOWN_RUNNING:
		t->init_pending++;
		break;
	case SHOWN_TERMINATED:
		if (c->ended->exit_code != 0)
			t->init_failed++;
		break;
	}
}

static void tally_app(struct tally *t, const struct container_view *c)
{
	switch (c->shown) {
	case SHOWN_WAITING:
		if (has_last(c))
			t->stopped++;
		else
			t->waiting++;
		break;
	case SHOWN_RUNNING:
		t->running++;
		break;
	case SHOWN_TERMINATED:
		t->stopped++;
		if (c->ended->exit_code == 0)
			t->succeeded++;
		break;
	}
}

static struct tally tally(const struct pod_view *view)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < view->n_containers; i++) {
		const struct container_view *c = &view->containers[i];
		if (c->kind == CONTAINER_INIT)
			tally_init(&t, c);
		else if (c->kind == CONTAINER_APP)
			tally_app(&t, c);
		else if (c->kind == CONTAINER_EPHEMERAL)
			continue;
		else if (c->shown == SHOWN_RUNNING && c->started)
			t.sidecars_running++;
		else
			t.sidecars_pending++;
	}
	return t;
}

/* "Pending", "Running", "Succeeded", "Failed": what the containers' states amount to. */
static const char *phase_of(const struct pod_view *view)
{
	const char *policy = json_str_or_empty(json_get(view->pod, "spec"), "restartPolicy");
	struct tally t = tally(view);

	if (view->reason)
		return "Failed";
	if (t.init_failed > 0 && strcmp(policy, "Never") == 0)
		return "Failed";
	if (t.init_pending > 0 || t.init_failed > 0 ||
	    (t.sidecars_pending > 0 && t.running == 0 && t.stopped == 0) || t.waiting > 0)
		return view->ended ? "Failed" : "Pending";
	if (t.running > 0)
		return "Running";
	/* The main containers are through, but the pod is not while its sidecars are. */
	if (t.sidecars_running > 0)
		return "Running";
	if (view->ending || view->ended)
		return t.stopped == t.succeeded ? "Succeeded" : "Failed";
	if (strcmp(policy, "Always") == 0 || policy[0] == '\0')
		return "Running";
	if (t.stopped == t.succeeded)
		return "Succeeded";
	return strcmp(policy, "OnFailure") == 0 ? "Running" : "Failed";
}

bool pod_status_phase_is_final(const char *phase)
{
	return phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
}

static void set_time(struct json_object *obj, const char *key, int64_t us)
{
	char buf[TIMEFMT_SIZE];

	json_set_str(obj, key, time_format(us, buf));
}

struct json_object *pod_status_termination_json(const struct termination *t)
{
	struct json_object *obj = json_object_new_object();

	json_set_int(obj, "exitCode", t->exit_code);
	if (t->reason)
		json_set_str(obj, "reason", t->reason);
	if (t->message && t->message[0])
		json_set_str(obj, "message", t->message);
	set_time(obj, "startedAt", t->started_us);
	set_time(obj, "finishedAt", t->finished_us);
	if (t->container_id)
		json_set_str(obj, "containerID", t->container_id);
	return obj;
}

void pod_status_termination_parse(const struct json_object *json, struct termination *ret)
{
	struct termination t = { .set = true };
	const char *started = json_str(json, "startedAt"), *finished = json_str(json, "finishedAt");

	t.exit_code = (int)json_int(json, "exitCode", 0);
	t.reason = mem_dup(json_str(json, "reason"));
	t.message = mem_dup(json_str(json, "message"));
	t.container_id = mem_dup(json_str(json, "containerID"));
	if (started)
		time_parse(started, &t.started_us);
	if (finished)
		time_parse(finished, &t.finished_us);
	pod_status_termination_close(ret);
	*ret = t;
}

/* Sets {KEY: VALUE} as the only member of a new object. */
static struct json_object *wrap(const char *key, struct json_object *value)
{
	struct json_object *obj = json_object_new_object();

	json_set(obj, key, value);
	return obj;
}

static bool pod_has_init(const struct pod_view *view)
{
	return view->n_containers > 0 && view->containers[0].kind != CONTAINER_APP;
}

static struct json_object *state_json(const struct pod_view *view, const struct container_view *c)
{
	struct json_object *obj;

	switch (c->shown) {
	case SHOWN_RUNNING:
		obj = json_object_new_object();
		set_time(obj, "startedAt", c->started_us);
		return wrap("running", obj);
	case SHOWN_TERMINATED:
		return wrap("terminated", pod_status_termination_json(c->ended));
	case SHOWN_WAITING:
		break;
	}
	obj = json_object_new_object();
	if (c->waiting_reason)
		json_set_str(obj, "reason", c->waiting_reason);
	else
		json_set_str(obj, "reason", pod_has_init(view) ? "PodInitializing" : "ContainerCreating");
	if (c->waiting_message)
		json_set_str(obj, "message", c->waiting_message);
	return wrap("waiting", obj);
}

static struct json_object *volume_mounts_json(const struct json_object *mounts)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < json_len(mounts); i++) {
		const struct json_object *mount = json_at(mounts, i);
		struct json_object *obj = json_object_new_object();
		json_set_str(obj, "name", json_str_or_empty(mount, "name"));
		json_set_str(obj, "mountPath", json_str_or_empty(mount, "mountPath"));
		if (json_boolean(mount, "readOnly", false)) {
			json_set_bool(obj, "readOnly", true);
			json_set_str(obj, "recursiveReadOnly", "Disabled");
		}
		json_object_array_add(out, obj);
	}
	return out;
}

/* A container that was waiting when its pod ended for good will never tell: Kubernetes shows it as lost. */
static bool is_lost(const struct pod_view *view, const struct container_view *c)
{
	if (!view->ended || c->kind != CONTAINER_APP || c->shown != SHOWN_WAITING)
		return false;
	struct tally t = tally(view);
	return t.init_pending == 0 && t.init_failed == 0;
}

static struct json_object *lost_json(void)
{
	struct json_object *obj = json_object_new_object();

	json_set_int(obj, "exitCode", 137);
	json_set_str(obj, "reason", "ContainerStatusUnknown");
	json_set_str(obj, "message", "The container could not be located when the pod was terminated");
	json_object_object_add(obj, "startedAt", NULL);
	json_object_object_add(obj, "finishedAt", NULL);
	return wrap("terminated", obj);
}

static bool shown_ready(const struct container_view *c)
{
	if (c->kind == CONTAINER_INIT)
		return c->shown == SHOWN_TERMINATED && c->ended->exit_code == 0;
	return c->kind != CONTAINER_EPHEMERAL && c->shown == SHOWN_RUNNING && c->ready;
}

static struct json_object *container_json(const struct pod_view *view, const struct container_view *c)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *resources = json_get(c->spec, "resources");

	json_set_str(obj, "name", json_str_or_empty(c->spec, "name"));
	json_set(obj, "state", is_lost(view, c) ? lost_json() : state_json(view, c));
	json_set(obj, "lastState",
		 has_last(c) ? wrap("terminated", pod_status_termination_json(c->last))
			     : json_object_new_object());
	json_set_bool(obj, "ready", shown_ready(c));
	json_set_int(obj, "restartCount", c->restart_count);
	json_set_str(obj, "image", c->image ? c->image : json_str_or_empty(c->spec, "image"));
	json_set_str(obj, "imageID", c->image_id ? c->image_id : "");
	if (c->container_id)
		json_set_str(obj, "containerID", c->container_id);
	if (c->kind != CONTAINER_EPHEMERAL) /* which have no probes */
		json_set_bool(obj, "started", c->shown == SHOWN_RUNNING && c->started);
	if (c->container_id) {
		if (json_get(resources, "requests"))
			json_set(obj, "allocatedResources", json_clone(json_get(resources, "requests")));
		json_set(obj, "resources", resources ? json_clone(resources) : json_object_new_object());
	}
	if (json_len(json_get(c->spec, "volumeMounts")) > 0)
		json_set(obj, "volumeMounts", volume_mounts_json(json_get(c->spec, "volumeMounts")));
	return obj;
}

static const struct json_object *find_condition(const struct json_object *conditions, const char *type)
{
	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), type) == 0)
			return json_at(conditions, i);
	return NULL;
}

struct condition {
	bool value;
	const char *reason;
	char *message;
};

static void add_condition(const struct pod_view *view, struct json_object *conditions, const char *type,
			  const struct condition *c)
{
	struct json_object *obj = json_object_new_object();
	const char *status = c->value ? "True" : "False";
	const struct json_object *old = find_condition(json_get(view->previous, "conditions"), type);

	if (!old)
		old = find_condition(json_path(view->pod, "status", "conditions", NULL), type);
	json_set_str(obj, "type", type);
	json_set_int(obj, "observedGeneration", json_int(json_get(view->pod, "metadata"), "generation", 1));
	json_set_str(obj, "status", status);
	json_object_object_add(obj, "lastProbeTime", NULL);
	if (old && strcmp(json_str_or_empty(old, "status"), status) == 0 &&
	    json_str(old, "lastTransitionTime"))
		json_set_str(obj, "lastTransitionTime", json_str(old, "lastTransitionTime"));
	else
		set_time(obj, "lastTransitionTime", view->now_us);
	if (c->reason)
		json_set_str(obj, "reason", c->reason);
	if (c->message)
		json_set_str(obj, "message", c->message);
	json_object_array_add(conditions, obj);
}

/* "PREFIX [a b]" of those containers that PICK picks, or NULL when there are none. */
static char *names(const struct pod_view *view, const char *prefix,
		   bool (*pick)(const struct container_view *c))
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	bool any = false;

	buf_str(&b, prefix);
	for (size_t i = 0; i < view->n_containers; i++) {
		if (!pick(&view->containers[i]))
			continue;
		buf_str(&b, any ? " " : " [");
		buf_str(&b, json_str_or_empty(view->containers[i].spec, "name"));
		any = true;
	}
	buf_char(&b, ']');
	return any ? buf_take(&b) : NULL;
}

static bool is_uninitialized(const struct container_view *c)
{
	if (c->kind == CONTAINER_SIDECAR)
		return !(c->shown == SHOWN_RUNNING && c->started);
	return c->kind == CONTAINER_INIT && !shown_ready(c);
}

static bool is_unready(const struct container_view *c)
{
	return (c->kind == CONTAINER_APP || c->kind == CONTAINER_SIDECAR) && !shown_ready(c);
}

static bool app_has_run(const struct pod_view *view)
{
	for (size_t i = 0; i < view->n_containers; i++)
		if (view->containers[i].kind == CONTAINER_APP && view->containers[i].container_id)
			return true;
	return false;
}

static struct condition initialized(const struct pod_view *view, const char *phase)
{
	if (strcmp(phase, "Succeeded") == 0)
		return (struct condition){ .value = true, .reason = "PodCompleted" };
	/* Once a main container has run the pod stays initialized, whatever its sidecars do. */
	char *incomplete =
	    app_has_run(view) ? NULL : names(view, "containers with incomplete status:", is_uninitialized);
	if (!incomplete)
		return (struct condition){ .value = true };
	return (struct condition){ .reason = "ContainersNotInitialized", .message = incomplete };
}

static struct condition containers_ready(const struct pod_view *view, const char *phase)
{
	if (strcmp(phase, "Succeeded") == 0)
		return (struct condition){ .reason = "PodCompleted" };
	if (strcmp(phase, "Failed") == 0)
		return (struct condition){ .reason = "PodFailed" };
	char *unready = names(view, "containers with unready status:", is_unready);
	if (!unready)
		return (struct condition){ .value = true };
	return (struct condition){ .reason = "ContainersNotReady", .message = unready };
}

/* Ready is ContainersReady and every readiness gate, whose conditions others set. */
static struct condition ready(const struct pod_view *view, const struct condition *containers)
{
	const struct json_object *gates = json_path(view->pod, "spec", "readinessGates", NULL);
	const struct json_object *conditions = json_path(view->pod, "status", "conditions", NULL);

	if (!containers->value)
		return (struct condition){ .reason = containers->reason,
					   .message = mem_dup(containers->message) };
	for (size_t i = 0; i < json_len(gates); i++) {
		const char *type = json_str_or_empty(json_at(gates, i), "conditionType");
		const struct json_object *c = find_condition(conditions, type);
		if (!c)
			return (struct condition){
				.reason = "ReadinessGatesNotReady",
				.message = mem_printf(
				    "corresponding condition of pod readiness gate \"%s\" does not exist.",
				    type)
			};
		if (strcmp(json_str_or_empty(c, "status"), "True") != 0)
			return (struct condition){
				.reason = "ReadinessGatesNotReady",
				.message = mem_printf(
				    "the status of pod readiness gate \"%s\" is not \"True\", but %s", type,
				    json_str_or_empty(c, "status"))
			};
	}
	return (struct condition){ .value = true };
}

static const char *const own_conditions[] = {
	"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled",
};

static bool is_own_condition(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_conditions); i++)
		if (strcmp(type, own_conditions[i]) == 0)
			return true;
	return false;
}

static struct json_object *conditions_json(const struct pod_view *view, const char *phase)
{
	struct json_object *out = json_object_new_array();
	const struct json_object *foreign = json_path(view->pod, "status", "conditions", NULL);
	struct condition sandbox = { .value = view->sandbox_ready }, scheduled = { .value = true };
	struct condition init = initialized(view, phase), containers = containers_ready(view, phase);
	struct condition all = ready(view, &containers);
	const struct condition *own[] = { &sandbox, &init, &all, &containers, &scheduled };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		add_condition(view, out, own_conditions[i], own[i]);
	free(init.message);
	free(containers.message);
	free(all.message);
	for (size_t i = 0; i < json_len(foreign); i++)
		if (!is_own_condition(json_str_or_empty(json_at(foreign, i), "type")))
			json_object_array_add(out, json_clone(json_at(foreign, i)));
	return out;
}

static void add_addresses(struct json_object *status, const char *key, const char *list_key,
			  const char *address)
{
	struct json_object *list = json_object_new_array();

	json_set_str(status, key, address);
	json_object_array_add(list, wrap("ip", json_object_new_string(address)));
	json_set(status, list_key, list);
}

static void add_containers(const struct pod_view *view, struct json_object *status)
{
	static const char *const lists[] = {
		[CONTAINER_INIT] = "initContainerStatuses",
		[CONTAINER_SIDECAR] = "initContainerStatuses",
		[CONTAINER_APP] = "containerStatuses",
		[CONTAINER_EPHEMERAL] = "ephemeralContainerStatuses",
	};

	for (size_t i = 0; i < view->n_containers; i++) {
		const struct container_view *c = &view->containers[i];
		json_object_array_add(json_ensure_array(status, lists[c->kind]), container_json(view, c));
	}
}

struct json_object *pod_status_build(const struct pod_view *view)
{
	struct json_object *status = json_object_new_object();
	const char *phase = phase_of(view);
	const char *shown = phase, *before = json_str(view->previous, "phase");
	const char *qos = json_str(json_get(view->pod, "status"), "qosClass");

	/* A final phase tells everyone that the pod's resources are free: not before they are. */
	if (pod_status_phase_is_final(phase) && !view->ended)
		shown = before ? before : "Pending";
	json_set_int(status, "observedGeneration",
		     json_int(json_get(view->pod, "metadata"), "generation", 1));
	json_set_str(status, "phase", shown);
	json_set(status, "conditions", conditions_json(view, phase));
	if (view->reason && view->ended) {
		json_set_str(status, "reason", view->reason);
		if (view->message)
			json_set_str(status, "message", view->message);
	}
	if (view->host_address)
		add_addresses(status, "hostIP", "hostIPs", view->host_address);
	if (view->address)
		add_addresses(status, "podIP", "podIPs", view->address);
	set_time(status, "startTime", view->start_us);
	add_containers(view, status);
	json_set_str(status, "qosClass", qos ? qos : pod_status_qos_class(json_get(view->pod, "spec")));
	json_set(status, "resources", json_object_new_object());
	return status;
}

/* Adds up one container's view of QoS: ANY request or limit of cpu or memory, and whether both have limits
 * that equal their requests. */
static void qos_container(const struct json_object *container, bool *any, bool *guaranteed)
{
	static const char *const kinds[] = { "cpu", "memory" };
	const struct json_object *requests = json_path(container, "resources", "requests", NULL);
	const struct json_object *limits = json_path(container, "resources", "limits", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *request = json_str(requests, kinds[i]), *limit = json_str(limits, kinds[i]);
		int64_t r = quantity_milli_of(request), l = quantity_milli_of(limit);
		if (r > 0 || l > 0)
			*any = true;
		if (l <= 0 || (request && r != l))
			*guaranteed = false;
	}
}

const char *pod_status_qos_class(const struct json_object *spec)
{
	static const char *const lists[] = { "initContainers", "containers" };
	bool any = false, guaranteed = true;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(spec, lists[l]);
		for (size_t i = 0; i < json_len(list); i++)
			qos_container(json_at(list, i), &any, &guaranteed);
	}
	if (!any)
		return "BestEffort";
	return guaranteed ? "Guaranteed" : "Burstable";
}
