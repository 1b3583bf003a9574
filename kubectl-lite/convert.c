#include "kubectl-lite/convert.h"

#include <string.h>

#include "kubectl-lite/convert_rules.h"

static const struct rule {
	const char *from, *kind, *to;
	void (*convert)(struct json_object *obj, struct buf *notes); /* NULL: only the version differs */
} rules[] = {
	{ "extensions/v1beta1", "Deployment", "apps/v1", convert_workload },
	{ "extensions/v1beta1", "ReplicaSet", "apps/v1", convert_workload },
	{ "extensions/v1beta1", "DaemonSet", "apps/v1", convert_daemon_set },
	{ "extensions/v1beta1", "Ingress", "networking.k8s.io/v1", convert_ingress },
	{ "extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1", NULL },
	{ "apps/v1beta1", "Deployment", "apps/v1", convert_workload },
	{ "apps/v1beta1", "StatefulSet", "apps/v1", convert_stateful_set },
	{ "apps/v1beta1", "ControllerRevision", "apps/v1", NULL },
	{ "apps/v1beta2", "Deployment", "apps/v1", convert_workload },
	{ "apps/v1beta2", "ReplicaSet", "apps/v1", convert_workload },
	{ "apps/v1beta2", "DaemonSet", "apps/v1", convert_workload },
	{ "apps/v1beta2", "StatefulSet", "apps/v1", convert_workload },
	{ "apps/v1beta2", "ControllerRevision", "apps/v1", NULL },
	{ "batch/v2alpha1", "CronJob", "batch/v1", NULL },
	{ "batch/v1beta1", "CronJob", "batch/v1", NULL },
	{ "networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1", convert_ingress },
	{ "networking.k8s.io/v1beta1", "IngressClass", "networking.k8s.io/v1", NULL },
	{ "policy/v1beta1", "PodDisruptionBudget", "policy/v1", convert_disruption_budget },
	{ "autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2", convert_autoscaler },
	{ "autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2", NULL },
	{ "rbac.authorization.k8s.io/v1alpha1", "Role", "rbac.authorization.k8s.io/v1", NULL },
	{ "rbac.authorization.k8s.io/v1beta1", "Role", "rbac.authorization.k8s.io/v1", NULL },
	{ "rbac.authorization.k8s.io/v1alpha1", "ClusterRole", "rbac.authorization.k8s.io/v1", NULL },
	{ "rbac.authorization.k8s.io/v1beta1", "ClusterRole", "rbac.authorization.k8s.io/v1", NULL },
	{ "rbac.authorization.k8s.io/v1beta1", "RoleBinding", "rbac.authorization.k8s.io/v1", NULL },
	{ "rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1", NULL },
	{ "scheduling.k8s.io/v1alpha1", "PriorityClass", "scheduling.k8s.io/v1", NULL },
	{ "scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1", NULL },
	{ "storage.k8s.io/v1beta1", "StorageClass", "storage.k8s.io/v1", NULL },
	{ "storage.k8s.io/v1beta1", "CSIDriver", "storage.k8s.io/v1", NULL },
	{ "storage.k8s.io/v1beta1", "CSINode", "storage.k8s.io/v1", NULL },
	{ "storage.k8s.io/v1beta1", "VolumeAttachment", "storage.k8s.io/v1", NULL },
	{ "node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1", NULL },
	{ "coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1", NULL },
	{ "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1",
	  convert_definition },
};

struct json_object *convert_object_member(struct json_object *obj, const char *key)
{
	struct json_object *member = json_ensure_object(obj, key);

	return json_object_is_type(member, json_type_object) ? member : NULL;
}

struct json_object *convert_item(const struct json_object *array, size_t i)
{
	struct json_object *item = json_at(array, i);

	return json_object_is_type(item, json_type_object) ? item : NULL;
}

bool convert_object(struct json_object *obj, struct buf *notes)
{
	const char *api_version = json_str_or_empty(obj, "apiVersion"),
		   *kind = json_str_or_empty(obj, "kind");

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (strcmp(rules[i].from, api_version) != 0 || strcmp(rules[i].kind, kind) != 0)
			continue;
		json_set_str(obj, "apiVersion", rules[i].to);
		if (rules[i].convert && convert_object_member(obj, "spec"))
			rules[i].convert(obj, notes);
		return true;
	}
	return false;
}

void convert_disruption_budget(struct json_object *obj, struct buf *notes)
{
	struct json_object *spec = json_get(obj, "spec"), *selector = json_get(spec, "selector");

	if (!json_object_is_type(selector, json_type_object) || json_object_object_length(selector) > 0)
		return;
	json_object_object_del(spec, "selector");
	buf_str(notes, "spec.selector: left out, for the empty one chose no pod then, and would choose every "
		       "pod today\n");
}

/* --- probes --- */

static bool has_handler(const struct json_object *probe)
{
	static const char *const handlers[] = { "exec", "grpc", "httpGet", "tcpSocket" };

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (json_get(probe, handlers[i]))
			return true;
	return false;
}

static void look_at_containers(const struct json_object *containers, const char *path, struct buf *notes)
{
	static const char *const probes[] = { "livenessProbe", "readinessProbe", "startupProbe" };

	for (size_t i = 0; i < json_len(containers); i++) {
		const struct json_object *container = json_at(containers, i);
		for (size_t k = 0; k < ARRAY_SIZE(probes); k++) {
			const struct json_object *probe = json_get(container, probes[k]);
			if (probe && !has_handler(probe))
				buf_printf(notes,
					   "%s[%s].%s: says nothing that could be probed; it needs one of "
					   "exec, grpc, "
					   "httpGet and tcpSocket\n",
					   path, json_str_or_empty(container, "name"), probes[k]);
		}
	}
}

void convert_find_bare_probes(const struct json_object *obj, struct buf *notes)
{
	static const char *const lists[] = { "containers", "initContainers" };
	static const char *const places[][6] = {
		{ "spec", NULL },
		{ "template", "spec", NULL },
		{ "spec", "template", "spec", NULL },
		{ "spec", "jobTemplate", "spec", "template", "spec", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct json_object *spec = obj;
		CLEANUP(buf_close) struct buf path = BUF_INIT;
		for (size_t k = 0; places[i][k]; k++) {
			spec = json_get(spec, places[i][k]);
			buf_printf(&path, "%s.", places[i][k]);
		}
		for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
			CLEANUP(mem_freep) char *list = mem_printf("%s%s", path.data, lists[k]);
			look_at_containers(json_get(spec, lists[k]), list, notes);
		}
	}
}
