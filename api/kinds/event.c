/* Event (core/v1): what happened to an object. Both the older form (count, firstTimestamp) and the newer one
 * (eventTime, series, reporting controller) come in this kind.
 */
#include "api/kinds/event.h"

#include <ctype.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "lib/timefmt.h"

#define TEXT_MAX    128
#define MESSAGE_MAX 1024

static void set_defaults(struct json_object *obj)
{
	json_ensure_object(obj, "involvedObject");
	json_ensure_object(obj, "source");
	default_null(obj, "firstTimestamp");
	default_null(obj, "lastTimestamp");
	default_null(obj, "eventTime");
	default_empty_str(obj, "reportingComponent");
	default_empty_str(obj, "reportingInstance");
}

static void validate_text(const struct json_object *obj, const char *key, struct field_path *path,
			  struct field_errors *errors)
{
	const char *text = json_str_or_empty(obj, key);

	if (!*text)
		fault_required(errors, path, key, "");
	if (strlen(text) > TEXT_MAX)
		fault_str(errors, path, key, "", "can have at most 128 characters");
}

/* Rules of events that have an eventTime; older clients send none and are held to less. */
static void validate_new_form(const struct json_object *obj, struct field_path *path,
			      struct field_errors *errors)
{
	const char *component = json_str_or_empty(obj, "reportingComponent");
	struct name_faults faults = { .n = 0 };

	if (!*component)
		fault_required(errors, path, "reportingComponent", "");
	name_check_qualified(component, &faults);
	fault_names(errors, path, "reportingComponent", component, &faults);
	validate_text(obj, "reportingInstance", path, errors);
	validate_text(obj, "action", path, errors);
	validate_text(obj, "reason", path, errors);
	if (strlen(json_str_or_empty(obj, "message")) > MESSAGE_MAX)
		fault_str(errors, path, "message", "", "can have at most 1024 characters");
}

/* An event lies in the namespace of what it is about; about cluster-wide objects, in "default". */
static bool namespace_agrees(const char *namespace, const char *about, bool new_form)
{
	if (*about)
		return strcmp(namespace, about) == 0;
	return strcmp(namespace, "default") == 0 || strcmp(namespace, new_form ? "kube-system" : "") == 0;
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const char *namespace = json_str_or_empty(json_get(obj, "metadata"), "namespace");
	const char *about = json_str_or_empty(json_get(obj, "involvedObject"), "namespace");
	bool new_form = json_get(obj, "eventTime") != NULL;
	struct field_path path;

	if (!namespace_agrees(namespace, about, new_form)) {
		field_path_init(&path, "involvedObject");
		fault_str(errors, &path, "namespace", about, "does not match event.namespace");
	}
	field_path_init(&path, "");
	if (new_form)
		validate_new_form(obj, &path, errors);
}

const struct kind_column event_columns[EVENT_COLUMNS] = {
	{ "Last Seen", "string", "", "Time since it was last seen.", 0 },
	{ "Type", "string", "", "Normal or Warning.", 0 },
	{ "Reason", "string", "", "Short word for why it happened.", 0 },
	{ "Object", "string", "", "The object it is about.", 0 },
	{ "Subobject", "string", "", "The part of the object it is about.", 1 },
	{ "Source", "string", "", "The component that reported it, and its host.", 1 },
	{ "Message", "string", "", "What happened, for people.", 0 },
	{ "First Seen", "string", "", "Time since it was first seen.", 1 },
	{ "Count", "string", "", "How often it happened.", 1 },
	{ "Name", "string", "name", "Name of the event.", 1 },
};

static void cell_object(struct json_object *ret, const struct json_object *about)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const char *name = json_str_or_empty(about, "name");

	for (const char *p = json_str_or_empty(about, "kind"); *p; p++)
		buf_char(&b, (char)tolower((unsigned char)*p));
	if (*name)
		buf_printf(&b, "/%s", name);
	cell_buf(ret, &b);
}

static void cell_source(struct json_object *ret, const struct json_object *obj)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const struct json_object *source = json_get(obj, "source");
	const char *host = json_str_or_empty(source, "host");

	if (default_has_str(source, "component"))
		buf_str(&b, json_str(source, "component"));
	else
		buf_str(&b, json_str_or_empty(obj, "reportingComponent"));
	if (*host)
		buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", host);
	cell_buf(ret, &b);
}

static void cell_message(struct json_object *ret, const char *message)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	size_t len;

	while (isspace((unsigned char)*message))
		message++;
	for (len = strlen(message); len > 0 && isspace((unsigned char)message[len - 1]);)
		len--;
	buf_add(&b, message, len);
	cell_buf(ret, &b);
}

void event_cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *about = json_get(obj, "involvedObject"), *series = json_get(obj, "series");
	char first_text[TIMEFMT_SIZE], last_text[TIMEFMT_SIZE];
	const char *first_time = json_str(obj, "firstTimestamp"), *last_time = json_str(obj, "lastTimestamp");
	const char *first, *last;
	int64_t count = json_int(obj, "count", 0);

	if (!first_time)
		first_time = json_str(obj, "eventTime");
	first = cell_since(first_time, now_us, first_text, sizeof(first_text));
	if (series) {
		last_time = json_str(series, "lastObservedTime");
		count = json_int(series, "count", 0);
	} else {
		/* One that happened once has no count in the newer form. */
		count = count == 0 ? 1 : count;
		last_time = last_time ? last_time : first_time;
	}
	last = cell_since(last_time, now_us, last_text, sizeof(last_text));

	cell_str(ret, last);
	cell_str(ret, json_str(obj, "type"));
	cell_str(ret, json_str(obj, "reason"));
	cell_object(ret, about);
	cell_str(ret, json_str(about, "fieldPath"));
	cell_source(ret, obj);
	cell_message(ret, json_str_or_empty(obj, "message"));
	cell_str(ret, first);
	cell_int(ret, count);
	cell_name(ret, obj);
}

static const char *const selectable_fields[] = {
	"involvedObject.kind",
	"involvedObject.namespace",
	"involvedObject.name",
	"involvedObject.uid",
	"involvedObject.apiVersion",
	"involvedObject.resourceVersion",
	"involvedObject.fieldPath",
	"reason",
	"reportingComponent",
	"source",
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
	"source.component",
	"type",
	NULL,
};

const struct kind kind_event = {
	.api_version = "v1",
	.kind = "Event",
	.definition = "core.v1.Event",
	.unconditional_update = true,
	.create_on_update = true,
	.name_check = name_check_path_segment,
	.set_defaults = set_defaults,
	.validate = validate,
	.selectable_fields = selectable_fields,
	.field_paths = field_paths,
	.field_else = { "source.component", "reportingComponent" },
	.columns = event_columns,
	.n_columns = EVENT_COLUMNS,
	.cells = event_cells,
};
