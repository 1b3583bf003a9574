#include "apiserver/authz/authorize.h"

#include <stdio.h>
#include <string.h>

#include "apiserver/authz/authz.h"
#include "apiserver/edge/server.h"
#include "lib/selector.h"

/* As Kubernetes names what METHOD does to a path. */
static const char *path_verb(enum route_method method)
{
	static const char *const verbs[] = {
		[METHOD_GET] = "get", [METHOD_HEAD] = "head",   [METHOD_POST] = "post",
		[METHOD_PUT] = "put", [METHOD_PATCH] = "patch", [METHOD_DELETE] = "delete",
		[METHOD_OTHER] = ""
	};

	return verbs[method];
}

static const char *resource_verb(enum route_method method, const struct route_asked *asked, bool watch)
{
	bool named = *asked->name != '\0';

	switch (method) {
	case METHOD_POST:
		return "create";
	case METHOD_PUT:
		return "update";
	case METHOD_PATCH:
		return "patch";
	case METHOD_DELETE:
		return named ? "delete" : "deletecollection";
	case METHOD_GET:
	case METHOD_HEAD:
		/* Of one object as well, where Kubernetes does not watch. */
		if (asked->watch || (watch && !*asked->subresource))
			return "watch";
		return named ? "get" : "list";
	default:
		return "";
	}
}

const char *authorize_verb(const struct request *r)
{
	return r->route.asked.is_resource ? resource_verb(r->method, &r->route.asked, r->query.watch)
					  : path_verb(r->method);
}

/* Lists and watches of one object by its name, and pods of one node. */
static void read_fields(struct authz_attributes *a, const struct selector *fields)
{
	const char *name = selector_exact(fields, "metadata.name");

	if (name && !*a->name && a->verb_bit != VERB_DELETECOLLECTION)
		a->name = name;
	a->node_name = selector_exact(fields, "spec.nodeName");
}

enum step_result authorize_attributes(struct request *r, const struct authz_attributes *a)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT, reason = BUF_INIT;
	bool allowed;

	if (authz_decide(r->server->authz, a, &allowed, &reason, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	if (allowed)
		return STEP_NEXT;
	if (a->is_resource) {
		buf_printf(&text, "%s%s%s", a->resource, *a->group ? "." : "", a->group);
		if (*a->name)
			buf_printf(&text, " \"%s\"", a->name);
		buf_str(&text, " is ");
	}
	buf_str(&text, "forbidden: ");
	attributes_write_refusal(&text, a);
	if (reason.len)
		buf_printf(&text, ": %s", reason.data);
	err_set(&r->err, ERR_FORBIDDEN, "%s", text.data);
	if (!a->is_resource)
		return request_fail_as(r, DETAILS_EMPTY);
	r->refused.group = a->group;
	r->refused.resource = a->resource;
	snprintf(r->refused.name, sizeof(r->refused.name), "%s", a->name);
	return request_fail_as(r, DETAILS_REFUSED);
}

/* VERB on what the path names. */
static struct authz_attributes attributes_of(const struct request *r, const char *verb)
{
	const struct route_asked *asked = &r->route.asked;
	struct authz_attributes a = { .identity = r->identity,
				      .is_resource = asked->is_resource,
				      .path = r->route.path };

	if (asked->is_resource) {
		a.group = asked->group;
		a.version = asked->version;
		a.resource = asked->resource;
		a.subresource = asked->subresource;
		a.namespace_ = asked->namespace_;
		a.name = asked->name;
	}
	attributes_set_verb(&a, verb);
	return a;
}

enum step_result authorize_creation(struct request *r)
{
	struct authz_attributes a = attributes_of(r, "create");

	return authorize_attributes(r, &a);
}

/* A way into a container is made, whatever the method by which a client asks for it: WebSockets begin with
 * GET, and who may only look must not get in. */
static bool makes_a_stream(const struct authz_attributes *a)
{
	static const char *const streams[] = { "exec", "attach", "portforward" };

	if (a->verb_bit != VERB_GET || *a->group || strcmp(a->resource, "pods") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
		if (strcmp(a->subresource, streams[i]) == 0)
			return true;
	return false;
}

enum step_result authorize(struct request *r)
{
	struct authz_attributes a = attributes_of(r, authorize_verb(r));
	CLEANUP(selector_close) struct selector fields = { 0 };

	if (!a.is_resource) {
		if (r->route.kind == ROUTE_OBJECT)
			return request_fail(r, DETAILS_NONE, ERR_INTERNAL,
					    "a resource was asked for as a path");
		return authorize_attributes(r, &a);
	}
	if (r->query.field_selector && (a.verb_bit & (VERB_LIST | VERB_WATCH | VERB_DELETECOLLECTION)) &&
	    selector_parse_fields(r->query.field_selector, &fields, NULL) == 0)
		read_fields(&a, &fields);
	if (authorize_attributes(r, &a) == STEP_FAIL)
		return STEP_FAIL;
	return makes_a_stream(&a) ? authorize_creation(r) : STEP_NEXT;
}

enum step_result authorize_also(struct request *r, struct authz_attributes *a, const char *verb,
				bool *ret_allowed)
{
	CLEANUP(buf_close) struct buf reason = BUF_INIT;

	a->identity = r->identity;
	attributes_set_verb(a, verb);
	if (authz_decide(r->server->authz, a, ret_allowed, &reason, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	return STEP_NEXT;
}
