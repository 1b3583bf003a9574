#include "api/kinds/rbac.h"

#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/validate.h"

/* --- roles --- */

void rbac_default_rules(struct json_object *role)
{
	struct json_object *rules = json_get(role, "rules");

	default_null(role, "rules");
	for (size_t i = 0; i < json_len(rules); i++)
		default_null(json_at(rules, i), "verbs");
}

static void validate_rule(const struct json_object *rule, bool namespaced, struct field_path *path,
			  struct field_errors *errors)
{
	const struct json_object *urls = json_get(rule, "nonResourceURLs");
	size_t n_groups = json_len(json_get(rule, "apiGroups")),
	       n_resources = json_len(json_get(rule, "resources"));

	if (!json_len(json_get(rule, "verbs")))
		fault_required(errors, path, "verbs", "verbs must contain at least one value");
	if (json_len(urls)) {
		if (namespaced)
			fault_json(errors, path, "nonResourceURLs", urls,
				   "namespaced rules cannot apply to non-resource URLs");
		if (n_groups || n_resources || json_len(json_get(rule, "resourceNames")))
			fault_json(errors, path, "nonResourceURLs", urls,
				   "rules cannot apply to both regular resources and non-resource URLs");
		return;
	}
	if (!n_groups)
		fault_required(errors, path, "apiGroups",
			       "resource rules must supply at least one api group");
	if (!n_resources)
		fault_required(errors, path, "resources", "resource rules must supply at least one resource");
}

void rbac_validate_rules(const struct json_object *role, bool namespaced, struct field_errors *errors)
{
	const struct json_object *rules = json_get(role, "rules");
	struct field_path path;

	field_path_init(&path, "rules");
	for (size_t i = 0; i < json_len(rules); i++) {
		size_t mark = field_push_index(&path, i);

		validate_rule(json_at(rules, i), namespaced, &path, errors);
		field_pop(&path, mark);
	}
}

/* --- bindings --- */

void rbac_default_binding(struct json_object *binding)
{
	struct json_object *subjects = json_get(binding, "subjects");

	default_str(json_ensure_object(binding, "roleRef"), "apiGroup", RBAC_GROUP);
	for (size_t i = 0; i < json_len(subjects); i++) {
		struct json_object *subject = json_at(subjects, i);
		const char *kind = json_str_or_empty(subject, "kind");

		if (strcmp(kind, "User") == 0 || strcmp(kind, "Group") == 0)
			default_str(subject, "apiGroup", RBAC_GROUP);
	}
}

static void validate_role_ref(const struct json_object *ref, const char *const *kinds,
			      struct field_errors *errors)
{
	static const char *const groups[] = { RBAC_GROUP, NULL };
	const char *name = json_str_or_empty(ref, "name"), *kind = json_str_or_empty(ref, "kind");
	struct name_faults faults = { .n = 0 };
	struct field_path path;
	bool known = false;

	field_path_init(&path, "roleRef");
	if (strcmp(json_str_or_empty(ref, "apiGroup"), RBAC_GROUP) != 0)
		fault_not_supported(errors, &path, "apiGroup", json_str_or_empty(ref, "apiGroup"), groups);
	for (const char *const *k = kinds; *k; k++)
		known |= strcmp(kind, *k) == 0;
	if (!known)
		fault_not_supported(errors, &path, "kind", kind, kinds);
	if (!*name) {
		fault_required(errors, &path, "name", "");
		return;
	}
	name_check_path_segment(name, false, &faults);
	fault_names(errors, &path, "name", name, &faults);
}

static void validate_account(const struct json_object *subject, bool namespaced, struct field_path *path,
			     struct field_errors *errors)
{
	static const char *const no_group[] = { "", NULL };
	const char *name = json_str_or_empty(subject, "name");
	struct name_faults faults = { .n = 0 };

	if (*name)
		name_check_dns_subdomain(name, false, &faults);
	fault_names(errors, path, "name", name, &faults);
	if (default_has_str(subject, "apiGroup"))
		fault_not_supported(errors, path, "apiGroup", json_str(subject, "apiGroup"), no_group);
	/* In a namespace it is that one when it is left out. */
	if (!namespaced && !default_has_str(subject, "namespace"))
		fault_required(errors, path, "namespace", "");
}

static void validate_subject(const struct json_object *subject, bool namespaced, struct field_path *path,
			     struct field_errors *errors)
{
	static const char *const groups[] = { RBAC_GROUP, NULL };
	static const char *const kinds[] = { "ServiceAccount", "User", "Group", NULL };
	const char *kind = json_str_or_empty(subject, "kind"),
		   *group = json_str_or_empty(subject, "apiGroup");

	if (!default_has_str(subject, "name"))
		fault_required(errors, path, "name", "");
	if (strcmp(kind, "ServiceAccount") == 0) {
		validate_account(subject, namespaced, path, errors);
	} else if (strcmp(kind, "User") == 0 || strcmp(kind, "Group") == 0) {
		if (strcmp(group, RBAC_GROUP) != 0)
			fault_not_supported(errors, path, "apiGroup", group, groups);
	} else {
		fault_not_supported(errors, path, "kind", kind, kinds);
	}
}

void rbac_validate_binding(const struct json_object *binding, const char *const *kinds, bool namespaced,
			   struct field_errors *errors)
{
	const struct json_object *subjects = json_get(binding, "subjects");
	struct field_path path;

	validate_role_ref(json_get(binding, "roleRef"), kinds, errors);
	field_path_init(&path, "subjects");
	for (size_t i = 0; i < json_len(subjects); i++) {
		size_t mark = field_push_index(&path, i);

		validate_subject(json_at(subjects, i), namespaced, &path, errors);
		field_pop(&path, mark);
	}
}

void rbac_validate_binding_update(const struct json_object *binding, const struct json_object *old,
				  struct field_errors *errors)
{
	const struct json_object *ref = json_get(binding, "roleRef");
	struct field_path path;

	field_path_init(&path, "roleRef");
	if (!json_equal(ref, json_get(old, "roleRef")))
		field_error_add(errors, FIELD_INVALID, &path, ref, "cannot change roleRef");
}

/* --- tables --- */

const struct kind_column rbac_binding_columns[RBAC_BINDING_COLUMNS] = {
	CELL_COLUMN_NAME,
	{ "Role", "string", "", "The role that is given, by kind and name.", 0 },
	CELL_COLUMN_AGE,
	{ "Users", "string", "", "Users who have the role.", 1 },
	{ "Groups", "string", "", "Groups whose members have the role.", 1 },
	{ "ServiceAccounts", "string", "", "Service accounts that have the role.", 1 },
};

static void cell_subjects(struct json_object *ret, const struct json_object *subjects, const char *kind)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(subjects); i++) {
		const struct json_object *subject = json_at(subjects, i);

		if (strcmp(json_str_or_empty(subject, "kind"), kind) != 0)
			continue;
		if (b.len)
			buf_str(&b, ", ");
		if (strcmp(kind, "ServiceAccount") == 0)
			buf_printf(&b, "%s/", json_str_or_empty(subject, "namespace"));
		buf_str(&b, json_str_or_empty(subject, "name"));
	}
	cell_buf(ret, &b);
}

void rbac_binding_cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *ref = json_get(obj, "roleRef"), *subjects = json_get(obj, "subjects");
	CLEANUP(buf_close) struct buf role = BUF_INIT;

	buf_printf(&role, "%s/%s", json_str_or_empty(ref, "kind"), json_str_or_empty(ref, "name"));
	cell_name(ret, obj);
	cell_buf(ret, &role);
	cell_age(ret, obj, now_us);
	cell_subjects(ret, subjects, "User");
	cell_subjects(ret, subjects, "Group");
	cell_subjects(ret, subjects, "ServiceAccount");
}
