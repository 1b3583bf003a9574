/* Resource requests and limits, and the QoS class that follows from them. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"
#include "lib/quantity.h"

static bool listed(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (strcmp(*list, s) == 0)
			return true;
	return false;
}

static bool is_huge_pages(const char *name)
{
	return strncmp(name, "hugepages-", 10) == 0;
}

/* Names without a domain, or in Kubernetes' own, are native; all else is an extended resource: whole numbers,
 * and never more promised than there is. */
static bool is_native(const char *name)
{
	return !strchr(name, '/') || strstr(name, "kubernetes.io/");
}

void pod_spec_validate_resource_name(const char *name, bool of_container, struct field_path *path,
				     struct field_errors *errors)
{
	static const char *const of_containers[] = { "cpu", "memory", "ephemeral-storage", NULL };
	static const char *const standard[] = {
		"cpu",
		"memory",
		"ephemeral-storage",
		"storage",
		"requests.cpu",
		"pods",
		"requests.memory",
		"requests.storage",
		"requests.ephemeral-storage",
		"limits.cpu",
		"limits.memory",
		"limits.ephemeral-storage",
		"resourcequotas",
		"services",
		"replicationcontrollers",
		"secrets",
		"configmaps",
		"persistentvolumeclaims",
		"services.nodeports",
		"services.loadbalancers",
		NULL,
	};
	struct name_faults faults = { .n = 0 };

	name_check_qualified(name, &faults);
	if (!strchr(name, '/') && faults.n == 0) {
		if (!listed(standard, name) && !is_huge_pages(name))
			faults.text[faults.n++] = "must be a standard resource type or fully qualified";
		if (of_container && !listed(of_containers, name) && !is_huge_pages(name))
			faults.text[faults.n++] = "must be a standard resource for containers";
	}
	fault_names(errors, path, NULL, name, &faults);
}

static const char *text_of(struct json_object *value)
{
	return value ? json_object_get_string(value) : "";
}

static void validate_quantity(const char *name, const struct quantity *q, struct field_path *path,
			      struct field_errors *errors)
{
	char text[QUANTITY_SIZE];

	if (q->nano < 0)
		field_error_invalid_str(errors, path, quantity_format(q, text),
					"must be greater than or equal to 0");
	else if (!is_native(name) && !quantity_is_whole(q))
		field_error_invalid_str(errors, path, quantity_format(q, text), "must be an integer");
}

void pod_spec_validate_amounts(struct json_object *list, struct field_path *path, struct field_errors *errors)
{
	if (!list)
		return;
	json_object_object_foreach(list, name, value)
	{
		size_t mark = field_push_key(path, name);
		struct quantity q;

		pod_spec_validate_resource_name(name, true, path, errors);
		if (quantity_parse(text_of(value), &q))
			validate_quantity(name, &q, path, errors);
		field_pop(path, mark);
	}
}

static void validate_request(const char *name, const struct quantity *request,
			     const struct json_object *limits, struct field_path *path,
			     struct field_errors *errors)
{
	char request_text[QUANTITY_SIZE], limit_text[QUANTITY_SIZE];
	const char *limit_value = text_of(json_get(limits, name));
	bool overcommit = is_native(name) && !is_huge_pages(name);
	struct quantity limit;
	int order;

	if (!quantity_parse(limit_value, &limit)) {
		if (!overcommit)
			fault_required(errors, path, "limits",
				       "Limit must be set for non overcommitable resources");
		return;
	}
	order = quantity_cmp(request, &limit);
	if (order == 0 || (order < 0 && overcommit))
		return;
	size_t mark = field_push(path, "requests");
	field_error_invalid_str(
	    errors, path, quantity_format(request, request_text), "must be %s %s limit of %s",
	    overcommit ? "less than or equal to" : "equal to", name, quantity_format(&limit, limit_text));
	field_pop(path, mark);
}

void pod_spec_validate_resources(const struct json_object *resources, struct field_path *path,
				 struct field_errors *errors)
{
	struct json_object *requests = json_get(resources, "requests"),
			   *limits = json_get(resources, "limits");
	size_t mark = field_push(path, "limits");

	pod_spec_validate_amounts(limits, path, errors);
	field_pop(path, mark);
	mark = field_push(path, "requests");
	pod_spec_validate_amounts(requests, path, errors);
	field_pop(path, mark);
	if (!requests)
		return;
	json_object_object_foreach(requests, name, value)
	{
		struct quantity q;

		if (quantity_parse(text_of(value), &q))
			validate_request(name, &q, limits, path, errors);
	}
}

/* Sums of what counts for QoS: [0] cpu, [1] memory. */
struct qos {
	__int128 requests[2], limits[2];
	bool guaranteed;
};

static void add_qos(struct qos *qos, const struct json_object *resources)
{
	static const char *const names[] = { "cpu", "memory" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct quantity q;

		if (quantity_parse(text_of(json_get(json_get(resources, "requests"), names[i])), &q) &&
		    q.nano > 0)
			qos->requests[i] += q.nano;
		if (quantity_parse(text_of(json_get(json_get(resources, "limits"), names[i])), &q) &&
		    q.nano > 0)
			qos->limits[i] += q.nano;
		else
			qos->guaranteed = false;
	}
}

const char *pod_spec_qos_class(const struct json_object *spec)
{
	static const char *const lists[] = { "containers", "initContainers" };
	const struct json_object *of_pod = json_get(spec, "resources");
	struct qos qos = { .guaranteed = true };

	/* Resources of the pod as a whole, when there are any, decide alone. */
	if (json_get(of_pod, "requests") || json_get(of_pod, "limits")) {
		add_qos(&qos, of_pod);
	} else {
		for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
			const struct json_object *list = json_get(spec, lists[l]);

			for (size_t i = 0; i < json_len(list); i++)
				add_qos(&qos, json_get(json_at(list, i), "resources"));
		}
	}
	if (!qos.requests[0] && !qos.requests[1] && !qos.limits[0] && !qos.limits[1])
		return "BestEffort";
	if (qos.guaranteed && qos.requests[0] == qos.limits[0] && qos.requests[1] == qos.limits[1])
		return "Guaranteed";
	return "Burstable";
}
