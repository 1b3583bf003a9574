/* Pod (core/v1): its row and what happens to one on its way in. The spec is in pod_spec_*.c, printing in
 * pod_cells.c. */
#include "api/kinds/pod.h"

#include <string.h>

#include "api/fault.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/pod_spec.h"
#include "api/kinds/workload.h"

/* Kubernetes writes these even when they are empty. */
static void default_container_statuses(struct json_object *statuses)
{
	for (size_t i = 0; i < json_len(statuses); i++) {
		struct json_object *status = json_at(statuses, i);

		json_ensure_object(status, "state");
		json_ensure_object(status, "lastState");
	}
}

static void default_status(struct json_object *status)
{
	static const char *const times[] = { "lastProbeTime", "lastTransitionTime", NULL };

	default_null_each(json_get(status, "conditions"), times);
	default_container_statuses(json_get(status, "initContainerStatuses"));
	default_container_statuses(json_get(status, "containerStatuses"));
	default_container_statuses(json_get(status, "ephemeralContainerStatuses"));
	default_str(status, "phase", "Pending");
	/* The older member and the first of the newer are one address. */
	if (default_has_str(status, "podIP") && !json_get(status, "podIPs")) {
		struct json_object *ip = json_object_new_object();

		json_set_str(ip, "ip", json_str(status, "podIP"));
		json_object_array_add(json_ensure_array(status, "podIPs"), ip);
	}
}

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"),
			   *status = json_ensure_object(obj, "status");

	json_ensure_object(obj, "metadata");
	default_pod_spec(spec);
	pod_spec_default_of_pod(spec);
	default_status(status);
	/* A node agent that writes the status as a whole may leave it out. */
	if (!default_has_str(status, "qosClass"))
		json_set_str(status, "qosClass", pod_spec_qos_class(spec));
}

static bool tolerates_no_execute(const struct json_object *tolerations, const char *taint)
{
	for (size_t i = 0; i < json_len(tolerations); i++) {
		const struct json_object *t = json_at(tolerations, i);
		const char *key = json_str_or_empty(t, "key"), *effect = json_str_or_empty(t, "effect");

		if ((!*key || strcmp(key, taint) == 0) && (!*effect || strcmp(effect, "NoExecute") == 0))
			return true;
	}
	return false;
}

static void tolerate_for_a_while(struct json_object *spec, const char *taint)
{
	struct json_object *toleration;

	if (tolerates_no_execute(json_get(spec, "tolerations"), taint))
		return;
	toleration = json_object_new_object();
	json_set_str(toleration, "key", taint);
	json_set_str(toleration, "operator", "Exists");
	json_set_str(toleration, "effect", "NoExecute");
	json_set_int(toleration, "tolerationSeconds", 300);
	json_object_array_add(json_ensure_array(spec, "tolerations"), toleration);
}

void pod_admit_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec");
	if (default_str(spec, "serviceAccountName", "default"))
		json_set_str(spec, "serviceAccount", "default");
	tolerate_for_a_while(spec, "node.kubernetes.io/not-ready");
	tolerate_for_a_while(spec, "node.kubernetes.io/unreachable");
}

static void add_gated_condition(struct json_object *status)
{
	struct json_object *condition = json_object_new_object();

	json_set_str(condition, "type", "PodScheduled");
	json_set_str(condition, "status", "False");
	default_null(condition, "lastProbeTime");
	default_null(condition, "lastTransitionTime");
	json_set_str(condition, "reason", "SchedulingGated");
	json_set_str(condition, "message", "Scheduling is blocked due to non-empty scheduling gates");
	json_object_array_add(json_ensure_array(status, "conditions"), condition);
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"), *status = json_object_new_object();

	pod_admit_defaults(obj);
	/* A negative grace period has always meant the shortest one. */
	if (json_int(spec, "terminationGracePeriodSeconds", 30) < 0)
		json_set_int(spec, "terminationGracePeriodSeconds", 1);
	json_set_str(status, "phase", "Pending");
	json_set_str(status, "qosClass", pod_spec_qos_class(spec));
	if (json_len(json_get(spec, "schedulingGates")) > 0)
		add_gated_condition(status);
	json_set(obj, "status", status);
}

/* Admission's part of an update: what it once gave the pod stays when a client leaves it out. */
static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	struct json_object *spec = json_ensure_object(obj, "spec");

	(void)old;
	tolerate_for_a_while(spec, "node.kubernetes.io/not-ready");
	tolerate_for_a_while(spec, "node.kubernetes.io/unreachable");
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	validate_pod_spec(json_get(obj, "spec"), &path, errors);
}

static void validate_create(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;

	field_path_init(&path, "spec");
	if (json_len(json_get(spec, "ephemeralContainers")) > 0)
		fault_forbidden(errors, &path, "ephemeralContainers", "cannot be set on create");
	if (default_has_str(spec, "nodeName") && json_len(json_get(spec, "schedulingGates")) > 0)
		fault_forbidden(errors, &path, "nodeName",
				"cannot be set until all schedulingGates have been cleared");
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	pod_spec_validate_update(json_get(obj, "spec"), json_get(old, "spec"), &path, errors);
}

/* A node name, once set, is for life; so is the QoS class. */
static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const char *node = json_str_or_empty(json_get(obj, "spec"), "nodeName");
	const struct json_object *status = json_get(obj, "status"), *old_status = json_get(old, "status");
	const char *nominated = json_str_or_empty(status, "nominatedNodeName");
	struct field_path path;

	if (strcmp(node, json_str_or_empty(json_get(old, "spec"), "nodeName")) != 0) {
		field_path_init(&path, "status");
		fault_forbidden(errors, &path, "nodeName", "may not be changed directly");
	}
	field_path_init(&path, "status");
	if (*nominated) {
		struct name_faults faults = { .n = 0 };

		name_check_dns_subdomain(nominated, false, &faults);
		fault_names(errors, &path, "nominatedNodeName", nominated, &faults);
	}
	if (default_has_str(old_status, "qosClass"))
		validate_immutable(status, old_status, "qosClass", &path, errors);
}

static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	/* People do not work on pods that are there already. */
	if (old)
		return;
	workload_warn_name(obj, "in the Pod's hostname", call, arg);
	pod_spec_warn(obj, "", call, arg);
}

static const char *const selectable_fields[] = {
	"spec.nodeName",
	"spec.restartPolicy",
	"spec.schedulerName",
	"spec.serviceAccountName",
	"spec.hostNetwork",
	"status.phase",
	"status.podIP",
	"status.nominatedNodeName",
	NULL,
};

const struct kind kind_pod = {
	.api_version = "v1",
	.kind = "Pod",
	.definition = "core.v1.Pod",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.graceful_delete = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_create = validate_create,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.selectable_fields = selectable_fields,
	.warnings = warnings,
	.parts = pod_parts,
	.columns = pod_columns,
	.n_columns = POD_COLUMNS,
	.cell_fields = pod_cell_fields,
	.cells = pod_cells,
};
