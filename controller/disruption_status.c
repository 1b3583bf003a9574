#include "controller/disruption_status.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/timefmt.h"

bool disruption_needs_scale(const struct json_object *budget)
{
	const struct json_object *spec = json_get(budget, "spec");
	const struct json_object *min = json_get(spec, "minAvailable");

	return json_get(spec, "maxUnavailable") || json_object_is_type(min, json_type_string);
}

/* A number, or a percentage of WHOLE, rounded up. */
static int64_t amount(const struct json_object *value, int64_t whole)
{
	if (!json_object_is_type(value, json_type_string))
		return value ? json_object_get_int64(value) : 0;
	return (strtoll(json_object_get_string((struct json_object *)(uintptr_t)value), NULL, 10) * whole +
		99) /
	       100;
}

static int64_t desired_of(const struct json_object *spec, int64_t expected)
{
	const struct json_object *max = json_get(spec, "maxUnavailable");
	int64_t desired = amount(json_get(spec, "minAvailable"), expected);

	if (max)
		desired = expected - amount(max, expected);
	return desired < 0 ? 0 : desired;
}

/* When POD was evicted and is still to be waited for; -1: it was not, or goes already. */
static int64_t waits_until_us(const struct json_object *disrupted, const struct disruption_pod *pod,
			      int64_t now_us)
{
	const char *since = json_str(disrupted, pod->name);
	int64_t since_us;

	if (!since || pod->deleting || !time_parse(since, &since_us))
		return -1;
	since_us += DISRUPTION_PATIENCE_MS * INT64_C(1000);
	return since_us < now_us ? -1 : since_us;
}

static struct json_object *find_condition(const struct json_object *conditions)
{
	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "DisruptionAllowed") == 0)
			return json_at(conditions, i);
	return NULL;
}

static void set_condition(struct json_object *status, bool allowed, const char *reason, const char *message,
			  int64_t now_us)
{
	struct json_object *conditions = json_ensure_array(status, "conditions"),
			   *condition = find_condition(conditions);
	const char *value = allowed ? "True" : "False";
	char now[TIMEFMT_SIZE];

	if (!condition) {
		condition = json_object_new_object();
		json_set_str(condition, "type", "DisruptionAllowed");
		json_object_array_add(conditions, condition);
	}
	if (strcmp(json_str_or_empty(condition, "status"), value) != 0)
		json_set_str(condition, "lastTransitionTime", time_format(now_us, now));
	json_set_str(condition, "status", value);
	json_set_int(condition, "observedGeneration", json_int(status, "observedGeneration", 0));
	json_set_str(condition, "reason", reason);
	json_set_str(condition, "message", message);
}

static struct json_object *observed(const struct json_object *budget)
{
	struct json_object *status = json_clone(json_get(budget, "status"));

	if (!status)
		status = json_object_new_object();
	json_set_int(status, "observedGeneration", json_int(json_get(budget, "metadata"), "generation", 0));
	return status;
}

struct json_object *disruption_status(const struct json_object *budget, const struct disruption_pod *pods,
				      size_t n, int64_t expected, int64_t now_us, int64_t *ret_recheck_ms)
{
	struct json_object *status = observed(budget), *waiting = json_object_new_object();
	const struct json_object *disrupted = json_get(json_get(budget, "status"), "disruptedPods");
	int64_t healthy = 0, desired, allowed;

	if (!disruption_needs_scale(budget))
		expected = (int64_t)n;
	*ret_recheck_ms = -1;
	for (size_t i = 0; i < n; i++) {
		int64_t until_us = waits_until_us(disrupted, &pods[i], now_us);
		int64_t left_ms = (until_us - now_us) / 1000 + 1;

		if (until_us >= 0) {
			json_set_str(waiting, pods[i].name, json_str(disrupted, pods[i].name));
			if (*ret_recheck_ms < 0 || left_ms < *ret_recheck_ms)
				*ret_recheck_ms = left_ms;
		} else if (pods[i].ready && !pods[i].deleting) {
			healthy++;
		}
	}
	desired = desired_of(json_get(budget, "spec"), expected);
	/* Where there are no pods, the first ones that come are safe until they are looked at. */
	allowed = expected > 0 && healthy > desired ? healthy - desired : 0;
	json_set_int(status, "disruptionsAllowed", allowed);
	json_set_int(status, "currentHealthy", healthy);
	json_set_int(status, "desiredHealthy", desired);
	json_set_int(status, "expectedPods", expected);
	json_object_object_del(status, "disruptedPods");
	if (json_object_object_length(waiting) > 0)
		json_set(status, "disruptedPods", json_object_get(waiting));
	json_object_put(waiting);
	set_condition(status, allowed > 0, allowed > 0 ? "SufficientPods" : "InsufficientPods", "", now_us);
	return status;
}

struct json_object *disruption_status_unknown(const struct json_object *budget, const char *why,
					      int64_t now_us)
{
	struct json_object *status = observed(budget);

	json_set_int(status, "disruptionsAllowed", 0);
	set_condition(status, false, "SyncFailed", why, now_us);
	return status;
}
