/* ResourceQuota (core/v1). */
#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "lib/quantity.h"

/* Names that a quota knows besides those of count/, extended resources and storage classes; whole numbers,
 * and whether quotas of pods alone, of best-effort pods too, may name them. */
enum quota_scope { SCOPE_ANY_POD = 1, SCOPE_BEST_EFFORT = 2 };
static const struct quota_name {
	const char *name;
	bool integer;
	unsigned scopes; /* enum quota_scope */
} quota_names[] = {
	{ "cpu", false, SCOPE_ANY_POD },
	{ "memory", false, SCOPE_ANY_POD },
	{ "ephemeral-storage", false, 0 },
	{ "requests.cpu", false, SCOPE_ANY_POD },
	{ "requests.memory", false, SCOPE_ANY_POD },
	{ "requests.storage", false, 0 },
	{ "requests.ephemeral-storage", false, 0 },
	{ "limits.cpu", false, SCOPE_ANY_POD },
	{ "limits.memory", false, SCOPE_ANY_POD },
	{ "limits.ephemeral-storage", false, 0 },
	{ "pods", true, SCOPE_ANY_POD | SCOPE_BEST_EFFORT },
	{ "resourcequotas", true, 0 },
	{ "services", true, 0 },
	{ "replicationcontrollers", true, 0 },
	{ "secrets", true, 0 },
	{ "persistentvolumeclaims", true, 0 },
	{ "configmaps", true, 0 },
	{ "services.nodeports", true, 0 },
	{ "services.loadbalancers", true, 0 },
};

static const char *const scopes[] = { "Terminating",
				      "NotTerminating",
				      "BestEffort",
				      "NotBestEffort",
				      "PriorityClass",
				      "CrossNamespacePodAffinity",
				      "VolumeAttributesClass",
				      NULL };

static bool is_hugepages(const char *name)
{
	return strncmp(name, "hugepages-", 10) == 0 || strncmp(name, "requests.hugepages-", 19) == 0;
}

static const struct quota_name *quota_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(quota_names); i++)
		if (strcmp(quota_names[i].name, name) == 0)
			return &quota_names[i];
	return NULL;
}

/* A map of amounts by name. */
static void validate_amounts(struct json_object *map, struct field_path *path, struct field_errors *errors)
{
	if (!map)
		return;
	json_object_object_foreach(map, name, value)
	{
		const struct quota_name *known = quota_name(name);
		const char *text = json_object_get_string(value);
		struct name_faults faults = { .n = 0 };
		size_t mark = field_push_key(path, name);
		struct quantity q;

		name_check_qualified(name, &faults);
		if (!strchr(name, '/') && !known && !is_hugepages(name) && faults.n < NAME_FAULTS_MAX)
			faults.text[faults.n++] = "must be a standard resource for quota";
		fault_names(errors, path, NULL, name, &faults);
		if (quantity_parse(text, &q) && q.nano < 0)
			field_error_invalid_str(errors, path, text, "must be greater than or equal to 0");
		if (known && known->integer && quantity_parse(text, &q) && !quantity_is_whole(&q))
			field_error_invalid_str(errors, path, text, "must be an integer");
		field_pop(path, mark);
	}
}

static bool is_scope(const char *scope)
{
	size_t i = 0;

	while (scopes[i] && strcmp(scopes[i], scope) != 0)
		i++;
	return scopes[i] != NULL;
}

/* Whether a quota with SCOPE may count NAME: names that nothing is known of, it may. */
static bool scope_suits(const char *scope, const char *name)
{
	const struct quota_name *known = quota_name(name);

	if (!known || !is_scope(scope))
		return true;
	if (strcmp(scope, "VolumeAttributesClass") == 0)
		return strcmp(name, "persistentvolumeclaims") == 0 || strcmp(name, "requests.storage") == 0;
	return known->scopes & (strcmp(scope, "BestEffort") == 0 ? SCOPE_BEST_EFFORT : SCOPE_ANY_POD);
}

static void validate_scope_suits(const struct json_object *spec, const char *scope,
				 const struct json_object *shown, struct field_path *path,
				 struct field_errors *errors)
{
	struct json_object *hard = json_get(spec, "hard");

	if (!hard)
		return;
	json_object_object_foreach(hard, name, value)
	{
		(void)value;
		if (!scope_suits(scope, name))
			field_error_add(errors, FIELD_INVALID, path, shown,
					"unsupported scope applied to resource");
	}
}

static bool has_scope(const struct json_object *list, const char *scope)
{
	for (size_t i = 0; i < json_len(list); i++)
		if (strcmp(json_object_get_string(json_at(list, i)), scope) == 0)
			return true;
	return false;
}

static void validate_scopes(const struct json_object *spec, struct field_path *path,
			    struct field_errors *errors)
{
	const struct json_object *list = json_get(spec, "scopes");
	size_t mark = field_push(path, "scopes");

	for (size_t i = 0; i < json_len(list); i++) {
		const char *scope = json_object_get_string(json_at(list, i));

		if (!is_scope(scope))
			field_error_add(errors, FIELD_INVALID, path, list, "unsupported scope");
		validate_scope_suits(spec, scope, list, path, errors);
	}
	if ((has_scope(list, "BestEffort") && has_scope(list, "NotBestEffort")) ||
	    (has_scope(list, "Terminating") && has_scope(list, "NotTerminating")))
		field_error_add(errors, FIELD_INVALID, path, list, "conflicting scopes");
	field_pop(path, mark);
}

static void validate_requirement(const struct json_object *spec, const struct json_object *requirement,
				 struct field_path *path, struct field_errors *errors)
{
	const char *scope = json_str_or_empty(requirement, "scopeName");
	const char *operator= json_str_or_empty(requirement, "operator");
	const struct json_object *values = json_get(requirement, "values");
	bool valued = strcmp(operator, "In") == 0 || strcmp(operator, "NotIn") == 0;
	bool exists = strcmp(operator, "Exists") == 0;
	bool of_class = strcmp(scope, "PriorityClass") == 0 || strcmp(scope, "VolumeAttributesClass") == 0;

	if (!is_scope(scope))
		fault_str(errors, path, "scopeName", scope, "unsupported scope");
	validate_scope_suits(spec, scope, json_get(spec, "scopeSelector"), path, errors);
	if (is_scope(scope) && !of_class && !exists)
		fault_str(errors, path, "operator", operator,
			  "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
			  "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
			  "ResourceQuotaScopeNotBestEffort or "
			  "ResourceQuotaScopeCrossNamespacePodAffinity");
	if (valued && json_len(values) == 0)
		fault_required(errors, path, "values",
			       "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
			       "selector");
	else if ((exists || strcmp(operator, "DoesNotExist") == 0) && json_len(values) > 0)
		fault_json(
		    errors, path, "values", values,
		    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
	else if (!valued && !exists && strcmp(operator, "DoesNotExist") != 0)
		fault_str(errors, path, "operator", operator, "not a valid selector operator");
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	const struct json_object *requirements = json_path(spec, "scopeSelector", "matchExpressions", NULL);
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	mark = field_push(&path, "hard");
	validate_amounts(json_get(spec, "hard"), &path, errors);
	field_pop(&path, mark);
	validate_scopes(spec, &path, errors);
	field_push(&path, "scopeSelector.matchExpressions");
	for (size_t i = 0; i < json_len(requirements); i++)
		validate_requirement(spec, json_at(requirements, i), &path, errors);
}

static void set_defaults(struct json_object *obj)
{
	json_ensure_object(obj, "spec");
	json_ensure_object(obj, "status");
}

static void prepare_create(struct json_object *obj)
{
	json_set(obj, "status", json_object_new_object());
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	validate_immutable(json_get(obj, "spec"), json_get(old, "spec"), "scopes", &path, errors);
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const keys[] = { "hard", "used" };
	struct field_path path;

	(void)old;
	field_path_init(&path, "status");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t mark = field_push(&path, keys[i]);

		validate_amounts(json_path(obj, "status", keys[i], NULL), &path, errors);
		field_pop(&path, mark);
	}
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Request", "string", "", "What is used, of what may be.", 0 },
	{ "Limit", "string", "", "The same of limits.", 0 },
	CELL_COLUMN_AGE,
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "pods: 1/10, services: 0/2", sorted; limits in a column of their own. */
static void cell_usage(struct json_object *cells, const struct json_object *status, bool limits)
{
	struct json_object *hard = json_get(status, "hard"), *used = json_get(status, "used");
	size_t n = hard ? (size_t)json_object_object_length(hard) : 0, i = 0;
	CLEANUP(mem_freep) const char **names = mem_zalloc((n + 1) * sizeof(*names));
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	if (hard) {
		json_object_object_foreach(hard, name, value)
		{
			(void)value;
			names[i++] = name;
		}
	}
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 0; i < n; i++) {
		const char *amount = json_str(used, names[i]);

		if ((strncmp(names[i], "limits.", 7) == 0) == limits)
			buf_printf(&b, "%s%s: %s/%s", b.len > 0 ? ", " : "", names[i], amount ? amount : "0",
				   json_str_or_empty(hard, names[i]));
	}
	cell_buf(cells, &b);
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *status = json_get(obj, "status");

	cell_name(ret, obj);
	cell_usage(ret, status, false);
	cell_usage(ret, status, true);
	cell_age(ret, obj, now_us);
}

const struct kind kind_resource_quota = {
	.api_version = "v1",
	.kind = "ResourceQuota",
	.definition = "core.v1.ResourceQuota",
	.has_status = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
