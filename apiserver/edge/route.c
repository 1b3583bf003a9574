#include "apiserver/edge/route.h"

#include <string.h>

#include "api/resource_set.h"
#include "apiserver/edge/query.h"
#include "lib/mem.h"

/* Longest: apis GROUP VERSION watch namespaces NS RESOURCE NAME SUBRESOURCE, and one more to see that it is
 * too many. */
#define SEGMENTS_MAX 10

struct segments {
	const char *items[SEGMENTS_MAX];
	size_t n;
};

static const struct {
	const char *name;
	enum route_method method;
} methods[] = {
	{ "GET", METHOD_GET }, { "HEAD", METHOD_HEAD },   { "POST", METHOD_POST },
	{ "PUT", METHOD_PUT }, { "PATCH", METHOD_PATCH }, { "DELETE", METHOD_DELETE },
};

static const struct {
	const char *path[3];
	size_t n;
	enum route_kind kind;
} pages[] = {
	{ { "version" }, 1, ROUTE_VERSION },
	{ { "livez" }, 1, ROUTE_LIVEZ },
	{ { "readyz" }, 1, ROUTE_READYZ },
	{ { "healthz" }, 1, ROUTE_HEALTHZ },
	{ { "metrics" }, 1, ROUTE_METRICS },
	{ { ".well-known", "openid-configuration" }, 2, ROUTE_OPENID_CONFIGURATION },
	{ { "openid", "v1", "jwks" }, 3, ROUTE_OPENID_KEYS },
};

enum route_method route_method_parse(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(method, methods[i].name) == 0)
			return methods[i].method;
	return METHOD_OTHER;
}

static bool split(char *path, struct segments *ret)
{
	ret->n = 0;
	if (*path++ != '/')
		return false;
	for (char *segment; (segment = strsep(&path, "/"));) {
		if (!*segment) {
			if (path) /* empty in the middle; a trailing slash is forgiven */
				return false;
			break;
		}
		if (ret->n == SEGMENTS_MAX)
			return false;
		query_decode(segment, false);
		ret->items[ret->n++] = segment;
	}
	return true;
}

/* /api/VERSION/... and /apis/GROUP/VERSION/... with something behind, in plain letters: its segments are
 * split off, and nobody needs the path as it was. */
static bool is_cut_for_sure(const char *path)
{
	bool core = strncmp(path, "/api/", 5) == 0;
	size_t segments = 0;
	if (!core && strncmp(path, "/apis/", 6) != 0)
		return false;
	for (const char *s = path; *s; s++) {
		if (*s == '/' && s[1] == '/')
			return false;
		segments += *s == '/' && s[1];
	}
	return segments >= (core ? 3 : 4) && segments <= SEGMENTS_MAX;
}

static bool is_namespace_subresource(const char *name)
{
	return strcmp(name, "status") == 0 || strcmp(name, "finalize") == 0;
}

static void ask(const struct segments *s, struct route_asked *ret)
{
	bool core = strcmp(s->items[0], "api") == 0;
	if (s->n < (core ? 3 : 4) || (!core && strcmp(s->items[0], "apis") != 0))
		return;
	const char *const *at = s->items + (core ? 1 : 2);
	size_t n = s->n - (core ? 1 : 2);
	*ret = (struct route_asked){ .is_resource = true,
				     .group = core ? "" : s->items[1],
				     .version = at[0],
				     .subresource = "",
				     .namespace_ = "",
				     .name = "" };
	at++;
	n--;
	if (n > 1 && strcmp(at[0], "watch") == 0) {
		ret->watch = true;
		at++;
		n--;
	}
	if (n > 1 && strcmp(at[0], "namespaces") == 0) {
		ret->namespace_ = at[1];
		if (n > 2 && !is_namespace_subresource(at[2])) {
			at += 2;
			n -= 2;
		}
	}
	ret->resource = at[0];
	if (n > 1)
		ret->name = at[1];
	if (n > 2)
		ret->subresource = at[2];
}

/* The verb of METHOD, or 0 when there is none. */
static unsigned verb_of(enum route_method method, bool collection, bool watch)
{
	switch (method) {
	case METHOD_GET:
	case METHOD_HEAD:
		return watch ? VERB_WATCH : collection ? VERB_LIST : VERB_GET;
	case METHOD_POST:
		return VERB_CREATE;
	case METHOD_PUT:
		return collection ? 0 : VERB_UPDATE;
	case METHOD_PATCH:
		return collection ? 0 : VERB_PATCH;
	case METHOD_DELETE:
		return collection ? VERB_DELETECOLLECTION : VERB_DELETE;
	case METHOD_OTHER:
		break;
	}
	return 0;
}

static void route_subresource(enum route_method method, const char *name, struct route *ret)
{
	ret->subresource = resource_subresource(ret->resource, name);
	if (!ret->subresource) {
		ret->kind = ROUTE_RESOURCE_NOT_FOUND;
		return;
	}
	unsigned verb = verb_of(method, false, false);
	if (!(verb & ret->subresource->verbs)) {
		ret->kind = ROUTE_METHOD_NOT_ALLOWED;
		return;
	}
	ret->verb = (enum verb)verb;
	ret->kind = ROUTE_OBJECT;
}

/* v1 "bindings" is the old way to say pods/NAME/binding, with the name in the body. */
static bool route_bindings(enum route_method method, const char *const *s, size_t n, struct route *ret)
{
	if (n != 1 || *ret->group || !*ret->namespace_ || strcmp(s[0], "bindings") != 0)
		return false;
	ret->resource = resource_find("", "v1", "pods");
	if (ret->resource)
		route_subresource(method, "binding", ret);
	return true;
}

/* S: what follows the version. */
static void route_object(enum route_method method, const char *const *s, size_t n, bool watch,
			 struct route *ret)
{
	if (n > 1 && strcmp(s[0], "watch") == 0) { /* the deprecated form of ?watch=1 */
		watch = true;
		s++;
		n--;
	}
	bool of_namespace = n == 3 && strcmp(s[0], "namespaces") == 0 && is_namespace_subresource(s[2]);
	if (n >= 3 && strcmp(s[0], "namespaces") == 0 && !of_namespace) {
		ret->namespace_ = s[1];
		s += 2;
		n -= 2;
	}
	ret->kind = ROUTE_RESOURCE_NOT_FOUND;
	if (route_bindings(method, s, n, ret))
		return;
	ret->resource = resource_take(ret->group, ret->version, s[0]);
	if (!ret->resource || n > 3)
		return;
	ret->name = n > 1 ? s[1] : "";
	bool in_namespace = *ret->namespace_ != '\0';
	if (in_namespace && !ret->resource->namespaced)
		return;
	if (ret->resource->namespaced && !in_namespace && n > 1)
		return;
	if (n == 3) {
		route_subresource(method, s[2], ret);
		return;
	}
	unsigned verb = verb_of(method, n == 1, watch);
	/* Across all namespaces one can only read. */
	if (ret->resource->namespaced && !in_namespace && verb != VERB_LIST && verb != VERB_WATCH)
		verb = 0;
	/* POST is to the collection. */
	if (verb == VERB_CREATE && n != 1)
		verb = 0;
	if (!(verb & ret->resource->verbs)) {
		ret->kind = ROUTE_METHOD_NOT_ALLOWED;
		return;
	}
	ret->verb = (enum verb)verb;
	ret->kind = ROUTE_OBJECT;
}

static void route_api(enum route_method method, const struct segments *s, bool watch, struct route *ret)
{
	bool core = strcmp(s->items[0], "api") == 0;
	size_t n = core ? 2 : 3; /* segments up to the version */
	if (s->n == 1) {
		ret->kind = core ? ROUTE_API : ROUTE_APIS;
		return;
	}
	ret->group = core ? "" : s->items[1];
	if (s->n < n) {
		ret->kind = ROUTE_GROUP;
		return;
	}
	ret->version = s->items[n - 1];
	if (!resource_serves(ret->group, ret->version))
		return;
	if (s->n == n)
		ret->kind = ROUTE_GROUP_VERSION;
	else
		route_object(method, s->items + n, s->n - n, watch, ret);
}

/* /openapi/v2, /openapi/v3 and below it /api, /api/v1, /apis, /apis/GROUP, /apis/GROUP/VERSION and pages of
 * other names. */
static void route_openapi(const struct segments *s, struct route *ret)
{
	if (s->n == 2 && strcmp(s->items[1], "v2") == 0)
		ret->kind = ROUTE_OPENAPI_V2;
	if (s->n < 2 || s->n > 5 || strcmp(s->items[1], "v3") != 0)
		return;
	ret->kind = ROUTE_OPENAPI_V3;
	if (s->n == 2)
		return;
	ret->name = s->items[2];
	if (strcmp(ret->name, "api") == 0) {
		ret->group = "";
		ret->version = s->n == 4 ? s->items[3] : NULL;
	} else if (strcmp(ret->name, "apis") == 0) {
		ret->group = s->n > 3 ? s->items[3] : NULL;
		ret->version = s->n > 4 ? s->items[4] : NULL;
	}
}

/* /livez/NAME and its like: NAME is one of the checks. */
static bool is_check(const struct segments *s)
{
	return s->n == 2 && (strcmp(s->items[0], "livez") == 0 || strcmp(s->items[0], "readyz") == 0 ||
			     strcmp(s->items[0], "healthz") == 0);
}

static bool is_page(const struct segments *s, size_t row)
{
	bool same = s->n == pages[row].n;
	for (size_t i = 0; i < s->n && same; i++)
		same = strcmp(s->items[i], pages[row].path[i]) == 0;
	return same;
}

/* Behind the first segment of PATH; NULL: there is no more. */
static char *behind(char *path)
{
	char *slash = strchr(path, '/');
	return slash ? slash + 1 : NULL;
}

/* Cuts off what follows "proxy/" of a node, pod or service: it is a path of its own, and is not decoded here.
 */
static const char *cut_rest(char *path)
{
	if (strncmp(path, "/api/v1/", 8) != 0)
		return NULL;
	char *at = path + 8;
	if (strncmp(at, "namespaces/", 11) == 0) {
		at = behind(at + 11);
		if (!at || (strncmp(at, "pods/", 5) != 0 && strncmp(at, "services/", 9) != 0))
			return NULL;
	} else if (strncmp(at, "nodes/", 6) != 0) {
		return NULL;
	}
	at = behind(at);
	at = at ? behind(at) : NULL;
	if (!at || strncmp(at, "proxy/", 6) != 0)
		return NULL;
	at[5] = '\0';
	return at + 6;
}

bool route_is_passed_on(const struct route *route)
{
	static const char *const names[] = { "proxy", "exec", "attach", "portforward" };
	if (route->kind != ROUTE_OBJECT || !route->subresource)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(route->subresource->name, names[i]) == 0)
			return true;
	return false;
}

void route_parse(enum route_method method, char *path, bool watch, struct route *ret)
{
	*ret = (struct route){ .kind = ROUTE_PAGE_NOT_FOUND, .namespace_ = "", .name = "" };
	ret->rest = cut_rest(path);
	if (!is_cut_for_sure(path)) {
		ret->path = mem_dup(path);
		query_decode(ret->path, false);
	}
	struct segments s;
	if (!split(path, &s))
		return;
	if (s.n)
		ask(&s, &ret->asked);
	if (!s.n) {
		ret->kind = ROUTE_ROOT;
	} else if (is_check(&s)) {
		ret->kind = ROUTE_CHECK;
		ret->name = s.items[1];
	} else if (strcmp(s.items[0], "api") == 0 || strcmp(s.items[0], "apis") == 0) {
		route_api(method, &s, watch, ret);
	} else if (strcmp(s.items[0], "openapi") == 0) {
		route_openapi(&s, ret);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
			if (is_page(&s, i))
				ret->kind = pages[i].kind;
	}
	bool reads = method == METHOD_GET || method == METHOD_HEAD;
	if (ret->kind >= ROUTE_API && !reads)
		ret->kind = ROUTE_METHOD_NOT_ALLOWED;
}
