/* Validation of a whole PodSpec and PodTemplateSpec, in Kubernetes' order; the parts are in pod_spec_*.c. */
#include "api/kinds/pod_spec.h"

#include <stdio.h>
#include <string.h>

#include "api/fault.h"
#include "lib/quantity.h"

/* Members that hold the name of another object. */
static void validate_references(const struct json_object *spec, struct field_path *path,
				struct field_errors *errors)
{
	static const char *const keys[] = { "serviceAccountName", "nodeName", "priorityClassName",
					    "runtimeClassName" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *name = json_str_or_empty(spec, keys[i]);
		struct name_faults faults = { .n = 0 };

		if (*name)
			name_check_dns_subdomain(name, false, &faults);
		fault_names(errors, path, keys[i], name, &faults);
	}
}

static void validate_readiness_gates(const struct json_object *gates, struct field_path *path,
				     struct field_errors *errors)
{
	size_t mark = field_push(path, "readinessGates");

	for (size_t i = 0; i < json_len(gates); i++) {
		const char *type = json_str_or_empty(json_at(gates, i), "conditionType");
		struct name_faults faults = { .n = 0 };
		size_t item = field_push_index(path, i);

		name_check_qualified(type, &faults);
		fault_names(errors, path, "conditionType", type, &faults);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_overhead(struct json_object *overhead, struct field_path *path,
			      struct field_errors *errors)
{
	size_t mark = field_push(path, "overhead");

	if (overhead) {
		json_object_object_foreach(overhead, name, value)
		{
			size_t item = field_push_key(path, name);
			struct quantity q;

			if (value && quantity_parse(json_object_get_string(value), &q) && q.nano < 0)
				field_error_invalid_str(errors, path, json_object_get_string(value),
							"must be greater than or equal to 0");
			field_pop(path, item);
		}
	}
	field_pop(path, mark);
}

static void validate_claims(const struct json_object *claims, struct field_path *path,
			    struct field_errors *errors)
{
	size_t mark = field_push(path, "resourceClaims");

	for (size_t i = 0; i < json_len(claims); i++) {
		const struct json_object *claim = json_at(claims, i);
		const char *name = json_str_or_empty(claim, "name");
		bool by_name = *json_str_or_empty(claim, "resourceClaimName");
		bool by_template = *json_str_or_empty(claim, "resourceClaimTemplateName");
		struct name_faults faults = { .n = 0 };
		size_t item = field_push_index(path, i);

		if (!*name)
			fault_required(errors, path, "name", "");
		else
			name_check_dns_label(name, false, &faults);
		fault_names(errors, path, "name", name, &faults);
		if (by_name == by_template)
			field_error_add(
			    errors, FIELD_INVALID, path, claim,
			    by_name ? "at most one of `resourceClaimName` or `resourceClaimTemplateName` "
				      "may be specified"
				    : "must specify one of: `resourceClaimName`, "
				      "`resourceClaimTemplateName`");
		field_pop(path, item);
	}
	field_pop(path, mark);
}

void validate_pod_spec(const struct json_object *spec, struct field_path *path, struct field_errors *errors)
{
	static const char *const restart_policies[] = { "Always", "OnFailure", "Never", NULL };
	static const char *const preemption_policies[] = { "Never", "PreemptLowerPriority", NULL };
	static const char *const systems[] = { "linux", "windows", NULL };
	int64_t deadline = json_int(spec, "activeDeadlineSeconds", 1);
	size_t mark;

	pod_spec_validate_volumes(spec, path, errors);
	pod_spec_validate_containers(spec, path, errors);
	mark = field_push(path, "resources");
	pod_spec_validate_resources(json_get(spec, "resources"), path, errors);
	field_pop(path, mark);
	validate_enum(spec, "restartPolicy", restart_policies, true, path, errors);
	mark = field_push(path, "securityContext");
	pod_spec_validate_pod_security(json_get(spec, "securityContext"), spec, path, errors);
	field_pop(path, mark);
	validate_references(spec, path, errors);
	pod_spec_validate_network(spec, path, errors);
	validate_readiness_gates(json_get(spec, "readinessGates"), path, errors);
	pod_spec_validate_placement(spec, path, errors);
	validate_claims(json_get(spec, "resourceClaims"), path, errors);
	if (deadline < 1 || deadline > INT32_MAX)
		fault_int(errors, path, "activeDeadlineSeconds", deadline,
			  "must be between 1 and 2147483647, inclusive");
	validate_enum(spec, "preemptionPolicy", preemption_policies, false, path, errors);
	validate_overhead(json_get(spec, "overhead"), path, errors);
	mark = field_push(path, "os");
	if (json_get(spec, "os"))
		validate_enum(json_get(spec, "os"), "name", systems, true, path, errors);
	field_pop(path, mark);
}

/* A controller's pods are there to stay: no other restart policy, no deadline. */
static void validate_lasting(const struct json_object *spec, const char *kind, struct field_path *path,
			     struct field_errors *errors)
{
	static const char *const always[] = { "Always", NULL };
	char text[96];

	validate_enum(spec, "restartPolicy", always, false, path, errors);
	snprintf(text, sizeof(text), "activeDeadlineSeconds in %s is not Supported", kind);
	if (json_get(spec, "activeDeadlineSeconds"))
		fault_forbidden(errors, path, "activeDeadlineSeconds", text);
}

void validate_pod_template(const struct json_object *template, struct field_path *path,
			   const char *lasting_of, struct field_errors *errors)
{
	const struct json_object *metadata = json_get(template, "metadata"),
				 *spec = json_get(template, "spec");
	size_t mark = field_push(path, "labels");

	validate_labels(json_get(metadata, "labels"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "annotations");
	validate_annotations(json_get(metadata, "annotations"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "spec");
	validate_pod_spec(spec, path, errors);
	if (json_len(json_get(spec, "ephemeralContainers")) > 0)
		fault_forbidden(errors, path, "ephemeralContainers",
				"ephemeral containers not allowed in pod template");
	if (lasting_of)
		validate_lasting(spec, lasting_of, path, errors);
	field_pop(path, mark);
}
