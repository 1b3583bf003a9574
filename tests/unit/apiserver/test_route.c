#include "apiserver/edge/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct expected {
	enum route_method method;
	const char *path;
	enum route_kind kind;
	enum verb verb;
	const char *plural, *namespace_, *name, *subresource;
};

#define NONE 0, NULL, NULL, NULL, NULL

static const struct expected rows[] = {
	{ METHOD_GET, "/api/v1/namespaces/a/pods/b", ROUTE_OBJECT, VERB_GET, "pods", "a", "b", NULL },
	{ METHOD_HEAD, "/api/v1/namespaces/a/pods/b", ROUTE_OBJECT, VERB_GET, "pods", "a", "b", NULL },
	{ METHOD_GET, "/api/v1/namespaces/a/pods/", ROUTE_OBJECT, VERB_LIST, "pods", "a", "", NULL },
	{ METHOD_GET, "/api/v1/pods", ROUTE_OBJECT, VERB_LIST, "pods", "", "", NULL },
	{ METHOD_POST, "/api/v1/pods", ROUTE_METHOD_NOT_ALLOWED, NONE },
	{ METHOD_GET, "/api/v1/pods/b", ROUTE_RESOURCE_NOT_FOUND, NONE },
	{ METHOD_POST, "/api/v1/namespaces/a/pods", ROUTE_OBJECT, VERB_CREATE, "pods", "a", "", NULL },
	{ METHOD_POST, "/api/v1/namespaces/a/pods/b", ROUTE_METHOD_NOT_ALLOWED, NONE },
	{ METHOD_PUT, "/api/v1/namespaces/a/pods", ROUTE_METHOD_NOT_ALLOWED, NONE },
	{ METHOD_DELETE, "/api/v1/namespaces/a/pods", ROUTE_OBJECT, VERB_DELETECOLLECTION, "pods", "a", "", NULL },
	{ METHOD_PATCH, "/api/v1/namespaces/a/pods/b/status", ROUTE_OBJECT, VERB_PATCH, "pods", "a", "b", "status" },
	{ METHOD_POST, "/api/v1/namespaces/a/pods/b/binding", ROUTE_OBJECT, VERB_CREATE, "pods", "a", "b", "binding" },
	{ METHOD_POST, "/api/v1/namespaces/a/bindings", ROUTE_OBJECT, VERB_CREATE, "pods", "a", "", "binding" },
	{ METHOD_GET, "/api/v1/namespaces/a/pods/b/nope", ROUTE_RESOURCE_NOT_FOUND, NONE },
	{ METHOD_DELETE, "/api/v1/namespaces/a/pods/b/status", ROUTE_METHOD_NOT_ALLOWED, NONE },
	{ METHOD_GET, "/api/v1/namespaces/a", ROUTE_OBJECT, VERB_GET, "namespaces", "", "a", NULL },
	{ METHOD_GET, "/api/v1/namespaces/a/status", ROUTE_OBJECT, VERB_GET, "namespaces", "", "a", "status" },
	{ METHOD_PUT, "/api/v1/namespaces/a/finalize", ROUTE_OBJECT, VERB_UPDATE, "namespaces", "", "a", "finalize" },
	{ METHOD_DELETE, "/api/v1/namespaces", ROUTE_METHOD_NOT_ALLOWED, NONE },
	{ METHOD_GET, "/api/v1/nodes/n", ROUTE_OBJECT, VERB_GET, "nodes", "", "n", NULL },
	{ METHOD_GET, "/api/v1/namespaces/a/nodes", ROUTE_RESOURCE_NOT_FOUND, NONE },
	{ METHOD_GET, "/apis/apps/v1/namespaces/a/deployments/d/scale", ROUTE_OBJECT, VERB_GET, "deployments", "a", "d",
	  "scale" },
	{ METHOD_GET, "/api/v1/watch/namespaces/a/pods", ROUTE_OBJECT, VERB_WATCH, "pods", "a", "", NULL },
	{ METHOD_GET, "/api/v1/watch/nodes/n", ROUTE_OBJECT, VERB_WATCH, "nodes", "", "n", NULL },
	{ METHOD_GET, "/api/v1/namespaces/a/pods/b%2Fc", ROUTE_OBJECT, VERB_GET, "pods", "a", "b/c", NULL },
	{ METHOD_GET, "/api/v1/things", ROUTE_RESOURCE_NOT_FOUND, NONE },
	{ METHOD_GET, "/api/v1/namespaces/a/pods/b/log/c/d/e/f/g", ROUTE_PAGE_NOT_FOUND, NONE },
	{ METHOD_GET, "/api/v1/namespaces/a/pods/b/log/c", ROUTE_RESOURCE_NOT_FOUND, NONE },
	{ METHOD_GET, "/api/v1/namespaces//pods", ROUTE_PAGE_NOT_FOUND, NONE },
	{ METHOD_GET, "/api/v2/pods", ROUTE_PAGE_NOT_FOUND, NONE },
	{ METHOD_GET, "/apis/nope.io/v1/things", ROUTE_PAGE_NOT_FOUND, NONE },
	{ METHOD_GET, "/api", ROUTE_API, NONE },
	{ METHOD_GET, "/apis/", ROUTE_APIS, NONE },
	{ METHOD_GET, "/apis/apps", ROUTE_GROUP, NONE },
	{ METHOD_GET, "/apis/apps/v1", ROUTE_GROUP_VERSION, NONE },
	{ METHOD_POST, "/apis/apps/v1", ROUTE_METHOD_NOT_ALLOWED, NONE },
	{ METHOD_GET, "/readyz", ROUTE_READYZ, NONE },
	{ METHOD_OTHER, "/readyz", ROUTE_METHOD_NOT_ALLOWED, NONE },
	{ METHOD_GET, "/readyz/x", ROUTE_CHECK, NONE },
	{ METHOD_GET, "/readyz/x/y", ROUTE_PAGE_NOT_FOUND, NONE },
	{ METHOD_GET, "/version/x", ROUTE_PAGE_NOT_FOUND, NONE },
	{ METHOD_GET, "/openapi/v3/apis/apps/v1", ROUTE_OPENAPI_V3, NONE },
	{ METHOD_GET, "/openapi/v2", ROUTE_OPENAPI_V2, NONE },
	{ METHOD_GET, "/", ROUTE_ROOT, NONE },
	{ METHOD_GET, "", ROUTE_PAGE_NOT_FOUND, NONE },
	{ METHOD_GET, "*", ROUTE_PAGE_NOT_FOUND, NONE },
};

static void paths_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct expected *row = &rows[i];
		CLEANUP(mem_freep) char *path = mem_dup(row->path);
		struct route route;
		route_parse(row->method, path, false, &route);
		free(route.path);
		if (route.kind != row->kind)
			fail_msg("%s: kind %d, not %d", row->path, (int)route.kind, (int)row->kind);
		if (row->kind != ROUTE_OBJECT)
			continue;
		if (route.verb != row->verb)
			fail_msg("%s: verb %s", row->path, verb_name(route.verb));
		assert_string_equal(route.resource->plural, row->plural);
		assert_string_equal(route.namespace_, row->namespace_);
		assert_string_equal(route.name, row->name);
		assert_string_equal(route.subresource ? route.subresource->name : "", row->subresource ? row->subresource : "");
	}
}

static void a_query_makes_a_watch(void **state)
{
	(void)state;
	char path[] = "/api/v1/pods";
	struct route route;
	route_parse(METHOD_GET, path, true, &route);
	assert_int_equal(route.verb, VERB_WATCH);
}

struct asked {
	const char *path;
	bool watch;
	const char *group, *resource, *subresource, *namespace_, *name; /* GROUP NULL: no resource */
};

static void what_is_asked_needs_not_be_there(void **state)
{
	static const struct asked cases[] = {
		{ "/api/v1/pods", false, "", "pods", "", "", "" },
		{ "/api/v9/namespaces/a/things/b/c/d", false, "", "things", "c", "a", "b" },
		{ "/apis/nope.io/v1/things/x", false, "nope.io", "things", "", "", "x" },
		{ "/api/v1/watch/namespaces/a/pods", true, "", "pods", "", "a", "" },
		{ "/api/v1/watch", false, "", "watch", "", "", "" },
		{ "/api/v1/namespaces/a", false, "", "namespaces", "", "a", "a" },
		{ "/api/v1/namespaces/a/finalize", false, "", "namespaces", "finalize", "a", "a" },
		{ "/api/v1/namespaces/a/bindings", false, "", "bindings", "", "a", "" },
		/* However it is spelled, it is that resource. */
		{ "/%61pi/v1/n%61mespaces/a/secrets", false, "", "secrets", "", "a", "" },
		{ "/%61pis/apps/v1/deployments/", false, "apps", "deployments", "", "", "" },
		{ "/api/v1/", false, NULL, "/api/v1/", NULL, NULL, NULL },
		{ "/apis/apps/v1", false, NULL, "/apis/apps/v1", NULL, NULL, NULL },
		{ "/api/v1//pods", false, NULL, "/api/v1//pods", NULL, NULL, NULL },
		{ "/metr%69cs", false, NULL, "/metrics", NULL, NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct asked *c = &cases[i];
		CLEANUP(mem_freep) char *path = mem_dup(c->path);
		struct route route;
		route_parse(METHOD_GET, path, false, &route);
		const struct route_asked *asked = &route.asked;
		assert_int_equal(asked->is_resource, c->group != NULL);
		if (!c->group) {
			assert_string_equal(route.path, c->resource);
		} else {
			assert_int_equal(asked->watch, c->watch);
			assert_string_equal(asked->group, c->group);
			assert_string_equal(asked->resource, c->resource);
			assert_string_equal(asked->subresource, c->subresource);
			assert_string_equal(asked->namespace_, c->namespace_);
			assert_string_equal(asked->name, c->name);
		}
		free(route.path);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_understood),
		cmocka_unit_test(a_query_makes_a_watch),
		cmocka_unit_test(what_is_asked_needs_not_be_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
