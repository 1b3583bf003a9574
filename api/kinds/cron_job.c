/* CronJob (batch/v1). */
#include <string.h>
#include <strings.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/job.h"
#include "api/kinds/kinds.h"
#include "api/kinds/pod_spec.h"
#include "api/kinds/workload.h"
#include "lib/cron.h"
#include "lib/timefmt.h"

#define NAME_MAX_BYTES 52 /* eleven more make the name of a Job, whose pods' label it is */

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"), *template;

	default_str(spec, "concurrencyPolicy", "Allow");
	default_bool(spec, "suspend", false);
	default_int(spec, "successfulJobsHistoryLimit", 3);
	default_int(spec, "failedJobsHistoryLimit", 1);
	template = json_ensure_object(spec, "jobTemplate");
	json_ensure_object(template, "metadata");
	template = json_ensure_object(json_ensure_object(template, "spec"), "template");
	json_ensure_object(template, "metadata");
	default_pod_spec(json_ensure_object(template, "spec"));
	json_ensure_object(obj, "status");
}

static void prepare_create(struct json_object *obj)
{
	json_set(obj, "status", json_object_new_object());
}

static void validate_schedule(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	const char *schedule = json_str_or_empty(spec, "schedule");
	struct err err = ERR_INIT;

	if (!*schedule) {
		fault_required(errors, path, "schedule", "");
		return;
	}
	if (cron_parse(schedule, NULL, &err) < 0)
		fault_str(errors, path, "schedule", schedule, err.msg);
	if (strstr(schedule, "TZ"))
		fault_str(errors, path, "schedule", schedule,
			  "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
}

static void validate_job_template(const struct json_object *template, struct field_path *path,
				  struct field_errors *errors)
{
	const struct json_object *spec = json_get(template, "spec");
	size_t mark = field_push(path, "spec");

	job_validate_spec(spec, path, errors);
	if (json_get(spec, "selector"))
		fault_json(errors, path, "selector", json_get(spec, "selector"),
			   "`selector` will be auto-generated");
	field_push(path, "manualSelector");
	if (json_boolean(spec, "manualSelector", false))
		field_error_add(errors, FIELD_NOT_SUPPORTED, path, json_get(spec, "manualSelector"),
				"supported values: \"nil\", \"false\"");
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const policies[] = { "Allow", "Forbid", "Replace", NULL };
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	validate_schedule(spec, &path, errors);
	validate_non_negative(spec, "startingDeadlineSeconds", &path, errors);
	validate_enum(spec, "concurrencyPolicy", policies, true, &path, errors);
	mark = field_push(&path, "jobTemplate");
	validate_job_template(json_get(spec, "jobTemplate"), &path, errors);
	field_pop(&path, mark);
	validate_non_negative(spec, "successfulJobsHistoryLimit", &path, errors);
	validate_non_negative(spec, "failedJobsHistoryLimit", &path, errors);
}

static void validate_zone(const struct json_object *spec, struct field_errors *errors)
{
	const char *zone = json_str(spec, "timeZone");
	struct field_path path;

	field_path_init(&path, "spec");
	if (!zone)
		return;
	if (!*zone)
		fault_str(errors, &path, "timeZone", zone, "timeZone must be nil or non-empty string");
	else if (strcasecmp(zone, "Local") == 0)
		fault_str(errors, &path, "timeZone", zone,
			  "timeZone must be an explicit time zone as defined in "
			  "https://www.iana.org/time-zones");
	else if (!time_zone_known(zone)) {
		CLEANUP(mem_freep) char *detail = mem_printf("unknown time zone %.128s", zone);

		fault_str(errors, &path, "timeZone", zone, detail);
	}
}

static void validate_create(const struct json_object *obj, struct field_errors *errors)
{
	const char *name = json_str_or_empty(json_get(obj, "metadata"), "name");
	struct field_path path;

	validate_zone(json_get(obj, "spec"), errors);
	field_path_init(&path, "metadata");
	if (strlen(name) > NAME_MAX_BYTES)
		fault_str(errors, &path, "name", name, "must be no more than 52 characters");
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");

	if (!json_equal(json_get(spec, "timeZone"), json_get(old_spec, "timeZone")))
		validate_zone(spec, errors);
}

static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	const struct json_object *job = json_path(obj, "spec", "jobTemplate", "spec", NULL);

	if (!old)
		workload_warn_name(obj, "in Pod names and hostnames", call, arg);
	if (!old || !json_equal(json_get(obj, "spec"), json_get(old, "spec")))
		pod_spec_warn(json_get(job, "template"), "spec.jobTemplate.spec.template", call, arg);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Schedule", "string", "", "When it makes Jobs.", 0 },
	{ "Timezone", "string", "", "Time zone of the schedule.", 0 },
	{ "Suspend", "boolean", "", "True while it makes none.", 0 },
	{ "Active", "integer", "", "Jobs that run now.", 0 },
	{ "Last Schedule", "string", "", "Time since it last made a Job.", 0 },
	CELL_COLUMN_AGE,
	WORKLOAD_WIDE_COLUMNS,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec"), *status = json_get(obj, "status");
	const struct json_object *job = json_path(spec, "jobTemplate", "spec", NULL);
	const char *last = json_str(status, "lastScheduleTime");

	cell_name(ret, obj);
	cell_str(ret, json_str(spec, "schedule"));
	cell_str_or(ret, json_str(spec, "timeZone"), "<none>");
	cell_bool(ret, json_boolean(spec, "suspend", false));
	cell_int(ret, (int64_t)json_len(json_get(status, "active")));
	if (last)
		cell_since_time(ret, last, now_us);
	else
		cell_str(ret, "<none>");
	cell_age(ret, obj, now_us);
	workload_template_cells(json_get(job, "template"), ret);
	cell_selector(ret, json_get(job, "selector"));
}

const struct kind kind_cron_job = {
	.api_version = "batch/v1",
	.kind = "CronJob",
	.definition = "batch.v1.CronJob",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_create = validate_create,
	.validate_update = validate_update,
	.warnings = warnings,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
