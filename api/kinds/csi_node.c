/* CSINode (storage.k8s.io/v1): the storage drivers of a node. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "api/kinds/storage.h"

#define NODE_ID_MAX 256

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec");

	if (!json_get(spec, "drivers")) /* Kubernetes writes the list without items as null */
		json_set(spec, "drivers", NULL);
}

static void validate_driver(const struct json_object *driver, struct field_path *path,
			    struct field_errors *errors)
{
	const char *id = json_str_or_empty(driver, "nodeID");
	const struct json_object *keys = json_get(driver, "topologyKeys");
	size_t mark;

	storage_validate_driver(driver, "name", path, errors);
	if (!*id)
		fault_required(errors, path, "nodeID", "");
	if (strlen(id) > NODE_ID_MAX)
		fault_str(errors, path, "nodeID", id, "must be 256 characters or less");
	mark = field_push(path, "allocatable");
	validate_non_negative(json_get(driver, "allocatable"), "count", path, errors);
	field_pop(path, mark);
	mark = field_push(path, "topologyKeys");
	for (size_t i = 0; i < json_len(keys); i++) {
		const char *key = json_object_get_string(json_at(keys, i));
		struct name_faults faults = { .n = 0 };

		if (!*key)
			field_error_required(errors, path, "");
		name_check_qualified(key, &faults);
		fault_names(errors, path, NULL, key, &faults);
	}
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *drivers = json_path(obj, "spec", "drivers", NULL);
	struct field_path path;

	field_path_init(&path, "spec.drivers");
	if (!fault_list_fits(errors, &path, drivers))
		return;
	for (size_t i = 0; i < json_len(drivers); i++) {
		const char *name = json_str_or_empty(json_at(drivers, i), "name");
		size_t item = field_push_index(&path, i), k = 0;

		validate_driver(json_at(drivers, i), &path, errors);
		while (k < i && strcmp(json_str_or_empty(json_at(drivers, k), "name"), name) != 0)
			k++;
		if (k < i)
			fault_duplicate(errors, &path, "name", name);
		field_pop(&path, item);
	}
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Drivers", "integer", "", "How many drivers the node has.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_int(ret, (int64_t)json_len(json_path(obj, "spec", "drivers", NULL)));
	cell_age(ret, obj, now_us);
}

const struct kind kind_csi_node = {
	.api_version = "storage.k8s.io/v1",
	.kind = "CSINode",
	.definition = "storage.v1.CSINode",
	.set_defaults = set_defaults,
	.validate = validate,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
