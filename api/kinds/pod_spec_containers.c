/* The three container lists of a pod. */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"
#include "lib/map.h"

#define NOT_EPHEMERAL "cannot be set for an Ephemeral Container"

static const char *const message_policies[] = { "FallbackToLogsOnError", "File", NULL };
static const char *const pull_policies[] = { "Always", "IfNotPresent", "Never", NULL };
static const char *const restart_policies[] = { "Always", "Never", "OnFailure", NULL };

static const struct {
	const char *key;
	enum container_role role;
} lists[] = {
	{ "containers", CONTAINER_MAIN },
	{ "initContainers", CONTAINER_INIT },
	{ "ephemeralContainers", CONTAINER_EPHEMERAL },
};

bool pod_spec_is_sidecar(const struct json_object *container)
{
	return strcmp(json_str_or_empty(container, "restartPolicy"), "Always") == 0;
}

/* What holds for the whole pod while its containers are looked at. */
struct whole {
	const struct json_object *spec;
	struct map names;   /* of the containers so far; value: their entry of lists[] */
	struct map volumes; /* names of volumes */
};

static void validate_name(const char *name, bool taken, struct field_path *path, struct field_errors *errors)
{
	struct name_faults faults = { .n = 0 };

	if (!*name) {
		fault_required(errors, path, "name", "");
		return;
	}
	name_check_dns_label(name, false, &faults);
	fault_names(errors, path, "name", name, &faults);
	if (taken)
		fault_duplicate(errors, path, "name", name);
}

static void validate_image(const char *image, struct field_path *path, struct field_errors *errors)
{
	size_t len = strlen(image);

	if (len == 0)
		fault_required(errors, path, "image", "");
	else if (isspace((unsigned char)image[0]) || isspace((unsigned char)image[len - 1]))
		fault_str(errors, path, "image", image, "must not have leading or trailing whitespace");
}

static void validate_restart_rules(const struct json_object *container, struct field_path *path,
				   struct field_errors *errors)
{
	static const char *const actions[] = { "Restart", "RestartAllContainers", NULL };
	static const char *const operators[] = { "In", "NotIn", NULL };
	const struct json_object *rules = json_get(container, "restartPolicyRules");

	if (json_len(rules) == 0)
		return;
	if (!*json_str_or_empty(container, "restartPolicy"))
		fault_required(errors, path, "restartPolicy",
			       "must specify restartPolicy when restart rules are used");
	size_t mark = field_push(path, "restartPolicyRules");
	for (size_t i = 0; i < json_len(rules); i++) {
		size_t item = field_push_index(path, i), inner;

		validate_enum(json_at(rules, i), "action", actions, true, path, errors);
		inner = field_push(path, "exitCodes");
		if (!json_get(json_at(rules, i), "exitCodes"))
			field_error_required(errors, path, "must be specified");
		else
			validate_enum(json_get(json_at(rules, i), "exitCodes"), "operator", operators, true,
				      path, errors);
		field_pop(path, inner);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_resize_policy(const struct json_object *policies, struct field_path *path,
				   struct field_errors *errors)
{
	static const char *const resources[] = { "cpu", "memory", NULL };
	static const char *const restarts[] = { "NotRequired", "RestartContainer", NULL };
	size_t mark = field_push(path, "resizePolicy");

	for (size_t i = 0; i < json_len(policies); i++) {
		size_t item = field_push_index(path, i);

		validate_enum(json_at(policies, i), "resourceName", resources, true, path, errors);
		validate_enum(json_at(policies, i), "restartPolicy", restarts, true, path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_common(const struct json_object *container, const struct whole *whole,
			    enum container_role role, struct field_path *path, struct field_errors *errors)
{
	const struct json_object *spec = whole->spec;
	size_t mark;

	validate_image(json_str_or_empty(container, "image"), path, errors);
	validate_enum(container, "terminationMessagePolicy", message_policies, true, path, errors);
	mark = field_push(path, "ports");
	pod_spec_validate_ports(json_get(container, "ports"), json_boolean(spec, "hostNetwork", false), path,
				errors);
	field_pop(path, mark);
	pod_spec_validate_env(container, path, errors);
	pod_spec_validate_mounts(container, &whole->volumes, role, path, errors);
	validate_enum(container, "imagePullPolicy", pull_policies, true, path, errors);
	mark = field_push(path, "resources");
	pod_spec_validate_resources(json_get(container, "resources"), path, errors);
	field_pop(path, mark);
	validate_resize_policy(json_get(container, "resizePolicy"), path, errors);
	mark = field_push(path, "securityContext");
	pod_spec_validate_container_security(json_get(container, "securityContext"),
					     json_boolean(spec, "hostUsers", true), path, errors);
	field_pop(path, mark);
	pod_spec_validate_probes(container, role, path, errors);
	validate_enum(container, "restartPolicy", restart_policies, false, path, errors);
	validate_restart_rules(container, path, errors);
}

/* A container for looking around in a running pod: no claims on resources or ports. */
static void validate_ephemeral(const struct json_object *container, const struct whole *whole,
			       struct field_path *path, struct field_errors *errors)
{
	void *target_list;

	const char *target = json_str_or_empty(container, "targetContainerName");
	const struct json_object *resources = json_get(container, "resources");

	if (json_len(json_get(container, "ports")) > 0)
		fault_forbidden(errors, path, "ports", NOT_EPHEMERAL);
	if (resources && json_object_object_length(resources) > 0)
		fault_forbidden(errors, path, "resources", NOT_EPHEMERAL);
	if (*json_str_or_empty(container, "restartPolicy"))
		fault_forbidden(errors, path, "restartPolicy", NOT_EPHEMERAL);
	target_list = map_get(&whole->names, target);
	if (*target && (!target_list || target_list == &lists[2]))
		fault_not_found(errors, path, "targetContainerName", target);
}

void pod_spec_validate_containers(const struct json_object *spec, struct field_path *path,
				  struct field_errors *errors)
{
	struct whole whole = { .spec = spec, .names = MAP_INIT, .volumes = MAP_INIT };
	const struct json_object *volumes = json_get(spec, "volumes");

	if (json_len(json_get(spec, "containers")) == 0)
		fault_required(errors, path, "containers", "");
	for (size_t i = 0; i < json_len(volumes); i++)
		map_put(&whole.volumes, json_str_or_empty(json_at(volumes, i), "name"), json_at(volumes, i));
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *containers = json_get(spec, lists[l].key);
		size_t mark = field_push(path, lists[l].key);

		for (size_t i = 0; i < json_len(containers); i++) {
			const struct json_object *container = json_at(containers, i);
			const char *name = json_str_or_empty(container, "name");
			size_t item = field_push_index(path, i);

			validate_name(name, map_get(&whole.names, name) != NULL, path, errors);
			validate_common(container, &whole, lists[l].role, path, errors);
			if (lists[l].role == CONTAINER_EPHEMERAL)
				validate_ephemeral(container, &whole, path, errors);
			if (!map_get(&whole.names, name))
				map_put(&whole.names, name, (void *)(uintptr_t)&lists[l]);
			field_pop(path, item);
		}
		field_pop(path, mark);
	}
	map_close(&whole.names);
	map_close(&whole.volumes);
	pod_spec_validate_host_ports(spec, path, errors);
}
