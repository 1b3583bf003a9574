/* PriorityClass (scheduling.k8s.io/v1). */
#include <stdio.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"

#define USER_MAX INT64_C(1000000000)

/* Those that every cluster has. */
static const struct {
	const char *name;
	int64_t value;
} system_classes[] = {
	{ "system-node-critical", 2000001000 },
	{ "system-cluster-critical", 2000000000 },
};

static void set_defaults(struct json_object *obj)
{
	default_int(obj, "value", 0);
	default_str(obj, "preemptionPolicy", "PreemptLowerPriority");
}

/* A name that begins with "system-" is one of those, as it is there. */
static void validate_system(const struct json_object *obj, const char *name, struct field_path *path,
			    struct field_errors *errors)
{
	char why[160] = "", text[320];
	size_t i = 0;

	while (i < ARRAY_SIZE(system_classes) && strcmp(system_classes[i].name, name) != 0)
		i++;
	if (i == ARRAY_SIZE(system_classes))
		snprintf(why, sizeof(why), "%.100s is not a known system priority class", name);
	else if (json_int(obj, "value", 0) != system_classes[i].value)
		snprintf(why, sizeof(why), "value of %s PriorityClass must be %lld", name,
			 (long long)system_classes[i].value);
	else if (json_boolean(obj, "globalDefault", false))
		snprintf(why, sizeof(why), "globalDefault of %s PriorityClass must be false", name);
	snprintf(text, sizeof(text),
		 "priority class names with 'system-' prefix are reserved for system use only. error: %s",
		 why);
	if (*why)
		fault_forbidden(errors, path, "metadata.name", text);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const policies[] = { "Never", "PreemptLowerPriority", NULL };
	const char *name = json_str_or_empty(json_get(obj, "metadata"), "name");
	struct field_path path;

	field_path_init(&path, "");
	if (strncmp(name, "system-", 7) == 0)
		validate_system(obj, name, &path, errors);
	else if (json_int(obj, "value", 0) > USER_MAX)
		fault_forbidden(errors, &path, "value",
				"maximum allowed value of a user defined priority is 1000000000");
	validate_enum(obj, "preemptionPolicy", policies, false, &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "");
	if (json_int(obj, "value", 0) != json_int(old, "value", 0))
		fault_forbidden(errors, &path, "value", "may not be changed in an update.");
	validate_immutable(obj, old, "preemptionPolicy", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Value", "integer", "", "The priority of its pods.", 0 },
	{ "Global-Default", "boolean", "", "True when it is that of pods that name none.", 0 },
	CELL_COLUMN_AGE,
	{ "PreemptionPolicy", "string", "", "Whether its pods may take the place of lesser ones.", 0 },
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_int(ret, json_int(obj, "value", 0));
	cell_bool(ret, json_boolean(obj, "globalDefault", false));
	cell_age(ret, obj, now_us);
	cell_str(ret, json_str(obj, "preemptionPolicy"));
}

const struct kind kind_priority_class = {
	.api_version = "scheduling.k8s.io/v1",
	.kind = "PriorityClass",
	.definition = "scheduling.v1.PriorityClass",
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
