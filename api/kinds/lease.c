/* Lease (coordination.k8s.io/v1): heartbeats of nodes and leader election. */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"

static void set_defaults(struct json_object *obj)
{
	json_ensure_object(obj, "spec");
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	int64_t seconds = json_int(spec, "leaseDurationSeconds", 1);
	int64_t transitions = json_int(spec, "leaseTransitions", 0);
	struct field_path path;

	field_path_init(&path, "spec");
	if (seconds <= 0)
		fault_int(errors, &path, "leaseDurationSeconds", seconds, "must be greater than 0");
	if (transitions < 0)
		fault_int(errors, &path, "leaseTransitions", transitions,
			  "must be greater than or equal to 0");
	if (default_has_str(spec, "preferredHolder") && !default_has_str(spec, "strategy"))
		fault_forbidden(errors, &path, "preferredHolder",
				"may only be specified when `strategy` is defined");
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Holder", "string", "", "Who holds the lease now.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_str(ret, json_str(json_get(obj, "spec"), "holderIdentity"));
	cell_age(ret, obj, now_us);
}

const struct kind kind_lease = {
	.api_version = "coordination.k8s.io/v1",
	.kind = "Lease",
	.definition = "coordination.v1.Lease",
	.create_on_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
