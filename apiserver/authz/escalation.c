/* Nobody gives away what they do not hold: who writes a role must hold its rules, or the verb escalate on it;
 * who binds one, its rules, or the verb bind on it.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/authz/authorize.h"
#include "apiserver/authz/authz.h"
#include "apiserver/edge/server.h"

#define GROUP "rbac.authorization.k8s.io"

static const char *const concerned[] = { "roles." GROUP, "clusterroles." GROUP, "rolebindings." GROUP,
					 "clusterrolebindings." GROUP, NULL };

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* RULES (JSON), a line each, in order and once. */
static void write_lines(struct buf *b, const struct json_object *rules)
{
	size_t n = json_len(rules);
	char **lines = mem_realloc_array(NULL, n, sizeof(*lines));

	for (size_t i = 0; i < n; i++) {
		struct buf line = BUF_INIT;

		rule_write_compact(&line, json_at(rules, i));
		lines[i] = buf_take(&line);
	}
	qsort(lines, n, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
			buf_printf(b, "%s%s", i ? "\n" : "", lines[i]);
	for (size_t i = 0; i < n; i++)
		free(lines[i]);
	free(lines);
}

/* STEP_NEXT when who asks holds RULES in NAMESPACE_. WHY NULL: what is missing is told. */
static enum step_result confirm(struct request *r, const struct json_object *rules, const char *namespace_,
				const char *why)
{
	const struct identity *identity = r->identity;
	struct rbac *rbac = authz_rbac(r->server->authz);
	CLEANUP(json_putp) struct json_object *missing = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT, unresolved = BUF_INIT;
	struct rbac_held held;
	int result;

	if (rbac_hold(rbac, identity, namespace_, &held, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	result = rules_uncovered(held.rules, held.n, rules, &missing, &r->err);
	if (held.missing.len)
		buf_printf(&unresolved, "; resolution errors: [%s]", held.missing.data);
	rbac_done(rbac, &held);
	if (result < 0) {
		CLEANUP(mem_freep) char *too_many = mem_dup(r->err.msg);

		return admission_forbid(r, "%s", too_many);
	}
	if (!json_len(missing))
		return STEP_NEXT;
	if (why)
		return admission_forbid(r, "%s", why);
	buf_str(&text, "user ");
	buf_json_string(&text, identity->user);
	buf_str(&text, " (groups=");
	names_write_quoted(&text, (const char *const *)identity->groups, identity->n_groups);
	buf_str(&text, ") is attempting to grant RBAC permissions not currently held:\n");
	write_lines(&text, missing);
	if (unresolved.len)
		buf_str(&text, unresolved.data);
	return admission_forbid(r, "%s", text.data);
}

/* Finalizers and owners are the garbage collector's business, and give nobody rights. */
static bool changes_only_owners(const struct request *r)
{
	static const char *const keys[] = { "finalizers", "ownerReferences", "managedFields",
					    "resourceVersion" };
	CLEANUP(json_putp) struct json_object *obj = json_clone(r->obj), *old = json_clone(r->old);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_object_object_del(json_get(obj, "metadata"), keys[i]);
		json_object_object_del(json_get(old, "metadata"), keys[i]);
	}
	return json_equal(obj, old);
}

static enum step_result check_role(struct request *r)
{
	static const char all[] = "[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]},"
				  "{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}]";
	const char *namespace_ = r->route.namespace_;
	struct authz_attributes a = { .is_resource = true,
				      .group = GROUP,
				      .version = "v1",
				      .resource = r->route.resource->plural,
				      .subresource = "",
				      .namespace_ = namespace_,
				      .name = r->name };
	bool allowed;

	if (authorize_also(r, &a, "escalate", &allowed) == STEP_FAIL)
		return STEP_FAIL;
	if (allowed)
		return STEP_NEXT;
	if (confirm(r, json_get(r->obj, "rules"), namespace_, NULL) == STEP_FAIL)
		return STEP_FAIL;
	if (!json_get(r->obj, "aggregationRule") && !json_get(r->old, "aggregationRule"))
		return STEP_NEXT;

	/* It may gather anything. */
	CLEANUP(json_putp) struct json_object *everything = NULL;

	if (json_parse(all, sizeof(all) - 1, &everything, NULL, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	return confirm(r, everything, "", "must have cluster-admin privileges to use the aggregationRule");
}

static enum step_result check_binding(struct request *r)
{
	const struct json_object *ref = json_get(r->obj, "roleRef");
	bool of_namespace = strcmp(json_str_or_empty(ref, "kind"), "Role") == 0;
	const char *plural = of_namespace ? "roles" : "clusterroles", *namespace_ = r->route.namespace_;
	const char *name = json_str_or_empty(ref, "name");
	struct authz_attributes a = { .is_resource = true,
				      .group = GROUP,
				      .version = "v1",
				      .resource = plural,
				      .subresource = "",
				      .namespace_ = namespace_,
				      .name = name };
	CLEANUP(object_unrefp) struct object *role = NULL;
	bool allowed;

	if (authorize_also(r, &a, "bind", &allowed) == STEP_FAIL)
		return STEP_FAIL;
	if (allowed)
		return STEP_NEXT;
	if (core_get(r->server->core, resource_find(GROUP, "v1", plural), of_namespace ? namespace_ : "",
		     name, &role, &r->err) < 0) {
		r->refused.group = GROUP;
		r->refused.resource = plural;
		snprintf(r->refused.name, sizeof(r->refused.name), "%s", name);
		return request_fail_as(r, DETAILS_REFUSED);
	}

	CLEANUP(json_putp) struct json_object *obj = object_json(role);

	return confirm(r, json_get(obj, "rules"), namespace_, NULL);
}

static enum step_result check(struct request *r)
{
	if (identity_in_group(r->identity, GROUP_MASTERS) || (r->old && changes_only_owners(r)))
		return STEP_NEXT;
	return json_get(r->obj, "roleRef") ? check_binding(r) : check_role(r);
}

const struct admission_plugin admission_escalation = {
	.name = "RBACEscalation",
	.resources = concerned,
	.check = check,
};
