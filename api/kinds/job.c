/* Job (batch/v1). Unless spec.manualSelector says otherwise, selector and labels of its pods are made of its
 * uid and name when it is created.
 */
#include "api/kinds/job.h"

#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"
#include "lib/timefmt.h"

#define UID_LABEL "batch.kubernetes.io/controller-uid"

/* Labels that a Job's pods carry, by the newer and the older name, and where the value comes from. */
static const struct {
	const char *label, *member;
} own_labels[] = {
	{ UID_LABEL, "uid" },
	{ "batch.kubernetes.io/job-name", "name" },
	{ "controller-uid", "uid" },
	{ "job-name", "name" },
};

/* A Job without labels shows those of its pods. */
static void default_labels(struct json_object *obj)
{
	const struct json_object *labels = json_path(obj, "spec", "template", "metadata", "labels", NULL);
	struct json_object *metadata = json_ensure_object(obj, "metadata");
	const struct json_object *own = json_get(metadata, "labels");

	if (labels && json_object_object_length(labels) > 0 && (!own || json_object_object_length(own) == 0))
		json_set(metadata, "labels", json_clone(labels));
}

static void set_defaults(struct json_object *obj)
{
	static const char *const times[] = { "lastProbeTime", "lastTransitionTime", NULL };
	struct json_object *spec = json_ensure_object(obj, "spec");

	job_default_spec(spec);
	default_labels(obj);
	default_null_each(json_get(json_ensure_object(obj, "status"), "conditions"), times);
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"), *labels, *matched;
	const struct json_object *metadata = json_get(obj, "metadata");

	json_set(obj, "status", json_object_new_object());
	if (json_boolean(spec, "manualSelector", false) || !json_get(spec, "template"))
		return;
	labels = json_ensure_object(json_ensure_object(json_get(spec, "template"), "metadata"), "labels");
	for (size_t i = 0; i < ARRAY_SIZE(own_labels); i++)
		if (!json_get(labels, own_labels[i].label))
			json_set_str(labels, own_labels[i].label,
				     json_str_or_empty(metadata, own_labels[i].member));
	matched = json_ensure_object(json_ensure_object(spec, "selector"), "matchLabels");
	if (!json_get(matched, UID_LABEL))
		json_set_str(matched, UID_LABEL, json_str_or_empty(metadata, "uid"));
	default_labels(obj);
}

/* --- validation --- */

/* A selector that was to be made here and was not: labels that somebody else wrote. */
static void validate_made_selector(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *metadata = json_get(obj, "metadata");
	const struct json_object *labels = json_path(spec, "template", "metadata", "labels", NULL);
	CLEANUP(json_putp) struct json_object *expected = json_object_new_object();
	CLEANUP(selector_close) struct selector selector = { 0 };
	struct field_path path;

	if (json_boolean(spec, "manualSelector", false) || !json_get(spec, "selector"))
		return;
	field_path_init(&path, "spec.template.metadata.labels");
	for (size_t i = 0; i < ARRAY_SIZE(own_labels); i++) {
		const char *key = own_labels[i].label, *found = json_str(labels, key);
		const char *wanted = json_str_or_empty(metadata, own_labels[i].member);
		CLEANUP(mem_freep) char *detail = mem_printf("must be '%s'", wanted);
		size_t mark = field_push_key(&path, key);

		if (!found)
			field_error_required(errors, &path, detail);
		else if (strcmp(found, wanted) != 0)
			field_error_add(errors, FIELD_INVALID, &path, labels, "%s", detail);
		field_pop(&path, mark);
		json_set_str(expected, key, wanted);
	}
	field_path_init(&path, "spec");
	if (selector_from_json(json_get(spec, "selector"), &selector, NULL) == 0 &&
	    !selector_matches_json(&selector, expected))
		fault_json(errors, &path, "selector", json_get(spec, "selector"),
			   "`selector` not auto-generated");
}

static void validate_selector(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	const struct json_object *selector = json_get(spec, "selector");
	const struct json_object *labels = json_path(spec, "template", "metadata", "labels", NULL);
	CLEANUP(selector_close) struct selector parsed = { 0 };
	size_t mark = field_push(path, "selector");

	if (selector)
		validate_label_selector(selector, path, errors);
	else
		field_error_required(errors, path, "");
	field_pop(path, mark);
	if (selector_from_json(selector, &parsed, NULL) == 0 && !selector_matches_json(&parsed, labels))
		fault_json(errors, path, "template.metadata.labels", labels,
			   "`selector` does not match template `labels`");
}

/* Pods of an indexed Job have its name and their index as their hostname. */
static void validate_hostname(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	const char *name = json_str_or_empty(json_get(obj, "metadata"), "name");
	int64_t completions = json_int(spec, "completions", 0);
	struct name_faults faults = { .n = 0 };
	struct field_path path;

	if (!job_is_indexed(spec) || completions <= 0)
		return;
	CLEANUP(mem_freep) char *hostname = mem_printf("%s-%lld", name, (long long)completions - 1);
	CLEANUP(mem_freep)
	char *detail = mem_printf("will not able to create pod with invalid DNS hostname: %s", hostname);
	name_check_dns_label(hostname, false, &faults);
	field_path_init(&path, "metadata");
	if (faults.n > 0)
		fault_str(errors, &path, "name", name, detail);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	struct field_path path;

	validate_made_selector(obj, errors);
	field_path_init(&path, "spec");
	job_validate_spec(json_get(obj, "spec"), &path, errors);
	validate_selector(json_get(obj, "spec"), &path, errors);
	validate_hostname(obj, errors);
}

static void validate_completions(const struct json_object *spec, const struct json_object *old,
				 struct field_path *path, struct field_errors *errors)
{
	const struct json_object *completions = json_get(spec, "completions");

	if (!job_is_indexed(spec))
		validate_immutable(spec, old, "completions", path, errors);
	else if (completions && !json_equal(completions, json_get(old, "completions")) &&
		 !json_equal(completions, json_get(spec, "parallelism")))
		fault_json(errors, path, "completions", completions,
			   "can only be modified in tandem with spec.parallelism");
}

static void copy_each(struct json_object *to, const struct json_object *from, const char *const *keys)
{
	for (; *keys; keys++) {
		const struct json_object *value = json_get(from, *keys);

		if (value)
			json_set(to, *keys, json_clone(value));
		else
			json_object_object_del(to, *keys);
	}
}

/* A Job that waits and never ran may still be told where its pods may go, and what they need. */
static void validate_template_update(const struct json_object *obj, const struct json_object *old,
				     struct field_path *path, struct field_errors *errors)
{
	static const char *const metadata_keys[] = { "labels", "annotations", NULL };
	static const char *const spec_keys[] = { "affinity", "nodeSelector", "tolerations", "schedulingGates",
						 NULL };
	static const char *const container_keys[] = { "resources", NULL };
	static const char *const lists[] = { "containers", "initContainers" };
	const struct json_object *template = json_path(obj, "spec", "template", NULL),
				 *old_spec = json_get(old, "spec");
	CLEANUP(json_putp) struct json_object *allowed = json_clone(json_get(old_spec, "template"));
	struct json_object *spec = json_ensure_object(allowed, "spec");

	if (json_boolean(old_spec, "suspend", false) && !json_path(old, "status", "startTime", NULL)) {
		copy_each(json_ensure_object(allowed, "metadata"), json_get(template, "metadata"),
			  metadata_keys);
		copy_each(spec, json_get(template, "spec"), spec_keys);
		for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
			const struct json_object *from = json_get(json_get(template, "spec"), lists[l]);
			const struct json_object *to = json_get(spec, lists[l]);

			for (size_t i = 0; i < json_len(to) && i < json_len(from); i++)
				copy_each(json_at(to, i), json_at(from, i), container_keys);
		}
	}
	if (!json_equal(template, allowed))
		fault_json(errors, path, "template", template, "field is immutable");
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const fixed[] = { "completionMode", "podFailurePolicy", "backoffLimitPerIndex",
					     "managedBy", "successPolicy" };
	const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");
	struct field_path path;

	field_path_init(&path, "spec");
	validate_completions(spec, old_spec, &path, errors);
	validate_immutable(spec, old_spec, "selector", &path, errors);
	validate_template_update(obj, old, &path, errors);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		validate_immutable(spec, old_spec, fixed[i], &path, errors);
}

static bool condition(const struct json_object *status, const char *type)
{
	const struct json_object *conditions = json_get(status, "conditions");

	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);

		if (strcmp(json_str_or_empty(c, "type"), type) == 0)
			return strcmp(json_str_or_empty(c, "status"), "True") == 0;
	}
	return false;
}

/* Conditions that cannot be together, or one without the other. */
static const struct {
	const char *set, *other;
	bool needed;
	const char *detail;
} condition_rules[] = {
	{ "Complete", "Failed", false, "cannot set Complete=True and Failed=true conditions" },
	{ "Complete", "FailureTarget", false, "cannot set Complete=True and FailureTarget=true conditions" },
	{ "Complete", "SuccessCriteriaMet", true,
	  "cannot set Complete=True condition without the SuccessCriteriaMet=true condition" },
	{ "Failed", "FailureTarget", true,
	  "cannot set Failed=True condition without the FailureTarget=true condition" },
	{ "SuccessCriteriaMet", "Failed", false,
	  "cannot set Failed=True and SuccessCriteriaMet=true conditions" },
	{ "SuccessCriteriaMet", "FailureTarget", false,
	  "cannot set SuccessCriteriaMet=true and FailureTarget=true conditions" },
};

static void validate_finished(const struct json_object *status, struct field_path *path,
			      struct field_errors *errors)
{
	if (!json_get(status, "startTime"))
		fault_required(errors, path, "startTime", "startTime is required for finished job");
	if (json_int(status, "active", 0) > 0)
		fault_int(errors, path, "active", json_int(status, "active", 0),
			  "active>0 is invalid for finished job");
	if (json_int(status, "terminating", 0) > 0)
		fault_int(errors, path, "terminating", json_int(status, "terminating", 0),
			  "terminating>0 is invalid for finished job");
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const counts[] = { "active", "succeeded", "failed", "ready", "terminating", NULL };
	const struct json_object *status = json_get(obj, "status");
	const char *completed = json_str(status, "completionTime");
	int64_t start_us, completion_us;
	struct field_path path;

	(void)old;
	field_path_init(&path, "status");
	workload_validate_counts(status, counts, &path, errors);
	if (json_int(status, "ready", 0) > json_int(status, "active", 0))
		fault_int(errors, &path, "ready", json_int(status, "ready", 0),
			  "cannot set more ready pods than active");
	for (size_t i = 0; i < ARRAY_SIZE(condition_rules); i++) {
		size_t mark = field_push(&path, "conditions");

		if (condition(status, condition_rules[i].set) &&
		    condition(status, condition_rules[i].other) != condition_rules[i].needed)
			field_error_add(errors, FIELD_INVALID_BARE, &path, NULL, "%s",
					condition_rules[i].detail);
		field_pop(&path, mark);
	}
	if (completed && !condition(status, "Complete"))
		fault_str(errors, &path, "completionTime", completed,
			  "cannot set completionTime when there is no Complete=True condition");
	if (!completed && condition(status, "Complete"))
		fault_required(errors, &path, "completionTime",
			       "completionTime is required for Complete jobs");
	if (completed && time_parse(completed, &completion_us) && json_str(status, "startTime") &&
	    time_parse(json_str(status, "startTime"), &start_us) && completion_us < start_us)
		fault_str(errors, &path, "completionTime", completed,
			  "completionTime cannot be set before startTime");
	if (condition(status, "Complete") || condition(status, "Failed"))
		validate_finished(status, &path, errors);
}

/* --- cells --- */

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Status", "string", "", "What has become of it: Running, Complete, Failed ...", 0 },
	{ "Completions", "string", "", "Pods that succeeded, of those wanted.", 0 },
	{ "Duration", "string", "", "Time from its start to its completion, or now.", 0 },
	CELL_COLUMN_AGE,
	WORKLOAD_WIDE_COLUMNS,
};

static const char *state_of(const struct json_object *obj)
{
	static const char *const first[] = { "Complete", "Failed" };
	static const char *const then[] = { "Suspended", "FailureTarget", "SuccessCriteriaMet" };
	const struct json_object *status = json_get(obj, "status");

	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		if (condition(status, first[i]))
			return first[i];
	if (json_get(json_get(obj, "metadata"), "deletionTimestamp"))
		return "Terminating";
	for (size_t i = 0; i < ARRAY_SIZE(then); i++)
		if (condition(status, then[i]))
			return then[i];
	return "Running";
}

static void cell_completions(struct json_object *cells, const struct json_object *obj)
{
	const struct json_object *spec = json_get(obj, "spec");
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	long long parallelism = json_int(spec, "parallelism", 0);

	buf_printf(&b, "%lld/%lld", (long long)json_int(json_get(obj, "status"), "succeeded", 0),
		   (long long)json_int(spec, "completions", 1));
	if (!json_get(spec, "completions") && parallelism > 1)
		buf_printf(&b, " of %lld", parallelism);
	cell_buf(cells, &b);
}

static void cell_duration(struct json_object *cells, const struct json_object *status, int64_t now_us)
{
	const char *start = json_str(status, "startTime"), *end = json_str(status, "completionTime");
	int64_t end_us = now_us;

	if (end)
		time_parse(end, &end_us);
	if (start)
		cell_since_time(cells, start, end_us);
	else
		cell_str(cells, "");
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_str(ret, state_of(obj));
	cell_completions(ret, obj);
	cell_duration(ret, json_get(obj, "status"), now_us);
	cell_age(ret, obj, now_us);
	workload_wide_cells(obj, ret);
}

static const char *const selectable_fields[] = { "status.successful", NULL };
static const char *const field_paths[] = { "status.succeeded", NULL };

const struct kind kind_job = {
	.api_version = "batch/v1",
	.kind = "Job",
	.definition = "batch.v1.Job",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.orphans_by_default = true,
	.orphan_warning = "child pods are preserved by default when jobs are deleted; set "
			  "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to "
			  "suppress this warning",
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.selectable_fields = selectable_fields,
	.field_paths = field_paths,
	.warnings = workload_warn,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
