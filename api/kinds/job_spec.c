/* JobSpec: defaults and validation. (pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation.) */
#include <stdio.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/defaults.h"
#include "api/kinds/job.h"
#include "api/kinds/path_name.h"
#include "api/kinds/workload.h"

#define INDEXED_PARALLELISM_MAX 100000
#define MANY_COMPLETIONS        100000
#define MANY_PARALLELISM_MAX    10000
#define FAILED_INDEXES_MAX      100000
#define MANY_FAILED_INDEXES_MAX 10000
#define MANAGED_BY_MAX          63

bool job_is_indexed(const struct json_object *spec)
{
	return strcmp(json_str_or_empty(spec, "completionMode"), "Indexed") == 0;
}

void job_default_spec(struct json_object *spec)
{
	const struct json_object *failure = json_get(spec, "podFailurePolicy");
	const struct json_object *rules = json_get(failure, "rules");

	json_ensure_object(spec, "template");
	workload_default_template(spec);
	if (!json_get(spec, "completions") && !json_get(spec, "parallelism"))
		json_set_int(spec, "completions", 1);
	default_int(spec, "parallelism", 1);
	default_int(spec, "backoffLimit", json_get(spec, "backoffLimitPerIndex") ? INT32_MAX : 6);
	default_str(spec, "completionMode", "NonIndexed");
	default_bool(spec, "suspend", false);
	default_bool(spec, "manualSelector", false);
	default_str(spec, "podReplacementPolicy", failure ? "Failed" : "TerminatingOrFailed");
	for (size_t i = 0; i < json_len(rules); i++) {
		const struct json_object *patterns = json_get(json_at(rules, i), "onPodConditions");

		for (size_t k = 0; k < json_len(patterns); k++)
			default_str(json_at(patterns, k), "status", "True");
	}
}

static void at_most(const struct json_object *spec, const char *key, int64_t max, const char *when,
		    struct field_path *path, struct field_errors *errors)
{
	int64_t value = json_int(spec, key, 0);
	char text[160];

	if (value <= max)
		return;
	snprintf(text, sizeof(text), "must be less than or equal to %lld%s", (long long)max, when);
	fault_int(errors, path, key, value, text);
}

static void validate_indexed(const struct json_object *spec, struct field_path *path,
			     struct field_errors *errors)
{
	int64_t completions = json_int(spec, "completions", 0);

	if (!json_get(spec, "completions"))
		fault_required(errors, path, "completions", "when completion mode is Indexed");
	at_most(spec, "parallelism", INDEXED_PARALLELISM_MAX, " when completion mode is Indexed", path,
		errors);
	if (completions > MANY_COMPLETIONS && json_get(spec, "backoffLimitPerIndex")) {
		if (!json_get(spec, "maxFailedIndexes"))
			fault_required(errors, path, "maxFailedIndexes",
				       "must be specified when completions is above 100000");
		at_most(spec, "parallelism", MANY_PARALLELISM_MAX,
			" when completions are above 100000 and used with backoff limit per index", path,
			errors);
		at_most(spec, "maxFailedIndexes", MANY_FAILED_INDEXES_MAX,
			" when completions are above 100000 and used with backoff limit per index", path,
			errors);
	}
	at_most(spec, "maxFailedIndexes", FAILED_INDEXES_MAX, "", path, errors);
	if (json_int(spec, "maxFailedIndexes", 0) > completions)
		fault_int(errors, path, "maxFailedIndexes", json_int(spec, "maxFailedIndexes", 0),
			  "must be less than or equal to completions");
}

static void validate_not_indexed(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors)
{
	static const char *const keys[] = { "backoffLimitPerIndex", "maxFailedIndexes" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_get(spec, keys[i]))
			fault_int(errors, path, keys[i], json_int(spec, keys[i], 0),
				  "requires indexed completion mode");
}

static void validate_replacement(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors)
{
	static const char *const failed[] = { "Failed", NULL };
	static const char *const either[] = { "Failed", "TerminatingOrFailed", NULL };

	validate_enum(spec, "podReplacementPolicy", json_get(spec, "podFailurePolicy") ? failed : either,
		      false, path, errors);
}

static void validate_restart(const struct json_object *spec, struct field_path *path,
			     struct field_errors *errors)
{
	const char *policy = json_str_or_empty(json_path(spec, "template", "spec", NULL), "restartPolicy");
	bool never = strcmp(policy, "Never") == 0;

	if (!never && strcmp(policy, "OnFailure") != 0)
		fault_required(errors, path, "template.spec.restartPolicy",
			       "valid values: \"OnFailure\", \"Never\"");
	else if (!never && json_get(spec, "podFailurePolicy"))
		fault_str(errors, path, "template.spec.restartPolicy", policy,
			  "only \"Never\" is supported when podFailurePolicy is specified");
}

void job_validate_spec(const struct json_object *spec, struct field_path *path, struct field_errors *errors)
{
	static const char *const counts[] = { "parallelism",
					      "completions",
					      "activeDeadlineSeconds",
					      "backoffLimit",
					      "ttlSecondsAfterFinished",
					      "backoffLimitPerIndex",
					      "maxFailedIndexes",
					      NULL };
	static const char *const modes[] = { "NonIndexed", "Indexed", NULL };
	size_t mark;

	workload_validate_counts(spec, counts, path, errors);
	if (json_get(spec, "maxFailedIndexes") && !json_get(spec, "backoffLimitPerIndex"))
		fault_required(errors, path, "backoffLimitPerIndex", "when maxFailedIndexes is specified");
	if (json_get(spec, "managedBy")) {
		path_name_validate(json_str_or_empty(spec, "managedBy"), "managedBy", path, errors);
		if (strlen(json_str_or_empty(spec, "managedBy")) > MANAGED_BY_MAX)
			fault_too_long(errors, path, "managedBy", MANAGED_BY_MAX);
	}
	validate_enum(spec, "completionMode", modes, false, path, errors);
	if (job_is_indexed(spec))
		validate_indexed(spec, path, errors);
	else
		validate_not_indexed(spec, path, errors);
	job_validate_failure_policy(spec, path, errors);
	job_validate_success_policy(spec, path, errors);
	validate_replacement(spec, path, errors);
	mark = field_push(path, "template");
	validate_pod_template(json_get(spec, "template"), path, NULL, errors);
	field_pop(path, mark);
	validate_restart(spec, path, errors);
}
