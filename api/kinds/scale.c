/* Scale (autoscaling/v1): a view of others' replicas, made by apiserver/scale.c; nothing but its table is
 * here. */
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "lib/mem.h"

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Desired", "integer", "", "How many replicas there should be.", 0 },
	{ "Available", "integer", "", "How many there are.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_int(ret, json_int(json_get(obj, "spec"), "replicas", 0));
	cell_int(ret, json_int(json_get(obj, "status"), "replicas", 0));
	cell_age(ret, obj, now_us);
}

const struct kind kind_scale = {
	.api_version = "autoscaling/v1",
	.kind = "Scale",
	.definition = "autoscaling.v1.Scale",
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
