/* PersistentVolumeClaim (core/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/claim.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "lib/quantity.h"

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object();

	json_set_str(status, "phase", "Pending");
	json_set(obj, "status", status);
	claim_protect(obj, "kubernetes.io/pvc-protection");
}

static const char *storage_of(const struct json_object *spec)
{
	return json_str(json_path(spec, "resources", "requests", NULL), "storage");
}

static void validate_data_source(const struct json_object *spec, const char *key, struct field_path *path,
				 struct field_errors *errors)
{
	const struct json_object *source = json_get(spec, key);
	const char *group = json_str_or_empty(source, "apiGroup"), *kind = json_str_or_empty(source, "kind");
	size_t mark = field_push(path, key);

	if (source) {
		if (!*json_str_or_empty(source, "name"))
			fault_required(errors, path, "name", "");
		if (!*kind)
			fault_required(errors, path, "kind", "");
		if (!*group && strcmp(kind, "PersistentVolumeClaim") != 0)
			field_error_add(
			    errors, FIELD_INVALID, path, source,
			    "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
		fault_name(source, "apiGroup", false, name_check_dns_subdomain, path, errors);
	}
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	const char *storage = storage_of(spec);
	struct quantity q;
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	if (json_len(json_get(spec, "accessModes")) == 0)
		fault_required(errors, &path, "accessModes", "at least 1 access mode is required");
	mark = field_push(&path, "selector");
	validate_label_selector(json_get(spec, "selector"), &path, errors);
	field_pop(&path, mark);
	claim_validate_access_modes(spec, &path, errors);
	if (!storage)
		fault_required(errors, &path, "resources[storage]", "");
	else if (quantity_parse(storage, &q) && q.nano <= 0)
		fault_str(errors, &path, "resources[storage]", storage, "must be greater than zero");
	claim_validate_classes(spec, &path, errors);
	validate_data_source(spec, "dataSource", &path, errors);
	validate_data_source(spec, "dataSourceRef", &path, errors);
}

/* Members that may change, put back. */
static void put_back(struct json_object *spec, const struct json_object *old, bool bound)
{
	const struct json_object *attributes = json_get(old, "volumeAttributesClassName");
	const char *storage = storage_of(old);

	if (!default_has_str(old, "volumeName"))
		json_object_object_del(spec, "volumeName");
	if (!json_get(old, "storageClassName")) /* set once, by what gives claims their default class */
		json_object_object_del(spec, "storageClassName");
	json_set(spec, "volumeAttributesClassName", json_clone(attributes));
	if (!attributes)
		json_object_object_del(spec, "volumeAttributesClassName");
	if (bound && storage && storage_of(spec))
		json_set_str(json_path(spec, "resources", "requests", NULL), "storage", storage);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");
	CLEANUP(json_putp) struct json_object *rest = json_clone(spec);
	bool bound = strcmp(json_str_or_empty(json_get(obj, "status"), "phase"), "Bound") == 0;
	const char *size = storage_of(spec), *old_size = storage_of(old_spec);
	const char *capacity = json_str(json_path(obj, "status", "capacity", NULL), "storage");
	struct quantity q, old_q, capacity_q;
	struct field_path path;

	field_path_init(&path, "spec");
	put_back(rest, old_spec, bound);
	if (!json_equal(rest, old_spec))
		field_error_forbidden(errors, &path,
				      "spec is immutable after creation except resources.requests and "
				      "volumeAttributesClassName for bound claims");
	if (size && old_size && quantity_parse(size, &q) && quantity_parse(old_size, &old_q) &&
	    quantity_cmp(&q, &old_q) < 0 &&
	    (!capacity || (quantity_parse(capacity, &capacity_q) && quantity_cmp(&q, &capacity_q) <= 0)))
		fault_forbidden(errors, &path, "resources.requests.storage",
				"field can not be less than status.capacity");
	field_path_init(&path, "");
	validate_immutable(spec, old_spec, "volumeMode", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Status", "string", "", "Pending, Bound or Lost.", 0 },
	{ "Volume", "string", "", "The volume it is bound to.", 0 },
	{ "Capacity", "string", "", "Size of that volume.", 0 },
	{ "Access Modes", "string", "", "How that volume may be mounted.", 0 },
	{ "StorageClass", "string", "", "Class of storage that it asks for.", 0 },
	{ "VolumeAttributesClass", "string", "", "Class of attributes that it asks for.", 0 },
	CELL_COLUMN_AGE,
	{ "VolumeMode", "string", "", "Filesystem or Block.", 1 },
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec"), *status = json_get(obj, "status");
	bool bound = default_has_str(spec, "volumeName");

	cell_name(ret, obj);
	cell_phase(ret, obj);
	cell_str(ret, json_str(spec, "volumeName"));
	if (bound)
		cell_quantity(ret, json_get(status, "capacity"), "storage", "0");
	else
		cell_str(ret, "");
	cell_access_modes(ret, bound ? json_get(status, "accessModes") : NULL);
	cell_storage_class(ret, obj);
	cell_str_or(ret, json_str(spec, "volumeAttributesClassName"), "<unset>");
	cell_age(ret, obj, now_us);
	cell_str_or(ret, json_str(spec, "volumeMode"), "<unset>");
}

static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	static const char *const amounts[] = { "requests", "limits" };
	const struct json_object *resources = json_path(obj, "spec", "resources", NULL);

	(void)old;
	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
		const char *text = json_str(json_get(resources, amounts[i]), "storage");
		struct quantity q;

		if (!text || !quantity_parse(text, &q) || quantity_is_whole(&q))
			continue;
		CLEANUP(mem_freep)
		char *warning =
		    mem_printf("spec.resources.%s[storage]: fractional byte value \"%s\" is invalid, "
			       "must be an integer",
			       amounts[i], text);
		call(warning, arg);
	}
}

const struct kind kind_persistent_volume_claim = {
	.api_version = "v1",
	.kind = "PersistentVolumeClaim",
	.definition = "core.v1.PersistentVolumeClaim",
	.has_status = true,
	.unconditional_update = true,
	.set_defaults = claim_default,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.warnings = warnings,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
