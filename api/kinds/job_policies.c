/* When a Job's pods count as failed, and when enough have succeeded. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/job.h"
#include "lib/map.h"

#define RULES_MAX      20
#define EXIT_CODES_MAX 255
#define INDEXES_MAX    (64 * 1024)

static bool one_of(const char *value, const char *const *values)
{
	while (*values && strcmp(value, *values) != 0)
		values++;
	return *values != NULL;
}

/* As validate_enum, with the choice spelled out when there is none. */
static void validate_choice(const struct json_object *obj, const char *key, const char *const *values,
			    const char *if_absent, struct field_path *path, struct field_errors *errors)
{
	const char *value = json_str_or_empty(obj, key);

	if (!*value)
		fault_required(errors, path, key, if_absent);
	else if (!one_of(value, values))
		fault_not_supported(errors, path, key, value, values);
}

static bool has_container(const struct json_object *pod_spec, const char *name)
{
	static const char *const lists[] = { "containers", "initContainers" };

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(pod_spec, lists[l]);

		for (size_t i = 0; i < json_len(list); i++)
			if (strcmp(json_str_or_empty(json_at(list, i), "name"), name) == 0)
				return true;
	}
	return false;
}

/* A number out of order is found before the same number twice would be missed: both are looked for. */
static void validate_exit_values(const struct json_object *values, bool in, struct field_path *path,
				 struct field_errors *errors)
{
	bool ordered = true;

	for (size_t i = 0; i < json_len(values) && i < EXIT_CODES_MAX; i++) {
		int64_t value = json_object_get_int64(json_at(values, i));
		size_t item = field_push_index(path, i);

		if (in && value == 0)
			field_error_invalid_int(errors, path, 0, "must not be 0 for the In operator");
		for (size_t k = 0; k < i; k++) {
			if (json_object_get_int64(json_at(values, k)) != value)
				continue;
			field_error_add(errors, FIELD_DUPLICATE, path, json_at(values, i), "%s", "");
			break;
		}
		if (i > 0 && json_object_get_int64(json_at(values, i - 1)) > value)
			ordered = false;
		field_pop(path, item);
	}
	if (!ordered)
		field_error_add(errors, FIELD_INVALID, path, values, "must be ordered");
}

static void validate_exit_codes(const struct json_object *rule, const struct json_object *pod_spec,
				struct field_path *path, struct field_errors *errors)
{
	static const char *const operators[] = { "In", "NotIn", NULL };
	const struct json_object *codes = json_get(rule, "onExitCodes"), *values = json_get(codes, "values");
	const char *container = json_str(codes, "containerName");
	size_t mark, inner;

	if (!codes)
		return;
	mark = field_push(path, "onExitCodes");
	validate_choice(codes, "operator", operators, "valid values: [\"In\" \"NotIn\"]", path, errors);
	if (container && !has_container(pod_spec, container))
		fault_str(errors, path, "containerName", container,
			  "must be one of the container or initContainer names in the pod template");
	if (json_len(values) > EXIT_CODES_MAX)
		fault_too_many(errors, path, "values", json_len(values), EXIT_CODES_MAX);
	inner = field_push(path, "values");
	if (json_len(values) == 0) {
		CLEANUP(json_putp) struct json_object *none = json_object_new_array();

		field_error_add(errors, FIELD_INVALID, path, none, "at least one value is required");
	}
	validate_exit_values(values, strcmp(json_str_or_empty(codes, "operator"), "In") == 0, path, errors);
	field_pop(path, inner);
	field_pop(path, mark);
}

static void validate_pattern(const struct json_object *pattern, struct field_path *path,
			     struct field_errors *errors)
{
	static const char *const statuses[] = { "False", "True", "Unknown", NULL };
	const char *type = json_str_or_empty(pattern, "type");
	struct name_faults faults = { .n = 0 };

	name_check_qualified(type, &faults);
	fault_names(errors, path, "type", type, &faults);
	validate_choice(pattern, "status", statuses, "valid values: [\"False\" \"True\" \"Unknown\"]", path,
			errors);
}

static void validate_failure_rule(const struct json_object *spec, const struct json_object *rule,
				  struct field_path *path, struct field_errors *errors)
{
	static const char *const actions[] = { "Count", "FailIndex", "FailJob", "Ignore", NULL };
	const char *action = json_str_or_empty(rule, "action");
	bool codes = json_get(rule, "onExitCodes") != NULL;
	size_t conditions = json_len(json_get(rule, "onPodConditions"));

	validate_choice(rule, "action", actions,
			"valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]", path, errors);
	if (strcmp(action, "FailIndex") == 0 && !json_get(spec, "backoffLimitPerIndex"))
		fault_str(errors, path, "action", action, "requires the backoffLimitPerIndex to be set");
	validate_exit_codes(rule, json_path(spec, "template", "spec", NULL), path, errors);
	if (conditions > RULES_MAX)
		fault_too_many(errors, path, "onPodConditions", conditions, RULES_MAX);
	else
		fault_each(rule, "onPodConditions", path, errors, validate_pattern);
	if (codes == (conditions > 0))
		field_error_add(errors, FIELD_INVALID_BARE, path, NULL, "%s",
				codes ? "specifying both OnExitCodes and OnPodConditions is not supported"
				      : "specifying one of OnExitCodes and OnPodConditions is required");
}

void job_validate_failure_policy(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors)
{
	const struct json_object *rules = json_path(spec, "podFailurePolicy", "rules", NULL);
	size_t mark = field_push(path, "podFailurePolicy");

	if (json_len(rules) > RULES_MAX)
		fault_too_many(errors, path, "rules", json_len(rules), RULES_MAX);
	field_push(path, "rules");
	for (size_t i = 0; i < json_len(rules) && i < RULES_MAX; i++) {
		size_t item = field_push_index(path, i);

		validate_failure_rule(spec, json_at(rules, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

/* --- success --- */

/* One of "3", "5-7", in order and below COMPLETIONS. How many it names, or -1 with *ret_why said. */
static int64_t count_interval(const char *text, int64_t completions, int64_t *last, char *why, size_t size)
{
	char *end;
	long first = strtol(text, &end, 10), to = first;

	if (end == text || *text < '0' || *text > '9') {
		snprintf(why, size, "cannot convert string to integer for index: \"%.*s\"",
			 (int)strcspn(text, "-"), text);
		return -1;
	}
	if (*end == '-') {
		const char *second = end + 1;

		to = strtol(second, &end, 10);
		if (end == second || *second < '0' || *second > '9' || *end) {
			snprintf(why, size, "cannot convert string to integer for index: \"%s\"", second);
			return -1;
		}
	} else if (*end) {
		snprintf(why, size, "cannot convert string to integer for index: \"%s\"", text);
		return -1;
	}
	if (first >= completions || to >= completions) {
		snprintf(why, size, "too large index: \"%ld\"", first >= completions ? first : to);
		return -1;
	}
	if (first <= *last) {
		snprintf(why, size, "non-increasing order, previous: %lld, current: %ld", (long long)*last,
			 first);
		return -1;
	}
	if (end != text && to < first) {
		snprintf(why, size, "non-increasing order, previous: %ld, current: %ld", first, to);
		return -1;
	}
	*last = to;
	return to - first + 1;
}

static int64_t count_indexes(const char *text, int64_t completions, char *why, size_t size)
{
	CLEANUP(mem_freep) char *copy = mem_dup(text);
	int64_t total = 0, last = -1;

	if (!*text)
		return 0;
	for (char *rest = copy, *part; (part = strsep(&rest, ",")) != NULL;) {
		int64_t n = count_interval(part, completions, &last, why, size);

		if (n < 0)
			return -1;
		total += n;
	}
	return total;
}

static void validate_success_rule(const struct json_object *spec, const struct json_object *rule,
				  struct field_path *path, struct field_errors *errors)
{
	int64_t completions = json_int(spec, "completions", 0), count = json_int(rule, "succeededCount", 0);
	const char *indexes = json_str(rule, "succeededIndexes");
	int64_t total = INT64_MAX;
	char why[160], text[256];

	if (!indexes && !json_get(rule, "succeededCount"))
		field_error_required(errors, path,
				     "at least one of succeededCount or succeededIndexes must be specified");
	if (indexes) {
		if (strlen(indexes) > INDEXES_MAX)
			fault_too_long(errors, path, "succeededIndexes", INDEXES_MAX);
		total = count_indexes(indexes, completions, why, sizeof(why));
		snprintf(text, sizeof(text), "error parsing succeededIndexes: %s", why);
		if (total < 0)
			fault_str(errors, path, "succeededIndexes", indexes, text);
	}
	validate_non_negative(rule, "succeededCount", path, errors);
	if (count > completions) {
		snprintf(text, sizeof(text),
			 "must be less than or equal to %lld (the number of specified completions)",
			 (long long)completions);
		fault_int(errors, path, "succeededCount", count, text);
	}
	if (indexes && total >= 0 && count > total) {
		snprintf(text, sizeof(text),
			 "must be less than or equal to %lld (the number of indexes in the specified "
			 "succeededIndexes field)",
			 (long long)total);
		fault_int(errors, path, "succeededCount", count, text);
	}
}

void job_validate_success_policy(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors)
{
	const struct json_object *policy = json_get(spec, "successPolicy"),
				 *rules = json_get(policy, "rules");
	size_t mark;

	if (!policy)
		return;
	if (!job_is_indexed(spec)) {
		fault_json(errors, path, "successPolicy", policy, "requires indexed completion mode");
		return;
	}
	mark = field_push(path, "successPolicy");
	if (json_len(rules) == 0)
		fault_required(errors, path, "rules",
			       "at least one rules must be specified when the successPolicy is specified");
	if (json_len(rules) > RULES_MAX)
		fault_too_many(errors, path, "rules", json_len(rules), RULES_MAX);
	field_push(path, "rules");
	for (size_t i = 0; i < json_len(rules) && i < RULES_MAX; i++) {
		size_t item = field_push_index(path, i);

		validate_success_rule(spec, json_at(rules, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}
