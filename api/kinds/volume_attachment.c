/* VolumeAttachment (storage.k8s.io/v1): a volume that is to be at a node. */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/storage.h"

#define ONE_SOURCE "must specify exactly one of inlineVolumeSpec and persistentVolumeName"

static void set_defaults(struct json_object *obj)
{
	json_ensure_object(json_ensure_object(obj, "spec"), "source");
	default_bool(json_ensure_object(obj, "status"), "attached", false);
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object();

	json_set_bool(status, "attached", false);
	json_set(obj, "status", status);
}

static void validate_source(const struct json_object *source, struct field_path *path,
			    struct field_errors *errors)
{
	const char *name = json_str(source, "persistentVolumeName");
	const struct json_object *inlined = json_get(source, "inlineVolumeSpec");

	if (!name && !inlined)
		field_error_required(errors, path, ONE_SOURCE);
	else if (name && inlined)
		field_error_forbidden(errors, path, ONE_SOURCE);
	else if (name && !*name)
		fault_required(errors, path, "persistentVolumeName",
			       "must specify non empty persistentVolumeName");
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	const char *node = json_str_or_empty(spec, "nodeName");
	struct name_faults faults = { .n = 0 };
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	storage_validate_driver(spec, "attacher", &path, errors);
	mark = field_push(&path, "source");
	validate_source(json_get(spec, "source"), &path, errors);
	field_pop(&path, mark);
	name_check_dns_subdomain(node, false, &faults);
	fault_names(errors, &path, "nodeName", node, &faults);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "");
	validate_immutable(obj, old, "spec", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Attacher", "string", "name", "The driver that brings it there.", 0 },
	{ "PV", "string", "", "The volume.", 0 },
	{ "Node", "string", "", "The node.", 0 },
	{ "Attached", "boolean", "", "True when it is there.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec");

	cell_name(ret, obj);
	cell_str(ret, json_str(spec, "attacher"));
	cell_str(ret, json_str(json_get(spec, "source"), "persistentVolumeName"));
	cell_str(ret, json_str(spec, "nodeName"));
	cell_bool(ret, json_boolean(json_get(obj, "status"), "attached", false));
	cell_age(ret, obj, now_us);
}

const struct kind kind_volume_attachment = {
	.api_version = "storage.k8s.io/v1",
	.kind = "VolumeAttachment",
	.definition = "storage.v1.VolumeAttachment",
	.has_status = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
