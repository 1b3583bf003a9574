#include <string.h>

#include "kubectl-lite/convert_rules.h"

/* A member of v2beta1 that says what is aimed at, what it is called in v2, and the type of such an aim. */
static const struct aim {
	const char *from, *to, *type;
} aims[] = {
	{ "targetAverageUtilization", "averageUtilization", "Utilization" },
	{ "targetAverageValue", "averageValue", "AverageValue" },
	{ "targetValue", "value", "Value" },
	{ "averageValue", "averageValue", "AverageValue" },
};

static void convert_aims(struct json_object *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(aims); i++) {
		struct json_object *value = json_get(source, aims[i].from);
		if (!value)
			continue;
		struct json_object *target = convert_object_member(source, "target");
		if (!target)
			continue;
		json_set_str(target, "type", aims[i].type);
		json_set(target, aims[i].to, json_object_get(value));
		json_object_object_del(source, aims[i].from);
	}
}

static void move(struct json_object *from, const char *member, struct json_object *to, const char *name)
{
	struct json_object *value = json_get(from, member);

	if (!value)
		return;
	json_set(to, name, json_object_get(value));
	json_object_object_del(from, member);
}

static void convert_metric(struct json_object *metric)
{
	static const char *const sources[] = { "resource", "containerResource", "pods", "object",
					       "external" };

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct json_object *source = json_get(metric, sources[i]);
		if (!json_object_is_type(source, json_type_object))
			continue;
		/* What an object metric is about was called its target. */
		if (strcmp(sources[i], "object") == 0)
			move(source, "target", source, "describedObject");
		convert_aims(source);
		if (!json_get(source, "metricName"))
			continue;
		struct json_object *identity = convert_object_member(source, "metric");
		if (!identity)
			continue;
		move(source, "metricName", identity, "name");
		move(source, "metricSelector", identity, "selector");
		move(source, "selector", identity, "selector");
	}
}

void convert_autoscaler(struct json_object *obj, struct buf *notes)
{
	const struct json_object *metrics = json_path(obj, "spec", "metrics", NULL);

	for (size_t i = 0; i < json_len(metrics); i++) {
		convert_metric(json_at(metrics, i));
		buf_printf(notes, "spec.metrics[%zu]: what is aimed at became its target\n", i);
	}
}
