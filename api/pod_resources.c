#include "api/pod_resources.h"

#include <string.h>

static bool amount(const struct json_object *owner, const char *list, const char *name, struct quantity *ret)
{
	const char *text = json_str(json_path(owner, "resources", list, NULL), name);

	return text && quantity_parse(text, ret);
}

static void add(struct quantity *sum, bool *any, const struct quantity *more)
{
	if (!*any)
		*sum = *more;
	else
		sum->nano += more->nano;
	*any = true;
}

bool pod_resources_sum(const struct json_object *spec, const char *list, const char *name,
		       struct quantity *ret)
{
	const struct json_object *containers = json_get(spec, "containers"),
				 *init = json_get(spec, "initContainers");
	struct quantity sum = { 0 }, beside = { 0 }, most = { 0 }, one;
	bool any = false, any_beside = false, any_most = false;

	for (size_t i = 0; i < json_len(containers); i++)
		if (amount(json_at(containers, i), list, name, &one))
			add(&sum, &any, &one);
	for (size_t i = 0; i < json_len(init); i++) {
		const struct json_object *container = json_at(init, i);
		if (!amount(container, list, name, &one))
			continue;
		if (strcmp(json_str_or_empty(container, "restartPolicy"), "Always") == 0) {
			add(&sum, &any, &one);
			add(&beside, &any_beside, &one);
			one = beside;
		} else {
			one.nano += beside.nano;
		}
		if (!any_most || quantity_cmp(&one, &most) > 0)
			most = one;
		any_most = true;
	}
	if (any_most && (!any || quantity_cmp(&most, &sum) > 0)) {
		sum = most;
		any = true;
	}
	if (amount(spec, list, name, &one)) {
		sum = one;
		any = true;
	}
	const char *overhead = json_str(json_get(spec, "overhead"), name);
	if (overhead && quantity_parse(overhead, &one) && (any || strcmp(list, "requests") == 0))
		add(&sum, &any, &one);
	if (any)
		*ret = sum;
	return any;
}

static void add_names(const struct json_object *spec, const char *list, const struct json_object *names,
		      struct json_object *result)
{
	if (!json_object_is_type(names, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)names, name, value)
	{
		struct quantity sum;
		char text[QUANTITY_SIZE];
		(void)value;
		if (!json_get(result, name) && pod_resources_sum(spec, list, name, &sum))
			json_set_str(result, name, quantity_format(&sum, text));
	}
}

struct json_object *pod_resources_list(const struct json_object *spec, const char *list)
{
	static const char *const kinds[] = { "containers", "initContainers" };
	struct json_object *result = json_object_new_object();

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct json_object *containers = json_get(spec, kinds[k]);
		for (size_t i = 0; i < json_len(containers); i++)
			add_names(spec, list, json_path(json_at(containers, i), "resources", list, NULL),
				  result);
	}
	add_names(spec, list, json_path(spec, "resources", list, NULL), result);
	if (strcmp(list, "requests") == 0)
		add_names(spec, list, json_get(spec, "overhead"), result);
	return result;
}
