/* APIService (apiregistration.k8s.io/v1): which versions of which groups are served. Those of this server
 * alone: their condition says that they are local, and one that names a service elsewhere is refused.
 */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "lib/timefmt.h"

/* apiserver/api_services.c has the groups' own. */
#define GROUP_PRIORITY_MAX   20000
#define VERSION_PRIORITY_MAX 1000

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object(), *condition = json_object_new_object();
	char now[TIMEFMT_SIZE];

	json_set_str(condition, "type", "Available");
	json_set_str(condition, "status", "True");
	json_set_str(condition, "lastTransitionTime", time_format(time_now_us(), now));
	json_set_str(condition, "reason", "Local");
	json_set_str(condition, "message", "Local APIServices are always available");
	json_object_array_add(json_ensure_array(status, "conditions"), condition);
	json_set(obj, "status", status);
}

static void validate_name(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	const char *name = json_str_or_empty(json_get(obj, "metadata"), "name");
	CLEANUP(mem_freep)
	char *wanted =
	    mem_printf("%s.%s", json_str_or_empty(spec, "version"), json_str_or_empty(spec, "group"));
	struct field_path path;

	field_path_init(&path, "metadata.name");
	if (strcmp(name, wanted) != 0)
		field_error_invalid_str(errors, &path, name,
					"must be `spec.version+\".\"+spec.group`: \"%s\"", wanted);
}

static void validate_group(const struct json_object *spec, struct field_path *path,
			   struct field_errors *errors)
{
	const char *group = json_str_or_empty(spec, "group"), *version = json_str_or_empty(spec, "version");
	struct name_faults faults = { .n = 0 };

	if (!*group && strcmp(version, "v1") != 0)
		fault_required(errors, path, "group",
			       "only v1 may have an empty group and it better be legacy kube");
	if (*group)
		name_check_dns_subdomain(group, false, &faults);
	fault_names(errors, path, "group", group, &faults);
	faults.n = 0;
	name_check_dns1035_label(version, false, &faults);
	fault_names(errors, path, "version", version, &faults);
}

static void validate_priority(const struct json_object *spec, const char *key, int max,
			      struct field_path *path, struct field_errors *errors)
{
	int64_t value = json_int(spec, key, 0);
	size_t mark = field_push(path, key);

	if (value <= 0 || value > max)
		field_error_invalid_int(errors, path, value, "must be positive and less than %d", max);
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;

	validate_name(obj, errors);
	field_path_init(&path, "spec");
	validate_group(spec, &path, errors);
	validate_priority(spec, "groupPriorityMinimum", GROUP_PRIORITY_MAX, &path, errors);
	validate_priority(spec, "versionPriority", VERSION_PRIORITY_MAX, &path, errors);
	if (json_get(spec, "service"))
		fault_forbidden(errors, &path, "service",
				"this server has no aggregation layer: define the resources by "
				"CustomResourceDefinitions instead");
	if (*json_str_or_empty(spec, "caBundle"))
		fault_forbidden(errors, &path, "caBundle", "local APIServices may not have a caBundle");
	if (json_boolean(spec, "insecureSkipTLSVerify", false))
		fault_forbidden(errors, &path, "insecureSkipTLSVerify",
				"local APIServices may not have insecureSkipTLSVerify");
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Service", "string", "", "Who serves it; Local is this server.", 0 },
	{ "Available", "string", "", "Whether it is served.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);
	CLEANUP(buf_close) struct buf available = BUF_INIT;

	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);
		const char *status = json_str_or_empty(c, "status");
		if (strcmp(json_str_or_empty(c, "type"), "Available") != 0)
			continue;
		buf_str(&available, status);
		if (strcmp(status, "True") != 0)
			buf_printf(&available, " (%s)", json_str_or_empty(c, "reason"));
	}
	cell_name(ret, obj);
	cell_str(ret, "Local");
	cell_str(ret, available.len ? available.data : "Unknown");
	cell_age(ret, obj, now_us);
}

const struct kind kind_api_service = {
	.api_version = "apiregistration.k8s.io/v1",
	.kind = "APIService",
	.definition = "apiregistration.v1.APIService",
	.any_finalizer = true,
	.name_check = name_check_path_segment,
	.has_status = true,
	.prepare_create = prepare_create,
	.validate = validate,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
