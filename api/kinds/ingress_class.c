/* IngressClass (networking.k8s.io/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/ingress.h"
#include "api/kinds/kinds.h"
#include "api/kinds/path_name.h"

#define CONTROLLER_MAX 250

static void set_defaults(struct json_object *obj)
{
	struct json_object *parameters = json_get(json_ensure_object(obj, "spec"), "parameters");

	if (parameters)
		default_str(parameters, "scope", "Cluster");
}

static void validate_parameters(const struct json_object *parameters, struct field_path *path,
				struct field_errors *errors)
{
	static const char *const scopes[] = { "Cluster", "Namespace", NULL };
	const char *scope = json_str_or_empty(parameters, "scope");

	ingress_validate_reference(parameters, path, errors);
	validate_enum(parameters, "scope", scopes, true, path, errors);
	if (strcmp(scope, "Namespace") == 0) {
		if (!json_get(parameters, "namespace"))
			fault_required(errors, path, "namespace", "`parameters.scope` is set to 'Namespace'");
		fault_name(parameters, "namespace", false, name_check_dns_label, path, errors);
	} else if (json_get(parameters, "namespace")) {
		fault_forbidden(errors, path, "namespace", "`parameters.scope` is set to 'Cluster'");
	}
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *parameters = json_get(spec, "parameters");
	const char *controller = json_str_or_empty(spec, "controller");
	struct field_path path;

	field_path_init(&path, "spec");
	if (strlen(controller) > CONTROLLER_MAX)
		fault_too_long(errors, &path, "controller", CONTROLLER_MAX);
	path_name_validate(controller, "controller", &path, errors);
	field_push(&path, "parameters");
	if (parameters)
		validate_parameters(parameters, &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	validate_immutable(json_get(obj, "spec"), json_get(old, "spec"), "controller", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Controller", "string", "", "The controller that serves Ingresses of it.", 0 },
	{ "Parameters", "string", "", "The object that has more about it.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec"), *parameters = json_get(spec, "parameters");
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	if (parameters) {
		buf_str(&b, json_str_or_empty(parameters, "kind"));
		if (json_str(parameters, "apiGroup"))
			buf_printf(&b, ".%s", json_str(parameters, "apiGroup"));
		buf_printf(&b, "/%s", json_str_or_empty(parameters, "name"));
	}
	cell_name(ret, obj);
	cell_str(ret, json_str(spec, "controller"));
	cell_str_or(ret, b.data, "<none>");
	cell_age(ret, obj, now_us);
}

const struct kind kind_ingress_class = {
	.api_version = "networking.k8s.io/v1",
	.kind = "IngressClass",
	.definition = "networking.v1.IngressClass",
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
