/* ControllerRevision (apps/v1): a state of a workload that its controller may go back to. */
#include <ctype.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"

static void set_defaults(struct json_object *obj)
{
	if (!json_get(obj, "revision"))
		json_set_int(obj, "revision", 0);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *data = json_get(obj, "data");
	struct field_path path;

	field_path_init(&path, "");
	if (!data)
		fault_required(errors, &path, "data", "data is mandatory");
	else if (!json_object_is_type(data, json_type_object))
		fault_json(errors, &path, "data", data, "must be a valid JSON object");
	validate_non_negative(obj, "revision", &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "");
	validate_immutable(obj, old, "data", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Controller", "string", "", "The object it is a state of.", 0 },
	{ "Revision", "string", "", "Its number: newer ones are higher.", 0 },
	CELL_COLUMN_AGE,
};

/* "statefulset.apps/web" */
static void cell_controller(struct json_object *cells, const struct json_object *owners)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(owners); i++) {
		const struct json_object *owner = json_at(owners, i);
		const char *version = json_str_or_empty(owner, "apiVersion"), *slash = strchr(version, '/');

		if (!json_boolean(owner, "controller", false))
			continue;
		buf_str(&b, json_str_or_empty(owner, "kind"));
		if (slash)
			buf_printf(&b, ".%.*s", (int)(slash - version), version);
		for (size_t k = 0; k < b.len; k++)
			b.data[k] = (char)tolower((unsigned char)b.data[k]);
		buf_printf(&b, "/%s", json_str_or_empty(owner, "name"));
		break;
	}
	cell_str_or(cells, b.data, "<none>");
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_controller(ret, json_path(obj, "metadata", "ownerReferences", NULL));
	cell_int(ret, json_int(obj, "revision", 0));
	cell_age(ret, obj, now_us);
}

const struct kind kind_controller_revision = {
	.api_version = "apps/v1",
	.kind = "ControllerRevision",
	.definition = "apps.v1.ControllerRevision",
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
