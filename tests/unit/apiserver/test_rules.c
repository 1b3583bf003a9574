#include "apiserver/authz/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

struct row {
	const char *rules;
	const char *verb, *group, *resource, *subresource,
	    *name; /* of a resource; GROUP NULL: RESOURCE is a path */
	bool allowed;
};

#define PODS "[{\"verbs\":[\"get\",\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\",\"pods/log\"]}]"
#define NAMED                                                                                                \
	"[{\"verbs\":[\"*\"],\"apiGroups\":[\"apps\"],\"resources\":[\"*\"],\"resourceNames\":[\"a\",\"b\"]" \
	"}]"
#define SCALE "[{\"verbs\":[\"update\"],\"apiGroups\":[\"*\"],\"resources\":[\"*/scale\"]}]"
#define OWN   "[{\"verbs\":[\"bind\",\"use\"],\"apiGroups\":[\"\"],\"resources\":[\"things\"]}]"
#define PATHS "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/healthz\",\"/logs/*\"]}]"
#define ALL                                                                                                  \
	"[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]},{\"verbs\":[\"*\"],"               \
	"\"nonResourceURLs\":[\"*\"]}]"
#define TWO                                                                                                  \
	"[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]},{\"verbs\":[\"list\"],"        \
	"\"apiGroups\":[\"\"],\"resources\":[\"nodes\"]}]"

static const struct row rows[] = {
	{ PODS, "get", "", "pods", "", "p", true },
	{ PODS, "get", "", "pods", "log", "p", true },
	{ PODS, "get", "", "pods", "status", "p", false },
	{ PODS, "delete", "", "pods", "", "p", false },
	{ PODS, "get", "apps", "pods", "", "p", false },
	{ PODS, "get", "", "pod", "", "p", false },
	{ PODS, "get", "", "podsx", "log", "p", false },
	{ PODS, "*", "", "pods", "", "", false },
	{ PODS, "get", NULL, "/api/v1/pods", NULL, NULL, false },
	{ NAMED, "delete", "apps", "deployments", "", "a", true },
	{ NAMED, "delete", "apps", "deployments", "scale", "b", true },
	{ NAMED, "delete", "apps", "deployments", "", "c", false },
	{ NAMED, "list", "apps", "deployments", "", "", false },
	{ NAMED, "explode", "apps", "deployments", "", "a", true },
	{ SCALE, "update", "apps", "deployments", "scale", "a", true },
	{ SCALE, "update", "", "replicationcontrollers", "scale", "a", true },
	{ SCALE, "update", "apps", "deployments", "", "a", false },
	{ SCALE, "update", "apps", "deployments", "status", "a", false },
	{ SCALE, "update", "apps", "deployments", "scale2", "a", false },
	{ OWN, "bind", "", "things", "", "", true },
	{ OWN, "get", "", "things", "", "", false },
	{ OWN, "escalate", "", "things", "", "", false },
	{ PATHS, "get", NULL, "/healthz", NULL, NULL, true },
	{ PATHS, "get", NULL, "/healthz/etcd", NULL, NULL, false },
	{ PATHS, "get", NULL, "/logs/", NULL, NULL, true },
	{ PATHS, "get", NULL, "/logs/a/b", NULL, NULL, true },
	{ PATHS, "get", NULL, "/logs", NULL, NULL, false },
	{ PATHS, "post", NULL, "/healthz", NULL, NULL, false },
	{ PATHS, "get", "", "healthz", "", "", false },
	{ ALL, "get", "x.io", "y", "z", "n", true },
	{ ALL, "*", "*", "*", "", "", true },
	{ ALL, "post", NULL, "/anything", NULL, NULL, true },
	{ TWO, "get", "", "pods", "", "", true },
	{ TWO, "list", "", "nodes", "", "", true },
	{ TWO, "list", "", "pods", "", "", false },
	{ TWO, "get", "", "nodes", "", "", false },
	{ "[]", "get", "", "pods", "", "", false },
	{ "null", "get", "", "pods", "", "", false },
	{ "[{\"verbs\":null,\"apiGroups\":[1],\"resources\":[null]}]", "get", "", "pods", "", "", false },
};

static void test_allow(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		CLEANUP(json_putp) struct json_object *obj = parse(row->rules);
		CLEANUP(rules_close) struct authz_rules rules = AUTHZ_RULES_INIT;
		struct authz_attributes a = { .is_resource = row->group != NULL,
					      .path = row->resource,
					      .group = row->group,
					      .version = "v1",
					      .resource = row->resource,
					      .subresource = row->subresource,
					      .namespace_ = "",
					      .name = row->name };

		rules_parse(obj, &rules);
		attributes_set_verb(&a, row->verb);
		if (rules_allow(&rules, &a) != row->allowed)
			fail_msg("%s: %s %s should%s be allowed", row->rules, row->verb, row->resource,
				 row->allowed ? "" : " not");
	}
}

struct cover {
	const char *owned, *wanted;
	const char *missing; /* compact, a line each */
};

static const struct cover covers[] = {
	{ ALL, PODS, "" },
	{ ALL, NAMED, "" },
	{ ALL, PATHS, "" },
	{ ALL, ALL, "" },
	{ PODS, "[{\"verbs\":[\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"pods/log\"]}]", "" },
	{ PODS,
	  "[{\"verbs\":[\"list\",\"watch\",\"delete\"],\"apiGroups\":[\"\",\"x\"],\"resources\":[\"pods\"]}]",
	  "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"watch\" \"delete\"]}\n"
	  "{APIGroups:[\"x\"], Resources:[\"pods\"], Verbs:[\"list\" \"watch\" \"delete\"]}\n" },
	/* Covered by two together. */
	{ TWO, "[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\",\"nodes\"]}]",
	  "{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\"]}\n" },
	{ PODS, "[{\"verbs\":[\"*\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]",
	  "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"*\"]}\n" },
	/* Names: all are more than some. */
	{ NAMED, "[{\"verbs\":[\"get\"],\"apiGroups\":[\"apps\"],\"resources\":[\"x\"]}]",
	  "{APIGroups:[\"apps\"], Resources:[\"x\"], Verbs:[\"get\"]}\n" },
	{ NAMED,
	  "[{\"verbs\":[\"get\"],\"apiGroups\":[\"apps\"],\"resources\":[\"x\"],\"resourceNames\":[\"b\","
	  "\"c\"]}]",
	  "{APIGroups:[\"apps\"], Resources:[\"x\"], ResourceNames:[\"c\"], Verbs:[\"get\"]}\n" },
	{ SCALE, "[{\"verbs\":[\"update\"],\"apiGroups\":[\"apps\"],\"resources\":[\"deployments/scale\"]}]",
	  "" },
	{ SCALE, "[{\"verbs\":[\"update\"],\"apiGroups\":[\"apps\"],\"resources\":[\"deployments\"]}]",
	  "{APIGroups:[\"apps\"], Resources:[\"deployments\"], Verbs:[\"update\"]}\n" },
	{ PATHS, "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/logs/a*\",\"/metrics\"]}]",
	  "{NonResourceURLs:[\"/metrics\"], Verbs:[\"get\"]}\n" },
	{ PATHS, "[{\"verbs\":[\"get\",\"put\"],\"nonResourceURLs\":[\"*\"]}]",
	  "{NonResourceURLs:[\"*\"], Verbs:[\"get\"]}\n{NonResourceURLs:[\"*\"], Verbs:[\"put\"]}\n" },
	{ "[]", "[]", "" },
	{ "[]", "null", "" },
};

static int uncovered(const char *owned, const char *wanted, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *has = parse(owned), *wants = parse(wanted);
	CLEANUP(rules_close) struct authz_rules rules = AUTHZ_RULES_INIT;
	const struct authz_rule *held[8];

	rules_parse(has, &rules);
	assert_true(rules.n <= ARRAY_SIZE(held));
	for (size_t i = 0; i < rules.n; i++)
		held[i] = &rules.items[i];
	return rules_uncovered(held, rules.n, wants, ret, err);
}

static void test_cover(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(covers); i++) {
		CLEANUP(json_putp) struct json_object *missing = NULL;
		CLEANUP(buf_close) struct buf text = BUF_INIT;

		assert_int_equal(uncovered(covers[i].owned, covers[i].wanted, &missing, NULL), 0);
		buf_str(&text, "");
		for (size_t k = 0; k < json_len(missing); k++) {
			rule_write_compact(&text, json_at(missing, k));
			buf_char(&text, '\n');
		}
		if (strcmp(text.data, covers[i].missing) != 0)
			fail_msg("%s of %s:\n got      %s expected %s", covers[i].wanted, covers[i].owned,
				 text.data, covers[i].missing);
	}
}

static void test_too_many(void **state)
{
	(void)state;
	CLEANUP(json_putp) struct json_object *missing = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	static const char *const keys[] = { "verbs", "apiGroups", "resources", "resourceNames" };

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		buf_printf(&text, "%s\"%s\":[", k ? "," : "[{", keys[k]);
		for (unsigned i = 0; i < 100; i++)
			buf_printf(&text, "%s\"x%u\"", i ? "," : "", i);
		buf_char(&text, ']');
	}
	buf_str(&text, "}]");
	assert_int_equal(uncovered(PODS, text.data, &missing, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_null(missing);
	/* Whoever holds all of it needs no taking apart. */
	assert_int_equal(uncovered(ALL, text.data, &missing, &err), 0);
	assert_int_equal(json_len(missing), 0);
}

static void test_refusal(void **state)
{
	(void)state;
	CLEANUP(identity_unrefp) struct identity *jane = identity_new("ja\"ne", "");
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct authz_attributes a = { .identity = jane,
				      .is_resource = true,
				      .group = "apps",
				      .resource = "deployments",
				      .subresource = "scale",
				      .namespace_ = "default",
				      .name = "d" };

	attributes_set_verb(&a, "update");
	assert_int_equal(a.verb_bit, VERB_UPDATE);
	attributes_write_refusal(&text, &a);
	assert_string_equal(
	    text.data, "User \"ja\\\"ne\" cannot update resource \"deployments/scale\" in API group \"apps\" "
		       "in the namespace \"default\"");
	buf_reset(&text);
	a.namespace_ = a.subresource = a.group = "";
	attributes_write_refusal(&text, &a);
	assert_string_equal(
	    text.data, "User \"ja\\\"ne\" cannot update resource \"deployments\" in API group \"\" at the "
		       "cluster scope");
	buf_reset(&text);
	a.is_resource = false;
	a.path = "/metrics";
	attributes_set_verb(&a, "head");
	assert_int_equal(a.verb_bit, 0);
	attributes_write_refusal(&text, &a);
	assert_string_equal(text.data, "User \"ja\\\"ne\" cannot head path \"/metrics\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_cover),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
