/* Probes and lifecycle hooks. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"

#define SIDECARS_ONLY "may not be set for init containers without restartPolicy=Always"
#define NOT_EPHEMERAL "cannot be set for an Ephemeral Container"

static void validate_port_or_name(const struct json_object *action, struct field_path *path,
				  struct field_errors *errors)
{
	struct json_object *port = json_get(action, "port");
	struct name_faults faults = { .n = 0 };

	if (!json_object_is_type(port, json_type_string)) {
		validate_port_number(json_int(action, "port", 0), "port", path, errors);
		return;
	}
	name_check_port_name(json_object_get_string(port), &faults);
	fault_names(errors, path, "port", json_object_get_string(port), &faults);
}

static void validate_exec(const struct json_object *action, struct field_path *path,
			  struct field_errors *errors)
{
	if (json_len(json_get(action, "command")) == 0)
		fault_required(errors, path, "command", "");
}

static void validate_http(const struct json_object *action, struct field_path *path,
			  struct field_errors *errors)
{
	static const char *const schemes[] = { "HTTP", "HTTPS", NULL };
	const struct json_object *headers = json_get(action, "httpHeaders");

	if (!*json_str_or_empty(action, "path"))
		fault_required(errors, path, "path", "");
	validate_port_or_name(action, path, errors);
	validate_enum(action, "scheme", schemes, true, path, errors);
	for (size_t i = 0; i < json_len(headers); i++) {
		const char *name = json_str_or_empty(json_at(headers, i), "name");
		struct name_faults faults = { .n = 0 };

		name_check_http_header(name, &faults);
		fault_names(errors, path, "httpHeaders", name, &faults);
	}
}

static void validate_sleep(const struct json_object *action, struct field_path *path,
			   struct field_errors *errors)
{
	if (json_int(action, "seconds", 0) < 0)
		field_error_invalid_int(errors, path, json_int(action, "seconds", 0),
					"must be non-negative and less than terminationGracePeriodSeconds");
}

static const struct handler {
	const char *key;
	void (*validate)(const struct json_object *action, struct field_path *path,
			 struct field_errors *errors);
} handlers[] = {
	{ "exec", validate_exec },
	{ "httpGet", validate_http },
	{ "tcpSocket", validate_port_or_name },
	{ "grpc", validate_port_or_name },
	{ "sleep", validate_sleep },
};

static void validate_handler(const struct json_object *handler, struct field_path *path,
			     struct field_errors *errors)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		const struct json_object *action = json_get(handler, handlers[i].key);
		size_t mark;

		if (!action)
			continue;
		if (n++ > 0) {
			fault_forbidden(errors, path, handlers[i].key,
					"may not specify more than 1 handler type");
			continue;
		}
		mark = field_push(path, handlers[i].key);
		handlers[i].validate(action, path, errors);
		field_pop(path, mark);
	}
	if (n == 0)
		field_error_required(errors, path, "must specify a handler type");
}

static void validate_probe(const struct json_object *container, const char *key, bool readiness,
			   struct field_path *path, struct field_errors *errors)
{
	static const char *const counts[] = { "initialDelaySeconds", "timeoutSeconds", "periodSeconds",
					      "successThreshold", "failureThreshold" };
	const struct json_object *probe = json_get(container, key);
	int64_t grace = json_int(probe, "terminationGracePeriodSeconds", 1);
	int64_t successes = json_int(probe, "successThreshold", 1);

	if (!probe)
		return;
	size_t mark = field_push(path, key);
	validate_handler(probe, path, errors);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		validate_non_negative(probe, counts[i], path, errors);
	if (readiness && json_get(probe, "terminationGracePeriodSeconds"))
		fault_int(errors, path, "terminationGracePeriodSeconds", grace,
			  "must not be set for readinessProbes");
	else if (grace <= 0)
		fault_int(errors, path, "terminationGracePeriodSeconds", grace, "must be greater than 0");
	if (!readiness && successes != 1)
		fault_int(errors, path, "successThreshold", successes, "must be 1");
	field_pop(path, mark);
}

static void validate_lifecycle(const struct json_object *lifecycle, struct field_path *path,
			       struct field_errors *errors)
{
	static const char *const hooks[] = { "postStart", "preStop" };
	size_t mark = field_push(path, "lifecycle");

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		const struct json_object *handler = json_get(lifecycle, hooks[i]);
		size_t inner;

		if (!handler)
			continue;
		inner = field_push(path, hooks[i]);
		validate_handler(handler, path, errors);
		field_pop(path, inner);
	}
	field_pop(path, mark);
}

void pod_spec_validate_probes(const struct json_object *container, enum container_role role,
			      struct field_path *path, struct field_errors *errors)
{
	static const char *const members[] = { "lifecycle", "livenessProbe", "readinessProbe",
					       "startupProbe" };
	const char *why = NULL;

	if (role == CONTAINER_EPHEMERAL)
		why = NOT_EPHEMERAL;
	else if (role == CONTAINER_INIT && !pod_spec_is_sidecar(container))
		why = SIDECARS_ONLY;
	if (why) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			if (json_get(container, members[i]))
				fault_forbidden(errors, path, members[i], why);
		return;
	}
	validate_lifecycle(json_get(container, "lifecycle"), path, errors);
	validate_probe(container, "livenessProbe", false, path, errors);
	validate_probe(container, "readinessProbe", true, path, errors);
	validate_probe(container, "startupProbe", false, path, errors);
}
