/* Node (core/v1). */
#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/taint.h"

#define NOT_READY_TAINT "node.kubernetes.io/not-ready"

/* podCIDR is the first of podCIDRs. */
static void default_pod_cidrs(struct json_object *spec)
{
	struct json_object *cidrs = json_get(spec, "podCIDRs");

	if (default_has_str(spec, "podCIDR") && json_len(cidrs) == 0)
		json_object_array_add(json_ensure_array(spec, "podCIDRs"),
				      json_object_new_string(json_str(spec, "podCIDR")));
	else if (json_len(cidrs) > 0)
		default_str(spec, "podCIDR", json_object_get_string(json_at(cidrs, 0)));
}

static void set_defaults(struct json_object *obj)
{
	static const char *const info_keys[] = { "machineID",       "systemUUID",
						 "bootID",          "kernelVersion",
						 "osImage",         "containerRuntimeVersion",
						 "kubeletVersion",  "kubeProxyVersion",
						 "operatingSystem", "architecture" };
	static const char *const times[] = { "lastHeartbeatTime", "lastTransitionTime", NULL };
	struct json_object *status = json_ensure_object(obj, "status");
	struct json_object *info = json_ensure_object(status, "nodeInfo");
	struct json_object *daemon = json_ensure_object(status, "daemonEndpoints");
	struct json_object *capacity = json_get(status, "capacity");

	default_pod_cidrs(json_ensure_object(obj, "spec"));
	for (size_t i = 0; i < ARRAY_SIZE(info_keys); i++)
		default_empty_str(info, info_keys[i]);
	default_int(json_ensure_object(daemon, "kubeletEndpoint"), "Port", 0);
	if (capacity && !json_get(status, "allocatable"))
		json_set(status, "allocatable", json_clone(capacity));
	default_null_each(json_get(status, "conditions"), times);
}

/* As admission does in a default cluster: nothing is placed on a node before it was seen ready. A node comes
 * with the status that its agent gives it. */
static void prepare_create(struct json_object *obj)
{
	struct json_object *taints = json_ensure_array(json_ensure_object(obj, "spec"), "taints");
	struct json_object *taint;

	for (size_t i = 0; i < json_len(taints); i++) {
		taint = json_at(taints, i);
		if (strcmp(json_str_or_empty(taint, "key"), NOT_READY_TAINT) == 0 &&
		    strcmp(json_str_or_empty(taint, "effect"), "NoSchedule") == 0)
			return;
	}
	taint = json_object_new_object();
	json_set_str(taint, "key", NOT_READY_TAINT);
	json_set_str(taint, "effect", "NoSchedule");
	json_object_array_add(taints, taint);
}

static void validate_taints(const struct json_object *taints, struct field_path *path,
			    struct field_errors *errors)
{
	if (!fault_list_fits(errors, path, taints))
		return;
	for (size_t i = 0; i < json_len(taints); i++) {
		const struct json_object *taint = json_at(taints, i);
		size_t mark = field_push_index(path, i);

		taint_validate(taint, path, errors);
		for (size_t j = 0; j < i; j++) {
			const struct json_object *other = json_at(taints, j);

			if (!json_equal(json_get(taint, "key"), json_get(other, "key")) ||
			    !json_equal(json_get(taint, "effect"), json_get(other, "effect")))
				continue;
			field_error_add(errors, FIELD_DUPLICATE, path, taint,
					"taints must be unique by key and effect pair");
			break;
		}
		field_pop(path, mark);
	}
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *cidrs = json_get(spec, "podCIDRs");
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	mark = field_push(&path, "taints");
	validate_taints(json_get(spec, "taints"), &path, errors);
	field_pop(&path, mark);
	mark = field_push(&path, "podCIDRs");
	for (size_t i = 0; i < json_len(cidrs); i++) {
		const char *cidr = json_object_get_string(json_at(cidrs, i));
		size_t item = field_push_index(&path, i);

		if (!ip_cidr_valid(cidr))
			field_error_invalid_str(
			    errors, &path, cidr,
			    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
		field_pop(&path, item);
	}
	field_pop(&path, mark);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");
	const struct json_object *old_cidrs = json_get(old_spec, "podCIDRs");
	struct field_path path;

	field_path_init(&path, "spec");
	if (json_len(old_cidrs) > 0 && !json_equal(json_get(spec, "podCIDRs"), old_cidrs))
		fault_forbidden(errors, &path, "podCIDRs",
				"node updates may not change podCIDR except from \"\" to valid");
	if (default_has_str(old_spec, "providerID") &&
	    !json_equal(json_get(spec, "providerID"), json_get(old_spec, "providerID")))
		fault_forbidden(errors, &path, "providerID",
				"node updates may not change providerID except from \"\" to valid");
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Status", "string", "", "Whether it is ready, and whether pods are placed on it.", 0 },
	{ "Roles", "string", "", "Its roles, from labels.", 0 },
	CELL_COLUMN_AGE,
	{ "Version", "string", "", "Version of its agent.", 0 },
	{ "Internal-IP", "string", "", "Its address inside the cluster.", 1 },
	{ "External-IP", "string", "", "Its address outside the cluster.", 1 },
	{ "OS-Image", "string", "", "Its operating system.", 1 },
	{ "Kernel-Version", "string", "", "Its kernel.", 1 },
	{ "Container-Runtime", "string", "", "What runs its containers.", 1 },
};

static void cell_status(struct json_object *ret, const struct json_object *obj)
{
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const char *ready = "Unknown";

	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);

		if (strcmp(json_str_or_empty(c, "type"), "Ready") == 0)
			ready = strcmp(json_str_or_empty(c, "status"), "True") == 0 ? "Ready" : "NotReady";
	}
	buf_str(&b, ready);
	if (json_boolean(json_get(obj, "spec"), "unschedulable", false))
		buf_str(&b, ",SchedulingDisabled");
	cell_buf(ret, &b);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* From labels node-role.kubernetes.io/ROLE and kubernetes.io/role=ROLE. */
static void cell_roles(struct json_object *ret, const struct json_object *obj)
{
	struct json_object *labels = json_path(obj, "metadata", "labels", NULL);
	size_t n = labels ? (size_t)json_object_object_length(labels) : 0, n_roles = 0;
	CLEANUP(mem_freep) const char **roles = mem_realloc_array(NULL, n + 1, sizeof(*roles));
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const char *prefix = "node-role.kubernetes.io/";

	if (labels) {
		json_object_object_foreach(labels, key, value)
		{
			const char *text = value ? json_object_get_string(value) : "";

			if (strncmp(key, prefix, strlen(prefix)) == 0 && key[strlen(prefix)])
				roles[n_roles++] = key + strlen(prefix);
			else if (strcmp(key, "kubernetes.io/role") == 0 && *text)
				roles[n_roles++] = text;
		}
	}
	qsort(roles, n_roles, sizeof(*roles), compare_strings);
	for (size_t i = 0; i < n_roles; i++)
		if (i == 0 || strcmp(roles[i], roles[i - 1]) != 0)
			buf_printf(&b, "%s%s", i > 0 ? "," : "", roles[i]);
	cell_str_or(ret, b.data, "<none>");
}

static void cell_address(struct json_object *ret, const struct json_object *obj, const char *type)
{
	const struct json_object *addresses = json_path(obj, "status", "addresses", NULL);
	const char *found = NULL;

	for (size_t i = 0; i < json_len(addresses) && !found; i++)
		if (strcmp(json_str_or_empty(json_at(addresses, i), "type"), type) == 0)
			found = json_str(json_at(addresses, i), "address");
	cell_str_or(ret, found, "<none>");
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *info = json_path(obj, "status", "nodeInfo", NULL);

	cell_name(ret, obj);
	cell_status(ret, obj);
	cell_roles(ret, obj);
	cell_age(ret, obj, now_us);
	cell_str(ret, json_str(info, "kubeletVersion"));
	cell_address(ret, obj, "InternalIP");
	cell_address(ret, obj, "ExternalIP");
	cell_str_or(ret, json_str(info, "osImage"), "<unknown>");
	cell_str_or(ret, json_str(info, "kernelVersion"), "<unknown>");
	cell_str_or(ret, json_str(info, "containerRuntimeVersion"), "<unknown>");
}

static const char *const selectable_fields[] = { "spec.unschedulable", NULL };

const struct kind kind_node = {
	.api_version = "v1",
	.kind = "Node",
	.definition = "core.v1.Node",
	.has_status = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.selectable_fields = selectable_fields,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
