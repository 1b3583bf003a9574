/* CSIStorageCapacity (storage.k8s.io/v1): how much room there is for volumes of a class, and where. */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "lib/quantity.h"

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const amounts[] = { "capacity", "maximumVolumeSize" };
	const char *class = json_str_or_empty(obj, "storageClassName");
	struct name_faults faults = { .n = 0 };
	struct quantity q;
	struct field_path path;

	field_path_init(&path, "nodeTopology");
	validate_label_selector(json_get(obj, "nodeTopology"), &path, errors);
	field_path_init(&path, "");
	name_check_dns_subdomain(class, false, &faults);
	fault_names(errors, &path, "storageClassName", class, &faults);
	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
		const char *text = json_str(obj, amounts[i]);

		if (text && quantity_parse(text, &q) && q.nano < 0)
			fault_str(errors, &path, amounts[i], text, "must be greater than or equal to 0");
	}
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "");
	validate_immutable(obj, old, "nodeTopology", &path, errors);
	validate_immutable(obj, old, "storageClassName", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "StorageClassName", "string", "", "The class of the volumes.", 0 },
	{ "Capacity", "string", "", "How much room there is.", 0 },
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	(void)now_us;
	cell_name(ret, obj);
	cell_str(ret, json_str(obj, "storageClassName"));
	cell_quantity(ret, obj, "capacity", "<unset>");
}

const struct kind kind_csi_storage_capacity = {
	.api_version = "storage.k8s.io/v1",
	.kind = "CSIStorageCapacity",
	.definition = "storage.v1.CSIStorageCapacity",
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
