/* ServiceAccount (core/v1). */
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "lib/mem.h"

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_age(ret, obj, now_us);
}

const struct kind kind_service_account = {
	.api_version = "v1",
	.kind = "ServiceAccount",
	.definition = "core.v1.ServiceAccount",
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
