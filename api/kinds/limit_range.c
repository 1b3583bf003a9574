/* LimitRange (core/v1): bounds and defaults of what pods, containers and claims ask for. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/pod_spec.h"
#include "lib/quantity.h"

/* Copies members of FROM that TO has not. */
static void fill(struct json_object *limit, const char *to, const char *from)
{
	struct json_object *source = json_get(limit, from);

	if (!source)
		return;
	json_object_object_foreach(source, name, value)
	{
		struct json_object *target = json_ensure_object(limit, to);

		if (!json_get(target, name))
			json_set(target, name, json_object_get(value));
	}
}

static void set_defaults(struct json_object *obj)
{
	const struct json_object *limits = json_get(json_ensure_object(obj, "spec"), "limits");

	for (size_t i = 0; i < json_len(limits); i++) {
		struct json_object *limit = json_at(limits, i);

		if (strcmp(json_str_or_empty(limit, "type"), "Container") != 0)
			continue;
		fill(limit, "default", "max");
		fill(limit, "defaultRequest", "default");
		fill(limit, "defaultRequest", "min");
	}
}

static void validate_names(const struct json_object *limit, const char *key, struct field_path *path,
			   struct field_errors *errors)
{
	struct json_object *map = json_get(limit, key);
	bool of_claim = strcmp(json_str_or_empty(limit, "type"), "PersistentVolumeClaim") == 0;
	size_t mark = field_push(path, key);

	if (map) {
		json_object_object_foreach(map, name, value)
		{
			size_t item = field_push_key(path, name);

			(void)value;
			pod_spec_validate_resource_name(name, !of_claim, path, errors);
			field_pop(path, item);
		}
	}
	field_pop(path, mark);
}

/* Pairs that are in order: LOW may not be over HIGH. The error is at AT and shows one of them. */
static const struct {
	const char *low, *high, *at, *shown;
	const char *first, *second; /* their names in the message; that of a maximum comes first */
	bool high_first;
} orders[] = {
	{ "min", "max", "min", "min", "min value", "max value", false },
	{ "min", "defaultRequest", "defaultRequest", "defaultRequest", "min value", "default request value",
	  false },
	{ "defaultRequest", "max", "defaultRequest", "defaultRequest", "max value", "default request value",
	  true },
	{ "defaultRequest", "default", "defaultRequest", "defaultRequest", "default request value",
	  "default limit value", false },
	{ "min", "default", "default", "min", "min value", "default value", false },
	{ "default", "max", "default", "max", "max value", "default value", true },
};

static void fault_amount(struct field_errors *errors, struct field_path *path, const char *key,
			 const char *name, const char *value, const char *detail)
{
	size_t mark = field_push(path, key);

	field_push_key(path, name);
	field_error_invalid_str(errors, path, value, "%s", detail);
	field_pop(path, mark);
}

static void validate_orders(const struct json_object *limit, const char *name, struct field_path *path,
			    struct field_errors *errors)
{
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const char *low = json_str(json_get(limit, orders[i].low), name);
		const char *high = json_str(json_get(limit, orders[i].high), name);
		struct quantity low_q, high_q;

		if (!low || !high || !quantity_parse(low, &low_q) || !quantity_parse(high, &high_q) ||
		    quantity_cmp(&low_q, &high_q) <= 0)
			continue;
		bool high_first = orders[i].high_first;
		CLEANUP(mem_freep)
		char *detail =
		    mem_printf("%s %s is %s than %s %s", orders[i].first, high_first ? high : low,
			       high_first ? "less" : "greater", orders[i].second, high_first ? low : high);
		fault_amount(errors, path, orders[i].at, name,
			     strcmp(orders[i].shown, orders[i].low) == 0 ? low : high, detail);
	}
}

static void validate_ratio(const struct json_object *limit, const char *name, struct field_path *path,
			   struct field_errors *errors)
{
	const char *ratio = json_str(json_get(limit, "maxLimitRequestRatio"), name);
	int64_t min = quantity_milli_of(json_str(json_get(limit, "min"), name));
	int64_t max = quantity_milli_of(json_str(json_get(limit, "max"), name));
	int64_t milli = quantity_milli_of(ratio);
	CLEANUP(mem_freep) char *detail = NULL;

	if (!ratio)
		return;
	if (milli < 1000)
		detail = mem_printf("ratio %s is less than 1", ratio);
	else if (min > 0 && max > 0 && (double)milli / 1000 > (double)max / (double)min)
		detail =
		    mem_printf("ratio %s is greater than max/min = %f", ratio, (double)max / (double)min);
	if (detail)
		fault_amount(errors, path, "maxLimitRequestRatio", name, ratio, detail);
}

static void validate_amounts(const struct json_object *limit, struct field_path *path,
			     struct field_errors *errors)
{
	static const char *const keys[] = { "max", "min", "default", "defaultRequest",
					    "maxLimitRequestRatio" };
	CLEANUP(json_putp) struct json_object *names = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct json_object *map = json_get(limit, keys[i]);

		if (!map)
			continue;
		json_object_object_foreach(map, name, value)
		{
			(void)value;
			json_object_object_add(names, name, NULL);
		}
	}
	json_object_object_foreach(names, each, none)
	{
		(void)none;
		validate_orders(limit, each, path, errors);
		validate_ratio(limit, each, path, errors);
	}
}

static void validate_limit(const struct json_object *limit, struct field_path *path,
			   struct field_errors *errors)
{
	static const char *const types[] = { "Pod", "Container", "PersistentVolumeClaim" };
	const char *type = json_str_or_empty(limit, "type");
	struct name_faults faults = { .n = 0 };
	size_t known = 0;

	name_check_qualified(type, &faults);
	while (known < ARRAY_SIZE(types) && strcmp(types[known], type) != 0)
		known++;
	if (!strchr(type, '/') && known == ARRAY_SIZE(types) && faults.n < NAME_FAULTS_MAX)
		faults.text[faults.n++] = "must be a standard limit type or fully qualified";
	fault_names(errors, path, "type", type, &faults);
	validate_names(limit, "max", path, errors);
	validate_names(limit, "min", path, errors);
	if (strcmp(type, "Pod") == 0) {
		if (json_get(limit, "default"))
			fault_forbidden(errors, path, "default", "may not be specified when `type` is 'Pod'");
		if (json_get(limit, "defaultRequest"))
			fault_forbidden(errors, path, "defaultRequest",
					"may not be specified when `type` is 'Pod'");
	} else {
		validate_names(limit, "default", path, errors);
		validate_names(limit, "defaultRequest", path, errors);
	}
	if (strcmp(type, "PersistentVolumeClaim") == 0 && !json_path(limit, "min", "storage", NULL) &&
	    !json_path(limit, "max", "storage", NULL))
		fault_required(errors, path, "limits",
			       "either minimum or maximum storage value is required, but neither was "
			       "provided");
	validate_names(limit, "maxLimitRequestRatio", path, errors);
	validate_amounts(limit, path, errors);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *limits = json_path(obj, "spec", "limits", NULL);
	struct field_path path;

	field_path_init(&path, "spec");
	field_push(&path, "limits");
	if (!fault_list_fits(errors, &path, limits))
		return;
	for (size_t i = 0; i < json_len(limits); i++) {
		const char *type = json_str_or_empty(json_at(limits, i), "type");
		size_t mark = field_push_index(&path, i);

		for (size_t k = 0; k < i; k++) {
			if (strcmp(json_str_or_empty(json_at(limits, k), "type"), type) != 0)
				continue;
			fault_duplicate(errors, &path, "type", type);
			break;
		}
		validate_limit(json_at(limits, i), &path, errors);
		field_pop(&path, mark);
	}
}

const struct kind kind_limit_range = {
	.api_version = "v1",
	.kind = "LimitRange",
	.definition = "core.v1.LimitRange",
	.unconditional_update = true,
	.create_on_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
};
