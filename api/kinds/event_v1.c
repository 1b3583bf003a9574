/* Event as events.k8s.io/v1 shows it: the same members by other names. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/defaults.h"
#include "api/kinds/event.h"
#include "api/kinds/kinds.h"

static const struct {
	const char *here, *stored;
} members[] = {
	{ "note", "message" },
	{ "regarding", "involvedObject" },
	{ "reportingController", "reportingComponent" },
	{ "deprecatedSource", "source" },
	{ "deprecatedFirstTimestamp", "firstTimestamp" },
	{ "deprecatedLastTimestamp", "lastTimestamp" },
	{ "deprecatedCount", "count" },
};

static void rename_member(struct json_object *obj, const char *from, const char *to)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, from, &value))
		return;
	json_set(obj, to, json_object_get(value));
	json_object_object_del(obj, from);
}

static void drop_empty(struct json_object *obj, const char *key)
{
	const char *text = json_str(obj, key);

	if (text && !*text)
		json_object_object_del(obj, key);
}

static void from_stored(struct json_object *obj)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		rename_member(obj, members[i].stored, members[i].here);
	drop_empty(obj, "reportingController");
	drop_empty(obj, "reportingInstance");
}

static void to_stored(struct json_object *obj)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		rename_member(obj, members[i].here, members[i].stored);
}

static void validate_series(const struct json_object *obj, struct field_path *path,
			    struct field_errors *errors)
{
	const struct json_object *series = json_get(obj, "series");

	if (!series)
		return;
	if (json_int(series, "count", 0) < 2)
		fault_str(errors, path, "series.count", "", "should be at least 2");
	if (!json_get(series, "lastObservedTime"))
		fault_required(errors, path, "series.lastObservedTime", "");
}

/* Stricter than the older version: no members of the older form. */
static void validate_create(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const older[] = { "firstTimestamp", "lastTimestamp", "count" };
	const struct json_object *source = json_get(obj, "source");
	const char *type = json_str_or_empty(obj, "type");
	CLEANUP(mem_freep) char *detail = mem_printf("has invalid value: %.64s", type);
	struct field_path path;

	field_path_init(&path, "");
	validate_series(obj, &path, errors);
	if (!json_get(obj, "eventTime"))
		fault_required(errors, &path, "eventTime", "");
	if (strcmp(type, "Normal") != 0 && strcmp(type, "Warning") != 0)
		fault_str(errors, &path, "type", "", detail);
	for (size_t i = 0; i < ARRAY_SIZE(older); i++)
		if (json_get(obj, older[i]) && json_int(obj, older[i], 1) != 0)
			fault_str(errors, &path, older[i], "", "needs to be unset");
	if (default_has_str(source, "component") || default_has_str(source, "host"))
		fault_str(errors, &path, "source", "", "needs to be unset");
}

/* What happened does not change; only that it went on happening. */
static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const fixed[] = { "involvedObject", "reason",    "message",
					     "related",        "type",      "reportingComponent",
					     "action",         "eventTime", "reportingInstance" };
	struct field_path path;

	field_path_init(&path, "");
	validate_series(obj, &path, errors);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		validate_immutable(obj, old, fixed[i], &path, errors);
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	CLEANUP(json_putp) struct json_object *stored = json_clone(obj);

	to_stored(stored);
	event_cells(stored, now_us, ret);
}

static const char *const selectable_fields[] = {
	"regarding.kind",
	"regarding.namespace",
	"regarding.name",
	"regarding.uid",
	"regarding.apiVersion",
	"regarding.resourceVersion",
	"regarding.fieldPath",
	"reason",
	"reportingController",
	"type",
	NULL,
};

static const char *const field_paths[] = {
	"involvedObject.kind",
	"involvedObject.namespace",
	"involvedObject.name",
	"involvedObject.uid",
	"involvedObject.apiVersion",
	"involvedObject.resourceVersion",
	"involvedObject.fieldPath",
	"reason",
	"reportingComponent",
	"type",
	NULL,
};

static const struct kind_view view = {
	.api_version = "v1",
	.to_stored = to_stored,
	.from_stored = from_stored,
};

const struct kind kind_event_v1 = {
	.api_version = "events.k8s.io/v1",
	.kind = "Event",
	.definition = "events.v1.Event",
	.view = &view,
	.validate_create = validate_create,
	.validate_update = validate_update,
	.selectable_fields = selectable_fields,
	.field_paths = field_paths,
	.columns = event_columns,
	.n_columns = EVENT_COLUMNS,
	.cells = cells,
};
