#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apiserver/audit/policy.h"
#include "lib/yaml.h"

static struct audit_policy *read_policy(const char *yaml, struct err *err)
{
	struct yaml_doc *docs = NULL;
	struct audit_policy *policy = NULL;
	size_t n = 0;
	*err = ERR_INIT;
	assert_int_equal(yaml_parse("policy", yaml, strlen(yaml), &docs, &n, err), 0);
	if (audit_policy_new(docs[0].value, &policy, err) < 0)
		policy = NULL;
	yaml_docs_free(docs, n);
	return policy;
}

static struct audit_attributes resource(const struct identity *identity, const char *verb, const char *group,
					const char *name_of, const char *sub, const char *namespace_,
					const char *name)
{
	return (struct audit_attributes){ .identity = identity,
					  .verb = verb,
					  .is_resource = true,
					  .group = group,
					  .resource = name_of,
					  .subresource = sub,
					  .namespace_ = namespace_,
					  .name = name,
					  .path = "" };
}

static struct audit_attributes page(const struct identity *identity, const char *path)
{
	return (struct audit_attributes){ .identity = identity,
					  .verb = "get",
					  .group = "",
					  .resource = "",
					  .subresource = "",
					  .namespace_ = "",
					  .name = "",
					  .path = path };
}

static const char full[] = "omitStages: [RequestReceived]\n"
			   "rules:\n"
			   "- {level: None, users: [robot]}\n"
			   "- {level: None, userGroups: ['system:nodes'], verbs: [get, list]}\n"
			   "- {level: None, nonResourceURLs: ['/healthz*', /version]}\n"
			   "- level: RequestResponse\n"
			   "  omitStages: [ResponseStarted]\n"
			   "  omitManagedFields: true\n"
			   "  resources:\n"
			   "  - {group: '', resources: [pods, 'pods/*']}\n"
			   "  - {group: apps, resources: ['*/scale']}\n"
			   "  - {group: '', resources: [configmaps], resourceNames: [one]}\n"
			   "- {level: Request, namespaces: [kube-system]}\n"
			   "- {level: Metadata, resources: [{group: batch}]}\n";

static enum audit_level level(const struct audit_policy *policy, struct audit_attributes asked)
{
	struct audit_verdict verdict;
	audit_policy_judge(policy, &asked, &verdict);
	return verdict.level;
}

static void the_first_rule_that_matches_decides(void **state)
{
	(void)state;
	struct err err;
	struct audit_policy *policy = read_policy(full, &err);
	if (!policy)
		fail_msg("%s", err.msg);
	struct identity *jane = identity_new("jane", ""), *robot = identity_new("robot", ""),
			*node = identity_new("n", "");
	identity_add_group(node, "system:nodes", strlen("system:nodes"));

	assert_int_equal(level(policy, resource(robot, "create", "", "pods", "", "d", "")), AUDIT_NONE);
	assert_int_equal(level(policy, resource(jane, "create", "", "pods", "", "d", "")),
			 AUDIT_REQUEST_RESPONSE);
	assert_int_equal(level(policy, resource(NULL, "create", "", "pods", "", "d", "")),
			 AUDIT_REQUEST_RESPONSE);
	assert_int_equal(level(policy, resource(node, "get", "", "pods", "", "d", "p")), AUDIT_NONE);
	assert_int_equal(level(policy, resource(node, "patch", "", "pods", "status", "d", "p")),
			 AUDIT_REQUEST_RESPONSE);
	assert_int_equal(level(policy, resource(jane, "get", "apps", "deployments", "scale", "d", "p")),
			 AUDIT_REQUEST_RESPONSE);
	assert_int_equal(level(policy, resource(jane, "get", "apps", "deployments", "", "d", "p")),
			 AUDIT_NONE);
	assert_int_equal(level(policy, resource(jane, "get", "", "configmaps", "", "d", "one")),
			 AUDIT_REQUEST_RESPONSE);
	assert_int_equal(level(policy, resource(jane, "get", "", "configmaps", "", "d", "two")), AUDIT_NONE);
	assert_int_equal(level(policy, resource(jane, "get", "", "configmaps", "", "kube-system", "two")),
			 AUDIT_REQUEST);
	assert_int_equal(level(policy, resource(jane, "list", "batch", "jobs", "", "d", "")), AUDIT_METADATA);
	assert_int_equal(level(policy, page(jane, "/healthz/ping")), AUDIT_NONE);
	assert_int_equal(level(policy, page(jane, "/metrics")), AUDIT_NONE);

	struct audit_attributes asked = resource(jane, "create", "", "pods", "exec", "d", "p");
	struct audit_verdict verdict;
	audit_policy_judge(policy, &asked, &verdict);
	assert_int_equal(verdict.omit_stages, AUDIT_REQUEST_RECEIVED | AUDIT_RESPONSE_STARTED);
	assert_true(verdict.omit_managed_fields);
	asked = resource(jane, "list", "batch", "jobs", "", "d", "");
	audit_policy_judge(policy, &asked, &verdict);
	assert_int_equal(verdict.omit_stages, AUDIT_REQUEST_RECEIVED);
	assert_false(verdict.omit_managed_fields);
	identity_unref(jane);
	identity_unref(robot);
	identity_unref(node);
	audit_policy_free(policy);
}

static void paths_are_matched(void **state)
{
	(void)state;
	struct err err;
	struct audit_policy *policy =
	    read_policy("rules: [{level: Metadata, nonResourceURLs: [/metrics, '/a/*']}]", &err);
	assert_int_equal(level(policy, page(NULL, "/metrics")), AUDIT_METADATA);
	assert_int_equal(level(policy, page(NULL, "/metrics/x")), AUDIT_NONE);
	assert_int_equal(level(policy, page(NULL, "/a/b/c")), AUDIT_METADATA);
	assert_int_equal(level(policy, page(NULL, "/a")), AUDIT_NONE);
	assert_int_equal(level(policy, resource(NULL, "get", "", "pods", "", "", "")), AUDIT_NONE);
	audit_policy_free(policy);
	policy = read_policy("rules: [{level: Metadata, nonResourceURLs: ['*']}]", &err);
	assert_int_equal(level(policy, page(NULL, "/x")), AUDIT_METADATA);
	audit_policy_free(policy);
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *why;
	} rows[] = {
		{ "rules: []", "has no rules" },
		{ "kind: Policy", "has no rules" },
		{ "rules: [{}]", "rules[0]: level: unknown level \"\"" },
		{ "rules: [{level: None}, {level: All}]", "rules[1]: level: unknown level \"All\"" },
		{ "rules: [{level: None, omitStages: [Begin]}]", "unknown stage \"Begin\"" },
		{ "omitStages: [x]\nrules: [{level: None}]", "unknown stage \"x\"" },
		{ "rules: [{level: None, users: jane}]", "users is no list" },
		{ "rules: [{level: None, users: [1]}]", "users[0] is no string" },
		{ "rules: [{level: None, nonResourceURLs: [healthz]}]", "nonResourceURLs[0]" },
		{ "rules: [{level: None, nonResourceURLs: ['/a*b']}]", "nonResourceURLs[0]" },
		{ "rules: [{level: None, nonResourceURLs: ['']}]", "nonResourceURLs[0]" },
		{ "rules: [{level: None, nonResourceURLs: [/a], namespaces: [x]}]", "not for both" },
		{ "rules: [{level: None, resources: [{resourceNames: [x]}]}]",
		  "resourceNames need resources" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err;
		assert_null(read_policy(rows[i].yaml, &err));
		if (!strstr(err.msg, rows[i].why))
			fail_msg("row %zu: %s", i, err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_matches_decides),
		cmocka_unit_test(paths_are_matched),
		cmocka_unit_test(what_is_wrong_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
