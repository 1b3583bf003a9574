#include "api/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_table(void **state)
{
	size_t n, rows = 0;
	const struct resource *all = resource_all(&n);

	(void)state;
	while (kind_rows[rows] != NULL)
		rows++;
	assert_int_equal(n, rows);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(all[i].index, i);
		assert_ptr_equal(resource_at((unsigned)i), &all[i]);
		assert_ptr_equal(resource_find(all[i].group, all[i].version, all[i].plural), &all[i]);
		assert_ptr_equal(resource_find_kind(all[i].group_version, all[i].kind_name), &all[i]);
		assert_non_null(all[i].def);
		assert_non_null(all[i].kind);
	}
	assert_null(resource_at((unsigned)n));
}

static void test_row(void **state)
{
	const struct resource *pods = resource_find("", "v1", "pods");
	const struct resource *deployments = resource_find("apps", "v1", "deployments");

	(void)state;
	assert_string_equal(pods->kind_name, "Pod");
	assert_string_equal(pods->list_kind, "PodList");
	assert_string_equal(pods->group_version, "v1");
	assert_string_equal(pods->qualified, "pods");
	assert_string_equal(pods->short_names[0], "po");
	assert_null(pods->short_names[1]);
	assert_string_equal(pods->categories[0], "all");
	assert_string_equal(pods->def->name, "core.v1.Pod");
	assert_true(pods->namespaced);
	assert_int_equal(pods->verbs, VERB_CREATE | VERB_DELETE | VERB_DELETECOLLECTION | VERB_GET | VERB_LIST | VERB_PATCH |
					      VERB_UPDATE | VERB_WATCH);
	assert_string_equal(deployments->qualified, "deployments.apps");
	assert_string_equal(deployments->group_version, "apps/v1");
	assert_false(resource_find("", "v1", "nodes")->namespaced);
	assert_int_equal(resource_find("", "v1", "namespaces")->verbs & VERB_DELETECOLLECTION, 0);
	assert_null(resource_find("", "v1", "secrets")->categories[0]);
	assert_null(resource_find("apps", "v1", "pods"));
	assert_null(resource_find_kind("v1", "Deployment"));
	assert_true(resource_group_version_known("apps", "v1"));
	assert_false(resource_group_version_known("apps", "v2"));
}

static void test_subresources(void **state)
{
	const struct resource *pods = resource_find("", "v1", "pods");
	const struct resource *deployments = resource_find("apps", "v1", "deployments");

	(void)state;
	assert_int_equal(resource_subresource(pods, "status")->verbs, VERB_GET | VERB_PATCH | VERB_UPDATE);
	assert_string_equal(resource_subresource(pods, "binding")->kind, "Binding");
	assert_int_equal(resource_subresource(pods, "log")->verbs, VERB_GET);
	assert_string_equal(resource_subresource(deployments, "scale")->group_version, "autoscaling/v1");
	assert_string_equal(resource_subresource(deployments, "status")->group_version, "apps/v1");
	assert_null(resource_subresource(pods, "scale"));
	assert_null(resource_subresource(pods, "nope"));
	assert_null(resource_subresource(resource_find("", "v1", "configmaps"), "status"));
}

struct typed {
	const char *name, *plural; /* NULL: nothing */
};

static const struct typed typed_names[] = {
	{ "pods", "pods" },	       { "pod", "pods" },
	{ "po", "pods" },	       { "Pod", "pods" },
	{ "PODS", "pods" },	       { "deploy", "deployments" },
	{ "deployments.apps", "deployments" }, { "deploy.v1.apps", "deployments" },
	{ "pods.v1", "pods" },	       { "pods.v1.", "pods" },
	{ "rs", "replicasets" },       { "lease.coordination.k8s.io", "leases" },
	{ "deploy.v2.apps", NULL },    { "deployments.batch", NULL },
	{ "pods.v2", NULL },	       { "pod1", NULL },
	{ "p", NULL },		       { "", NULL },
	{ ".apps", NULL },
};

static void test_typed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(typed_names) / sizeof(typed_names[0]); i++) {
		const struct resource *found = resource_find_typed(typed_names[i].name);
		if (typed_names[i].plural == NULL)
			assert_null(found);
		else
			assert_string_equal(found->plural, typed_names[i].plural);
	}
}

static void test_verbs(void **state)
{
	(void)state;
	for (unsigned bit = 1; bit <= VERB_WATCH; bit <<= 1)
		assert_int_equal(verb_parse(verb_name((enum verb)bit)), bit);
	assert_int_equal(verb_parse("frob"), 0);
	assert_string_equal(verb_name(VERB_DELETECOLLECTION), "deletecollection");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_row),   cmocka_unit_test(test_subresources),
		cmocka_unit_test(test_typed), cmocka_unit_test(test_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
