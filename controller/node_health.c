#include "controller/node_health.h"

#include <string.h>

#include "lib/timefmt.h"

#define TAINT(name) "node.kubernetes.io/" name

static struct json_object *find(const struct json_object *conditions, const char *type)
{
	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), type) == 0)
			return json_at(conditions, i);
	return NULL;
}

struct json_object *node_health_unknown(const struct json_object *conditions, int64_t created_us,
					int64_t now_us)
{
	static const char *const types[] = { "Ready", "MemoryPressure", "DiskPressure", "PIDPressure" };
	CLEANUP(json_putp)
	struct json_object *result = conditions ? json_clone(conditions) : json_object_new_array();
	bool changed = false;
	char now[TIMEFMT_SIZE], created[TIMEFMT_SIZE];

	time_format(now_us, now);
	time_format(created_us, created);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct json_object *c = find(result, types[i]);
		bool never = !c;
		if (c && strcmp(json_str_or_empty(c, "status"), "Unknown") == 0)
			continue;
		if (never) {
			c = json_object_new_object();
			json_set_str(c, "type", types[i]);
			json_set_str(c, "lastHeartbeatTime", created);
			json_object_array_add(result, c);
		}
		json_set_str(c, "status", "Unknown");
		json_set_str(c, "lastTransitionTime", now);
		json_set_str(c, "reason", never ? "NodeStatusNeverUpdated" : "NodeStatusUnknown");
		json_set_str(c, "message",
			     never ? "Kubelet never posted node status."
				   : "Kubelet stopped posting node status.");
		changed = true;
	}
	return changed ? TAKE(result) : NULL;
}

/* A condition's status that means a taint. TYPE NULL: spec.unschedulable. */
static const struct rule {
	const char *type, *status, *key, *effect;
} rules[] = {
	{ "Ready", "False", TAINT("not-ready"), "NoSchedule" },
	{ "Ready", "Unknown", TAINT("unreachable"), "NoSchedule" },
	{ "Ready", "False", TAINT("not-ready"), "NoExecute" },
	{ "Ready", "Unknown", TAINT("unreachable"), "NoExecute" },
	{ "MemoryPressure", "True", TAINT("memory-pressure"), "NoSchedule" },
	{ "DiskPressure", "True", TAINT("disk-pressure"), "NoSchedule" },
	{ "PIDPressure", "True", TAINT("pid-pressure"), "NoSchedule" },
	{ "NetworkUnavailable", "True", TAINT("network-unavailable"), "NoSchedule" },
	{ NULL, NULL, TAINT("unschedulable"), "NoSchedule" },
};

static bool is_of(const struct json_object *taint, const struct rule *rule)
{
	return strcmp(json_str_or_empty(taint, "key"), rule->key) == 0 &&
	       strcmp(json_str_or_empty(taint, "effect"), rule->effect) == 0;
}

static bool holds(const struct rule *rule, const struct json_object *conditions, bool unschedulable)
{
	if (!rule->type)
		return unschedulable;
	return strcmp(json_str_or_empty(find(conditions, rule->type), "status"), rule->status) == 0;
}

struct json_object *node_health_taints(const struct json_object *taints, const struct json_object *conditions,
				       bool unschedulable, int64_t now_us)
{
	CLEANUP(json_putp) struct json_object *result = json_object_new_array();
	bool there[ARRAY_SIZE(rules)] = { false }, changed = false;
	char now[TIMEFMT_SIZE];

	for (size_t i = 0; i < json_len(taints); i++) {
		bool keep = true;
		for (size_t r = 0; r < ARRAY_SIZE(rules); r++)
			if (is_of(json_at(taints, i), &rules[r])) {
				there[r] = true;
				keep = holds(&rules[r], conditions, unschedulable);
			}
		if (keep)
			json_object_array_add(result, json_object_get(json_at(taints, i)));
		else
			changed = true;
	}
	for (size_t r = 0; r < ARRAY_SIZE(rules); r++) {
		if (there[r] || !holds(&rules[r], conditions, unschedulable))
			continue;
		struct json_object *taint = json_object_new_object();
		json_set_str(taint, "key", rules[r].key);
		json_set_str(taint, "effect", rules[r].effect);
		json_set_str(taint, "timeAdded", time_format(now_us, now));
		json_object_array_add(result, taint);
		changed = true;
	}
	return changed ? TAKE(result) : NULL;
}
