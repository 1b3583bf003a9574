/* Namespace (core/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"

static void set_defaults(struct json_object *obj)
{
	struct json_object *metadata = json_ensure_object(obj, "metadata");
	const char *name = json_str_or_empty(metadata, "name");
	static const char *const times[] = { "lastTransitionTime", NULL };

	/* Selectors over namespaces find one by name with it; a client cannot set it to anything else. */
	if (*name)
		json_set_str(json_ensure_object(metadata, "labels"), "kubernetes.io/metadata.name", name);
	json_ensure_object(obj, "spec");
	struct json_object *status = json_ensure_object(obj, "status");
	default_str(status, "phase", "Active");
	default_null_each(json_get(status, "conditions"), times);
}

/* The finalizer holds the namespace until everything in it is gone. */
static void prepare_create(struct json_object *obj)
{
	struct json_object *finalizers = json_ensure_array(json_ensure_object(obj, "spec"), "finalizers");
	struct json_object *status = json_object_new_object();
	bool found = false;

	for (size_t i = 0; i < json_len(finalizers) && !found; i++)
		found = strcmp(json_object_get_string(json_at(finalizers, i)), "kubernetes") == 0;
	if (!found)
		json_object_array_add(finalizers, json_object_new_string("kubernetes"));
	json_set_str(status, "phase", "Active");
	json_set(obj, "status", status);
}

/* spec.finalizers change through the finalize subresource only. */
static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	const struct json_object *kept = json_path(old, "spec", "finalizers", NULL);
	struct json_object *spec = json_ensure_object(obj, "spec");

	if (kept)
		json_set(spec, "finalizers", json_clone(kept));
	else
		json_object_object_del(spec, "finalizers");
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const char *phase = json_str_or_empty(json_get(obj, "status"), "phase");
	bool deleting = json_path(obj, "metadata", "deletionTimestamp", NULL) != NULL;
	struct field_path path;

	(void)old;
	field_path_init(&path, "status");
	if (!deleting && strcmp(phase, "Active") != 0)
		fault_str(errors, &path, "Phase", phase,
			  "may only be 'Active' if `deletionTimestamp` is empty");
	if (deleting && strcmp(phase, "Terminating") != 0)
		fault_str(errors, &path, "Phase", phase,
			  "may only be 'Terminating' if `deletionTimestamp` is not empty");
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Status", "string", "", "Phase of the namespace: Active, or Terminating while it is being emptied.",
	  0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_str(ret, json_str(json_get(obj, "status"), "phase"));
	cell_age(ret, obj, now_us);
}

static const char *const selectable_fields[] = { "status.phase", NULL };

static void merge_finalizers(struct json_object *merged, const struct json_object *obj)
{
	const struct json_object *finalizers = json_path(obj, "spec", "finalizers", NULL);
	struct json_object *spec = json_ensure_object(merged, "spec");

	if (finalizers)
		json_set(spec, "finalizers", json_clone(finalizers));
	else
		json_object_object_del(spec, "finalizers");
}

static const struct kind_part parts[] = {
	{ .name = "finalize", .merge = merge_finalizers },
	{ .name = NULL },
};

const struct kind kind_namespace = {
	.api_version = "v1",
	.kind = "Namespace",
	.definition = "core.v1.Namespace",
	.name_check = name_check_dns_label,
	.has_status = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate_status = validate_status,
	.selectable_fields = selectable_fields,
	.parts = parts,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
