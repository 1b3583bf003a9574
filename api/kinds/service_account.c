/* ServiceAccount (core/v1). */
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "lib/mem.h"

#define ENFORCE "kubernetes.io/enforce-mountable-secrets"

/* Once, when it comes. */
static void warnings(const struct json_object *obj, const struct json_object *old,
		     void (*warn)(const char *text, void *arg), void *arg)
{
	if (json_get(json_path(obj, "metadata", "annotations", NULL), ENFORCE) &&
	    !json_get(json_path(old, "metadata", "annotations", NULL), ENFORCE))
		warn("metadata.annotations[" ENFORCE "]: deprecated in v1.32+; prefer separate namespaces to "
		     "isolate access to mounted secrets",
		     arg);
}

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
	.warnings = warnings,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
