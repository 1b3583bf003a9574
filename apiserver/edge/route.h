/* What a request asks for: from method and path to resource, verb, namespace, name and subresource. Pure; the
 * path is cut in place and the strings of the route point into it.
 *
 *     /api/v1/nodes/NAME/proxy/...
 *     /api/v1/namespaces/NS/pods/NAME/log         /apis/apps/v1/deployments?watch=1
 *     /api  /apis  /apis/GROUP  /apis/GROUP/VERSION   /version /livez /readyz /healthz /metrics /openapi/... /
 */
#pragma once

#include <stdbool.h>

#include "api/resource.h"

enum route_method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OTHER
};

enum route_kind {
	ROUTE_PAGE_NOT_FOUND,     /* no such path: "404 page not found" */
	ROUTE_RESOURCE_NOT_FOUND, /* known group and version, unknown resource or subresource */
	ROUTE_METHOD_NOT_ALLOWED,
	ROUTE_OBJECT,        /* resource, verb and the rest are set */
	ROUTE_API,           /* /api */
	ROUTE_APIS,          /* /apis */
	ROUTE_GROUP,         /* /apis/GROUP: group is set */
	ROUTE_GROUP_VERSION, /* /api/v1, /apis/GROUP/VERSION: group and version are set */
	ROUTE_ROOT,          /* / */
	ROUTE_VERSION,
	ROUTE_LIVEZ,
	ROUTE_READYZ,
	ROUTE_HEALTHZ,
	ROUTE_CHECK, /* /livez/NAME, /readyz/NAME, /healthz/NAME: name is set */
	ROUTE_METRICS,
	ROUTE_OPENID_CONFIGURATION, /* /.well-known/openid-configuration */
	ROUTE_OPENID_KEYS,          /* /openid/v1/jwks */
	ROUTE_OPENAPI_V2,
	ROUTE_OPENAPI_V3, /* name is what follows: "", or "api", "apis" ... with group and version behind it,
			     or NULL */
};

/* What the path names, whether it is served or not: who may do what is decided on this. */
struct route_asked {
	bool is_resource; /* else a plain path, and nothing below is set */
	bool watch;       /* the deprecated /watch/ in the path */
	const char *group, *version, *resource, *subresource, *namespace_,
	    *name; /* "" for what is not there */
};

struct route {
	enum route_kind kind;
	struct route_asked asked;
	char *path; /* decoded, to be freed; NULL when a resource is asked for */
	const char *group, *version;
	const struct resource *resource;       /* referenced: resource_unref */
	const struct subresource *subresource; /* or NULL */
	enum verb verb;                        /* on the subresource, when there is one */
	const char *namespace_;                /* "" for cluster scope and for all namespaces */
	const char *name;                      /* "" for collections */
	const char *rest; /* of a proxy's path, what follows "proxy/", as it was sent; or NULL */
};

enum route_method route_method_parse(const char *method);
/* Subresources whose requests are somebody else's to understand: query, body and Accept as well. */
bool route_is_passed_on(const struct route *route);
/* PATH (without the query, percent-encoded) is changed. WATCH: the query asks for one. */
void route_parse(enum route_method method, char *path, bool watch, struct route *ret);
