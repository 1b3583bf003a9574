#include "apiserver/edge/dispatch.h"

#include <string.h>

static const struct {
	const char *subresource; /* NULL: the resource itself */
	enum verb verb;
	const struct request_step *steps;
} objects[] = {
	{ NULL, VERB_GET, get_steps },
	{ NULL, VERB_LIST, list_steps },
	{ NULL, VERB_WATCH, watch_steps },
	{ NULL, VERB_CREATE, create_steps },
	{ NULL, VERB_UPDATE, update_steps },
	{ NULL, VERB_PATCH, patch_steps },
	{ NULL, VERB_DELETE, delete_steps },
	{ NULL, VERB_DELETECOLLECTION, delete_collection_steps },
	{ "status", VERB_GET, get_steps },
	{ "status", VERB_UPDATE, update_steps },
	{ "status", VERB_PATCH, patch_steps },
	{ "finalize", VERB_UPDATE, update_steps },
	{ "scale", VERB_GET, scale_get_steps },
	{ "scale", VERB_UPDATE, scale_update_steps },
	{ "scale", VERB_PATCH, scale_patch_steps },
	{ "binding", VERB_CREATE, binding_steps },
	{ "log", VERB_GET, log_steps },
	{ "exec", VERB_GET, exec_steps },
	{ "exec", VERB_CREATE, exec_steps },
	{ "attach", VERB_GET, attach_steps },
	{ "attach", VERB_CREATE, attach_steps },
	{ "portforward", VERB_GET, forward_steps },
	{ "portforward", VERB_CREATE, forward_steps },
	{ "eviction", VERB_CREATE, eviction_steps },
	{ "ephemeralcontainers", VERB_GET, get_steps },
	{ "ephemeralcontainers", VERB_UPDATE, update_steps },
	{ "ephemeralcontainers", VERB_PATCH, patch_steps },
	{ "resize", VERB_GET, get_steps },
	{ "resize", VERB_UPDATE, update_steps },
	{ "resize", VERB_PATCH, patch_steps },
	{ "token", VERB_CREATE, token_request_steps },
	{ "proxy", VERB_GET, proxy_steps },
	{ "proxy", VERB_CREATE, proxy_steps },
	{ "proxy", VERB_UPDATE, proxy_steps },
	{ "proxy", VERB_PATCH, proxy_steps },
	{ "proxy", VERB_DELETE, proxy_steps },
};

/* Kinds that are never stored: questions, which are created and answered, and what is asked for at the
 * moment. */
static const struct {
	const char *kind;
	enum verb verb;
	const struct request_step *steps;
} answered[] = {
	{ "TokenReview", VERB_CREATE, token_review_steps },
	{ "SelfSubjectReview", VERB_CREATE, self_subject_review_steps },
	{ "SubjectAccessReview", VERB_CREATE, subject_access_review_steps },
	{ "LocalSubjectAccessReview", VERB_CREATE, subject_access_review_steps },
	{ "SelfSubjectAccessReview", VERB_CREATE, self_subject_access_review_steps },
	{ "SelfSubjectRulesReview", VERB_CREATE, self_subject_rules_review_steps },
	{ "ComponentStatus", VERB_GET, component_status_get_steps },
	{ "ComponentStatus", VERB_LIST, component_status_list_steps },
};

static const struct {
	enum route_kind kind;
	bool open;
	const struct request_step *steps;
} pages[] = {
	{ ROUTE_PAGE_NOT_FOUND, false, page_not_found_steps },
	{ ROUTE_API, false, discovery_steps },
	{ ROUTE_APIS, false, discovery_steps },
	{ ROUTE_GROUP, false, discovery_steps },
	{ ROUTE_GROUP_VERSION, false, discovery_steps },
	{ ROUTE_ROOT, false, root_steps },
	{ ROUTE_CHECK, false, check_steps },
	{ ROUTE_VERSION, true, version_steps },
	{ ROUTE_LIVEZ, true, health_steps },
	{ ROUTE_READYZ, true, health_steps },
	{ ROUTE_HEALTHZ, true, health_steps },
	{ ROUTE_METRICS, false, metrics_steps },
	{ ROUTE_OPENAPI_V2, false, openapi_v2_steps },
	{ ROUTE_OPENAPI_V3, false, openapi_v3_steps },
	{ ROUTE_OPENID_CONFIGURATION, true, openid_configuration_steps },
	{ ROUTE_OPENID_KEYS, true, openid_keys_steps },
};

static bool same_subresource(const char *row, const struct subresource *subresource)
{
	return row ? subresource && strcmp(row, subresource->name) == 0 : !subresource;
}

static const struct request_step *find_answered(const struct route *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(answered); i++)
		if (answered[i].verb == route->verb &&
		    strcmp(answered[i].kind, route->resource->kind_name) == 0)
			return answered[i].steps;
	return NULL;
}

const struct request_step *dispatch_find(const struct route *route)
{
	if (route->kind == ROUTE_OBJECT) {
		if (!(route->resource->verbs & VERB_WATCH))
			return find_answered(route);
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			if (objects[i].verb == route->verb &&
			    same_subresource(objects[i].subresource, route->subresource))
				return objects[i].steps;
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].kind == route->kind)
			return pages[i].steps;
	return NULL;
}

unsigned dispatch_subresource_verbs(const struct subresource *subresource)
{
	unsigned verbs = 0;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (same_subresource(objects[i].subresource, subresource))
			verbs |= objects[i].verb;
	return verbs & subresource->verbs;
}

bool dispatch_is_open(const struct route *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].kind == route->kind)
			return pages[i].open;
	return false;
}
