/* LimitRanger: what a namespace's LimitRanges give to containers that ask for nothing, and the least, the
 * most and the ratio that they allow. https://kubernetes.io/docs/concepts/policy/limit-range/
 */
#include <stdlib.h>
#include <string.h>

#include "api/pod_resources.h"
#include "apiserver/admission/admission.h"
#include "apiserver/admission/policies.h"
#include "apiserver/edge/server.h"

static const char *const concerned[] = { "pods", "persistentvolumeclaims", NULL };

/* The lists of containers of a pod, and what the annotation calls one of them. */
static const struct {
	const char *member, *called;
} container_lists[] = { { "containers", "container" }, { "initContainers", "init container" } };

/* What one thing asks for and may have: a container's own lists, or a pod's sums. */
struct usage {
	const struct json_object *requests, *limits;
};

/* What is wrong, each once. */
struct faults {
	char **list;
	size_t n;
};

static void faults_close(struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		free(faults->list[i]);
	free(faults->list);
}

static void add_fault(struct faults *faults, char *text_taken)
{
	for (size_t i = 0; i < faults->n; i++) {
		if (strcmp(faults->list[i], text_taken) == 0) {
			free(text_taken);
			return;
		}
	}
	faults->list = mem_realloc_array(faults->list, faults->n + 1, sizeof(*faults->list));
	faults->list[faults->n++] = text_taken;
}

static bool amount(const struct json_object *list, const char *name, struct quantity *ret)
{
	const char *text = json_str(list, name);

	return text && quantity_parse(text, ret);
}

/* --- what is allowed --- */

typedef void (*constraint_fn)(const char *type, const char *name, const struct quantity *enforced,
			      const char *text, const struct usage *usage, struct faults *faults);

static void check_min(const char *type, const char *name, const struct quantity *enforced, const char *text,
		      const struct usage *usage, struct faults *faults)
{
	struct quantity request, limit;
	bool has_request = amount(usage->requests, name, &request),
	     has_limit = amount(usage->limits, name, &limit);

	if (!has_request)
		add_fault(faults, mem_printf("minimum %s usage per %s is %s.  No request is specified", name,
					     type, text));
	else if (quantity_cmp(&request, enforced) < 0)
		add_fault(faults, mem_printf("minimum %s usage per %s is %s, but request is %s", name, type,
					     text, json_str(usage->requests, name)));
	else if (has_limit && quantity_cmp(&limit, enforced) < 0)
		add_fault(faults, mem_printf("minimum %s usage per %s is %s, but limit is %s", name, type,
					     text, json_str(usage->limits, name)));
}

static void check_max(const char *type, const char *name, const struct quantity *enforced, const char *text,
		      const struct usage *usage, struct faults *faults)
{
	struct quantity request, limit;
	bool has_request = amount(usage->requests, name, &request),
	     has_limit = amount(usage->limits, name, &limit);

	if (!usage->limits) { /* a claim has only requests */
		if (!has_request)
			add_fault(faults,
				  mem_printf("maximum %s usage per %s is %s.  No request is specified", name,
					     type, text));
		else if (quantity_cmp(&request, enforced) > 0)
			add_fault(faults, mem_printf("maximum %s usage per %s is %s, but request is %s", name,
						     type, text, json_str(usage->requests, name)));
		return;
	}
	if (!has_limit)
		add_fault(faults, mem_printf("maximum %s usage per %s is %s.  No limit is specified", name,
					     type, text));
	else if (quantity_cmp(&limit, enforced) > 0)
		add_fault(faults, mem_printf("maximum %s usage per %s is %s, but limit is %s", name, type,
					     text, json_str(usage->limits, name)));
	else if (has_request && quantity_cmp(&request, enforced) > 0)
		add_fault(faults, mem_printf("maximum %s usage per %s is %s, but request is %s", name, type,
					     text, json_str(usage->requests, name)));
}

static void check_ratio(const char *type, const char *name, const struct quantity *enforced, const char *text,
			const struct usage *usage, struct faults *faults)
{
	struct quantity request, limit;
	bool has_request = amount(usage->requests, name, &request),
	     has_limit = amount(usage->limits, name, &limit);

	if (!has_request || request.nano == 0) {
		add_fault(
		    faults,
		    mem_printf("%s max limit to request ratio per %s is %s, but no request is specified or "
			       "request is 0",
			       name, type, text));
		return;
	}
	if (!has_limit || limit.nano == 0) {
		add_fault(
		    faults,
		    mem_printf("%s max limit to request ratio per %s is %s, but no limit is specified or "
			       "limit is 0",
			       name, type, text));
		return;
	}
	double ratio = (double)limit.nano / (double)request.nano;
	if (ratio > (double)enforced->nano / 1e9)
		add_fault(faults,
			  mem_printf("%s max limit to request ratio per %s is %s, but provided ratio is %f",
				     name, type, text, ratio));
}

static const struct {
	const char *member;
	constraint_fn check;
} constraints[] = { { "min", check_min }, { "max", check_max }, { "maxLimitRequestRatio", check_ratio } };

static void check_usage(const struct json_object *limit, const struct usage *usage, struct faults *faults)
{
	const char *type = json_str_or_empty(limit, "type");

	for (size_t i = 0; i < ARRAY_SIZE(constraints); i++) {
		struct json_object *list = json_get(limit, constraints[i].member);
		if (!list)
			continue;
		json_object_object_foreach(list, name, value)
		{
			struct quantity enforced;
			(void)value;
			if (amount(list, name, &enforced))
				constraints[i].check(type, name, &enforced, json_str(list, name), usage,
						     faults);
		}
	}
}

static void check_containers(const struct json_object *limit, const struct json_object *spec,
			     struct faults *faults)
{
	/* Stands for limits that are not there, for NULL says that there can be none. */
	CLEANUP(json_putp) struct json_object *none = json_object_new_object();

	for (size_t k = 0; k < ARRAY_SIZE(container_lists); k++) {
		const struct json_object *containers = json_get(spec, container_lists[k].member);
		for (size_t i = 0; i < json_len(containers); i++) {
			const struct json_object *resources = json_get(json_at(containers, i), "resources");
			const struct json_object *limits = json_get(resources, "limits");
			check_usage(
			    limit, &(struct usage){ json_get(resources, "requests"), limits ? limits : none },
			    faults);
		}
	}
}

static void check_pod(const struct json_object *limit, const struct json_object *spec, struct faults *faults)
{
	CLEANUP(json_putp)
	struct json_object *requests = pod_resources_list(spec, "requests"),
			   *limits = pod_resources_list(spec, "limits");

	check_usage(limit, &(struct usage){ requests, limits }, faults);
}

static void check_limit(const struct request *r, const struct json_object *limit, struct faults *faults)
{
	const struct json_object *spec = json_get(r->obj, "spec");
	const char *type = json_str_or_empty(limit, "type");
	bool pods = strcmp(r->route.resource->plural, "pods") == 0;

	if (pods && strcmp(type, "Container") == 0)
		check_containers(limit, spec, faults);
	else if (pods && strcmp(type, "Pod") == 0)
		check_pod(limit, spec, faults);
	else if (!pods && strcmp(type, "PersistentVolumeClaim") == 0)
		check_usage(limit, &(struct usage){ json_path(spec, "resources", "requests", NULL), NULL },
			    faults);
}

/* --- what is given --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Members of DEFAULTS that LIST of RESOURCES lacks; what was set is told in ANNOTATION. */
static void fill(struct json_object *resources, const char *list, const struct json_object *defaults,
		 const char *what, const char *called, const char *container, struct buf *annotation)
{
	const char **set = NULL;
	size_t n = 0;

	if (!json_object_is_type(defaults, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)defaults, name, value)
	{
		if (json_get(json_get(resources, list), name))
			continue;
		json_set(json_ensure_object(resources, list), name, json_object_get(value));
		set = mem_realloc_array(set, n + 1, sizeof(*set));
		set[n++] = name;
	}
	if (n > 0) {
		qsort(set, n, sizeof(*set), by_name);
		buf_str(annotation, annotation->len ? "; " : "LimitRanger plugin set: ");
		for (size_t i = 0; i < n; i++)
			buf_printf(annotation, "%s%s", i ? ", " : "", set[i]);
		buf_printf(annotation, " %s for %s %s", what, called, container);
	}
	free(set);
}

static void fill_containers(struct json_object *spec, const struct json_object *limit, struct buf *annotation)
{
	for (size_t k = 0; k < ARRAY_SIZE(container_lists); k++) {
		const struct json_object *containers = json_get(spec, container_lists[k].member);
		for (size_t i = 0; i < json_len(containers); i++) {
			struct json_object *container = json_at(containers, i);
			struct json_object *resources = json_ensure_object(container, "resources");
			const char *name = json_str_or_empty(container, "name");
			fill(resources, "requests", json_get(limit, "defaultRequest"), "request",
			     container_lists[k].called, name, annotation);
			fill(resources, "limits", json_get(limit, "default"), "limit",
			     container_lists[k].called, name, annotation);
		}
	}
}

static enum step_result limits_change(struct request *r)
{
	struct policies *policies = r->server->policies;
	CLEANUP(buf_close) struct buf annotation = BUF_INIT;
	struct json_object *spec = json_get(r->obj, "spec");
	size_t n;

	if (r->old || !spec || strcmp(r->route.resource->plural, "pods") != 0)
		return STEP_NEXT;
	if (policies_read(policies, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	struct json_object *const *ranges = policies_limit_ranges(policies, r->route.namespace_, &n);
	for (size_t i = 0; i < n; i++) {
		const struct json_object *limits = json_path(ranges[i], "spec", "limits", NULL);
		for (size_t k = 0; k < json_len(limits); k++)
			if (strcmp(json_str_or_empty(json_at(limits, k), "type"), "Container") == 0)
				fill_containers(spec, json_at(limits, k), &annotation);
	}
	policies_done(policies);
	if (annotation.len) {
		struct json_object *metadata = json_ensure_object(r->obj, "metadata");
		json_set_str(json_ensure_object(metadata, "annotations"), "kubernetes.io/limit-ranger",
			     annotation.data);
	}
	return STEP_NEXT;
}

static enum step_result limits_check(struct request *r)
{
	struct policies *policies = r->server->policies;
	CLEANUP(faults_close) struct faults faults = { 0 };
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	size_t n;

	if (r->old && strcmp(r->route.resource->plural, "pods") == 0)
		return STEP_NEXT;
	if (policies_read(policies, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	struct json_object *const *ranges = policies_limit_ranges(policies, r->route.namespace_, &n);
	for (size_t i = 0; i < n; i++) {
		const struct json_object *limits = json_path(ranges[i], "spec", "limits", NULL);
		for (size_t k = 0; k < json_len(limits); k++)
			check_limit(r, json_at(limits, k), &faults);
	}
	policies_done(policies);
	if (!faults.n)
		return STEP_NEXT;
	buf_str(&text, faults.n > 1 ? "[" : "");
	for (size_t i = 0; i < faults.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", faults.list[i]);
	buf_str(&text, faults.n > 1 ? "]" : "");
	return admission_forbid(r, "%s", text.data);
}

const struct admission_plugin admission_limit_ranger = {
	.name = "LimitRanger",
	.resources = concerned,
	.change = limits_change,
	.check = limits_check,
};
