/* ComponentStatus (core/v1): deprecated, and never stored: see apiserver/component_status.c. */
#include <string.h>

#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "lib/mem.h"

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Status", "string", "", "Healthy, Unhealthy or Unknown.", 0 },
	{ "Message", "string", "", "What it says of itself.", 0 },
	{ "Error", "string", "", "What is wrong with it.", 0 },
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *conditions = json_get(obj, "conditions"), *healthy = NULL;
	const char *status = "Unknown";

	(void)now_us;
	for (size_t i = 0; i < json_len(conditions) && !healthy; i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Healthy") == 0)
			healthy = json_at(conditions, i);
	if (healthy)
		status = strcmp(json_str_or_empty(healthy, "status"), "True") == 0 ? "Healthy" : "Unhealthy";
	cell_name(ret, obj);
	cell_str(ret, status);
	cell_str(ret, json_str(healthy, "message"));
	cell_str(ret, json_str(healthy, "error"));
}

const struct kind kind_component_status = {
	.api_version = "v1",
	.kind = "ComponentStatus",
	.definition = "core.v1.ComponentStatus",
	.deprecated = "v1 ComponentStatus is deprecated in v1.19+",
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
