#include "api/quota.h"

#include <stdlib.h>
#include <string.h>

#include "api/pod_resources.h"
#include "lib/quantity.h"

#define COUNT         "count/"
#define STORAGE_CLASS ".storageclass.storage.k8s.io/"

static void put(struct json_object *list, const char *name, const struct quantity *amount)
{
	char text[QUANTITY_SIZE];

	json_set_str(list, name, quantity_format(amount, text));
}

static void put_count(struct json_object *list, const char *name, int64_t n)
{
	struct quantity amount = quantity_of_value(n, QUANTITY_DECIMAL_SI);

	put(list, name, &amount);
}

static void put_str(struct json_object *list, const char *name_taken, const char *amount)
{
	CLEANUP(mem_freep) const char *name = name_taken;

	json_set_str(list, name, amount);
}

/* --- what objects use --- */

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_native(const char *name)
{
	return !strchr(name, '/') || strstr(name, "kubernetes.io/");
}

/* Requests have three names each, for history's sake: cpu, requests.cpu. Other resources than Kubernetes' own
 * have only the second. */
static void use_requests(struct json_object *usage, const struct json_object *spec)
{
	CLEANUP(json_putp) struct json_object *requests = pod_resources_list(spec, "requests");

	json_object_object_foreach(requests, name, value)
	{
		const char *amount = json_str(requests, name);
		(void)value;
		put_str(usage, mem_printf("requests.%s", name), amount);
		if (is_native(name))
			json_set_str(usage, name, amount);
	}
}

static void use_limits(struct json_object *usage, const struct json_object *spec)
{
	CLEANUP(json_putp) struct json_object *limits = pod_resources_list(spec, "limits");

	json_object_object_foreach(limits, name, value)
	{
		(void)value;
		if (is_native(name) && !starts_with(name, "hugepages-"))
			put_str(usage, mem_printf("limits.%s", name), json_str(limits, name));
	}
}

static bool is_over(const struct json_object *pod)
{
	const char *phase = json_str_or_empty(json_get(pod, "status"), "phase");

	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

static void use_pod(struct json_object *usage, const struct json_object *pod)
{
	const struct json_object *spec = json_get(pod, "spec");

	if (is_over(pod))
		return;
	put_count(usage, "pods", 1);
	use_requests(usage, spec);
	use_limits(usage, spec);
}

static void use_service(struct json_object *usage, const struct json_object *service)
{
	const struct json_object *spec = json_get(service, "spec");
	const char *type = json_str_or_empty(spec, "type");
	int64_t ports = (int64_t)json_len(json_get(spec, "ports"));
	bool balancer = strcmp(type, "LoadBalancer") == 0;

	put_count(usage, "services", 1);
	put_count(usage, "services.loadbalancers", balancer);
	put_count(usage, "services.nodeports",
		  strcmp(type, "NodePort") == 0 ||
			  (balancer && json_boolean(spec, "allocateLoadBalancerNodePorts", true))
		      ? ports
		      : 0);
}

static void use_claim(struct json_object *usage, const struct json_object *claim)
{
	const struct json_object *spec = json_get(claim, "spec");
	const char *storage = json_str(json_path(spec, "resources", "requests", NULL), "storage");
	const char *class = json_str_or_empty(spec, "storageClassName");

	put_count(usage, "persistentvolumeclaims", 1);
	if (storage)
		json_set_str(usage, "requests.storage", storage);
	if (!*class)
		return;
	put_str(usage, mem_printf("%s" STORAGE_CLASS "persistentvolumeclaims", class), "1");
	if (storage)
		put_str(usage, mem_printf("%s" STORAGE_CLASS "requests.storage", class), storage);
}

static void use_one(struct json_object *usage, const char *name)
{
	put_count(usage, name, 1);
}

static bool of_pods(const char *name)
{
	static const char *const names[] = { "pods", "cpu", "memory", "ephemeral-storage", NULL };

	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return starts_with(name, "hugepages-") || starts_with(name, "limits.") ||
	       (starts_with(name, "requests.") && strcmp(name, "requests.storage") != 0);
}

static bool of_services(const char *name)
{
	return strcmp(name, "services") == 0 || starts_with(name, "services.");
}

static bool of_claims(const char *name)
{
	return strcmp(name, "persistentvolumeclaims") == 0 || strcmp(name, "requests.storage") == 0 ||
	       strstr(name, STORAGE_CLASS);
}

/* Resources that have names of their own in quotas, beside count/... . */
static const struct counted {
	const char *qualified;
	void (*use)(struct json_object *usage, const struct json_object *obj); /* NULL: one, under its name */
	bool (*named)(const char *name);                                       /* NULL: only its own */
} counted[] = {
	{ "pods", use_pod, of_pods },
	{ "services", use_service, of_services },
	{ "persistentvolumeclaims", use_claim, of_claims },
	{ "configmaps", NULL, NULL },
	{ "secrets", NULL, NULL },
	{ "replicationcontrollers", NULL, NULL },
	{ "resourcequotas", NULL, NULL },
};

static const struct counted *counted_find(const struct resource *resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		if (strcmp(counted[i].qualified, resource->qualified) == 0)
			return &counted[i];
	return NULL;
}

struct json_object *quota_usage(const struct resource *resource, const struct json_object *obj)
{
	struct json_object *usage = json_object_new_object();
	const struct counted *row = counted_find(resource);

	put_str(usage, mem_printf(COUNT "%s", resource->qualified), "1");
	if (row && row->use)
		row->use(usage, obj);
	else if (row)
		use_one(usage, row->qualified);
	return usage;
}

bool quota_counts(const char *name, const struct resource *resource)
{
	const struct counted *row = counted_find(resource);

	if (starts_with(name, COUNT))
		return strcmp(name + strlen(COUNT), resource->qualified) == 0;
	if (!row)
		return false;
	return row->named ? row->named(name) : strcmp(name, row->qualified) == 0;
}

/* --- scopes --- */

static bool best_effort(const struct json_object *pod)
{
	return strcmp(json_str_or_empty(json_get(pod, "status"), "qosClass"), "BestEffort") == 0;
}

static bool terminating(const struct json_object *pod)
{
	return json_get(json_get(pod, "spec"), "activeDeadlineSeconds") != NULL;
}

static bool cross_namespace(const struct json_object *pod)
{
	static const char *const kinds[] = { "podAffinity", "podAntiAffinity" };
	const struct json_object *affinity = json_path(pod, "spec", "affinity", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct json_object *one = json_get(affinity, kinds[i]);
		const struct json_object *required =
		    json_get(one, "requiredDuringSchedulingIgnoredDuringExecution");
		const struct json_object *preferred =
		    json_get(one, "preferredDuringSchedulingIgnoredDuringExecution");
		for (size_t k = 0; k < json_len(required); k++)
			if (json_len(json_get(json_at(required, k), "namespaces")) ||
			    json_get(json_at(required, k), "namespaceSelector"))
				return true;
		for (size_t k = 0; k < json_len(preferred); k++) {
			const struct json_object *term = json_get(json_at(preferred, k), "podAffinityTerm");
			if (json_len(json_get(term, "namespaces")) || json_get(term, "namespaceSelector"))
				return true;
		}
	}
	return false;
}

static bool among(const struct json_object *values, const char *text)
{
	for (size_t i = 0; i < json_len(values); i++)
		if (strcmp(json_object_get_string(json_at(values, i)), text) == 0)
			return true;
	return false;
}

/* An expression of spec.scopeSelector, or a name of spec.scopes, which asks that the scope exists. */
static bool scope_holds(const char *scope, const char *operator, const struct json_object * values,
			const struct json_object *pod)
{
	const char *class = json_str_or_empty(json_get(pod, "spec"), "priorityClassName");

	if (strcmp(scope, "Terminating") == 0)
		return terminating(pod);
	if (strcmp(scope, "NotTerminating") == 0)
		return !terminating(pod);
	if (strcmp(scope, "BestEffort") == 0)
		return best_effort(pod);
	if (strcmp(scope, "NotBestEffort") == 0)
		return !best_effort(pod);
	if (strcmp(scope, "CrossNamespacePodAffinity") == 0)
		return cross_namespace(pod);
	if (strcmp(scope, "PriorityClass") != 0)
		return false;
	if (strcmp(operator, "In") == 0)
		return *class && among(values, class);
	if (strcmp(operator, "NotIn") == 0)
		return !among(values, class);
	if (strcmp(operator, "DoesNotExist") == 0)
		return !*class;
	return *class;
}

bool quota_in_scope(const struct json_object *quota, const struct resource *resource,
		    const struct json_object *obj)
{
	const struct json_object *scopes = json_path(quota, "spec", "scopes", NULL);
	const struct json_object *expressions =
	    json_path(quota, "spec", "scopeSelector", "matchExpressions", NULL);

	if (!json_len(scopes) && !json_len(expressions))
		return true;
	if (strcmp(resource->qualified, "pods") != 0)
		return false;
	for (size_t i = 0; i < json_len(scopes); i++)
		if (!scope_holds(json_object_get_string(json_at(scopes, i)), "Exists", NULL, obj))
			return false;
	for (size_t i = 0; i < json_len(expressions); i++) {
		const struct json_object *expression = json_at(expressions, i);
		if (!scope_holds(json_str_or_empty(expression, "scopeName"),
				 json_str_or_empty(expression, "operator"), json_get(expression, "values"),
				 obj))
			return false;
	}
	return true;
}

/* --- what must be said --- */

/* Names a quota may have for what each container must then state, and where it does. In the order of names.
 */
static const struct {
	const char *name, *list, *resource;
} stated[] = {
	{ "cpu", "requests", "cpu" },
	{ "limits.cpu", "limits", "cpu" },
	{ "limits.memory", "limits", "memory" },
	{ "memory", "requests", "memory" },
	{ "requests.cpu", "requests", "cpu" },
	{ "requests.memory", "requests", "memory" },
};

bool quota_specified(const struct json_object *hard, const struct json_object *pod, struct buf *ret_missing)
{
	static const char *const lists[] = { "containers", "initContainers" };
	const struct json_object *spec = json_get(pod, "spec");

	for (size_t i = 0; i < ARRAY_SIZE(stated); i++) {
		bool first = true;
		if (!json_get(hard, stated[i].name) ||
		    json_str(json_path(spec, "resources", stated[i].list, NULL), stated[i].resource))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
			const struct json_object *containers = json_get(spec, lists[k]);
			for (size_t c = 0; c < json_len(containers); c++) {
				const struct json_object *container = json_at(containers, c);
				if (json_str(json_path(container, "resources", stated[i].list, NULL),
					     stated[i].resource))
					continue;
				if (first)
					buf_printf(ret_missing,
						   "%s%s for: ", ret_missing->len ? "; " : "must specify ",
						   stated[i].name);
				buf_printf(ret_missing, "%s%s", first ? "" : ",",
					   json_str_or_empty(container, "name"));
				first = false;
			}
		}
	}
	return ret_missing->len == 0;
}

/* --- resource lists --- */

void quota_add(struct json_object *list, const struct json_object *more, int factor,
	       const struct json_object *mask)
{
	if (!json_object_is_type(more, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)more, name, value)
	{
		struct quantity sum, amount;
		const char *had = json_str(list, name);
		(void)value;
		if ((mask && !json_get(mask, name)) ||
		    !quantity_parse(json_str_or_empty(more, name), &amount))
			continue;
		if (!had || !quantity_parse(had, &sum))
			sum = (struct quantity){ .format = amount.format };
		sum.nano += factor * amount.nano;
		put(list, name, &sum);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void quota_write(struct buf *b, const struct json_object *list, const struct json_object *mask)
{
	CLEANUP(mem_freep) const char **names = NULL;
	size_t n = 0;

	json_object_object_foreach((struct json_object *)(uintptr_t)list, name, value)
	{
		(void)value;
		if (mask && !json_get(mask, name))
			continue;
		names = mem_realloc_array(names, n + 1, sizeof(*names));
		names[n++] = name;
	}
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%s=%s", i ? "," : "", names[i], json_str_or_empty(list, names[i]));
}
