#include "apiserver/discovery.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/catalogue.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"

static void write_strings(struct buf *b, const char *key, const char *const *strings)
{
	if (!strings || !strings[0])
		return;
	buf_printf(b, ",\"%s\":[", key);
	for (size_t i = 0; strings[i]; i++)
		buf_printf(b, "%s\"%s\"", i ? "," : "", strings[i]);
	buf_char(b, ']');
}

/* Kubernetes tells those of custom resources in an order of their own. */
static void write_custom_verbs(struct buf *b)
{
	buf_str(b, ",\"verbs\":[\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"create\","
		   "\"update\",\"watch\"]");
}

static void write_verbs(struct buf *b, unsigned verbs)
{
	bool first = true;
	buf_str(b, ",\"verbs\":[");
	for (unsigned verb = VERB_CREATE; verb <= VERB_WATCH; verb <<= 1) {
		if (!(verbs & verb))
			continue;
		buf_printf(b, "%s\"%s\"", first ? "" : ",", verb_name((enum verb)verb));
		first = false;
	}
	buf_char(b, ']');
}

/* Group and version of a subresource's kind, when they are not those of the resource. */
static bool foreign_kind(const struct resource *resource, const struct subresource *subresource,
			 char *ret_group, size_t size, const char **ret_version)
{
	if (!subresource->group_version || strcmp(subresource->group_version, resource->group_version) == 0)
		return false;
	const char *slash = strchr(subresource->group_version, '/');
	if (!slash || (size_t)(slash - subresource->group_version) >= size)
		return false;
	size_t len = (size_t)(slash - subresource->group_version);
	memcpy(ret_group, subresource->group_version, len);
	ret_group[len] = '\0';
	*ret_version = slash + 1;
	return true;
}

/* Tells clients in which form objects are stored: when it changes, so does what they should read again.
 * Events are the core group's in both of their groups, all else is stored in its group's preferred version.
 */
static void write_storage_hash(struct buf *b, const struct resource *resource,
			       const struct resource *preferred)
{
	unsigned char digest[32];
	bool event = strcmp(resource->group, "events.k8s.io") == 0;
	CLEANUP(mem_freep)
	char *name = mem_printf("%s/%s/%s", event ? "" : resource->group, event ? "v1" : preferred->version,
				resource->kind_name);
	/* What is never stored has none. */
	if (!(resource->verbs & VERB_WATCH) ||
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, name, strlen(name), digest) < 0)
		return;
	buf_str(b, ",\"storageVersionHash\":\"");
	buf_base64(b, digest, 8);
	buf_char(b, '"');
}

static void write_resource(struct buf *b, const struct resource *resource, const struct resource *preferred)
{
	buf_printf(b, "{\"name\":\"%s\",\"singularName\":\"%s\",\"namespaced\":%s,\"kind\":\"%s\"",
		   resource->plural, resource->singular, resource->namespaced ? "true" : "false",
		   resource->kind_name);
	if (resource->custom)
		write_custom_verbs(b);
	else
		write_verbs(b, resource->verbs);
	write_strings(b, "shortNames", resource->short_names);
	write_strings(b, "categories", resource->categories);
	write_storage_hash(b, resource, preferred);
	buf_char(b, '}');
}

static void write_subresource(struct buf *b, const struct resource *resource,
			      const struct subresource *subresource)
{
	char group[128];
	const char *version;
	buf_printf(b, ",{\"name\":\"%s/%s\",\"singularName\":\"\",\"namespaced\":%s", resource->plural,
		   subresource->name, resource->namespaced ? "true" : "false");
	if (foreign_kind(resource, subresource, group, sizeof(group), &version))
		buf_printf(b, ",\"group\":\"%s\",\"version\":\"%s\"", group, version);
	buf_printf(b, ",\"kind\":\"%s\"", subresource->kind);
	write_verbs(b, dispatch_subresource_verbs(subresource));
	buf_char(b, '}');
}

void discovery_write_resources(struct buf *b, const char *group, const char *version)
{
	CLEANUP(catalogue_close) struct catalogue all;
	catalogue_read(&all);
	buf_printf(b, "{\"kind\":\"APIResourceList\",%s\"groupVersion\":\"%s%s%s\",\"resources\":[",
		   *group ? "\"apiVersion\":\"v1\"," : "", group, *group ? "/" : "", version);
	size_t preferred = catalogue_find(&all, group, NULL), from = catalogue_find(&all, group, version);
	for (size_t i = from; i < all.n && (i == from || !catalogue_begins_version(&all, i)); i++) {
		const struct resource *resource = all.rows[i];
		if (i != from)
			buf_char(b, ',');
		write_resource(b, resource, all.rows[preferred]);
		for (size_t k = 0; k < resource->n_subresources; k++)
			if (dispatch_subresource_verbs(&resource->subresources[k]))
				write_subresource(b, resource, &resource->subresources[k]);
	}
	buf_str(b, "]}");
}

static void write_group(struct buf *b, const struct catalogue *all, size_t from, const char *head)
{
	const struct resource *first = all->rows[from];
	buf_printf(b, "{%s\"name\":\"%s\",\"versions\":[", head, first->group);
	for (size_t i = from; i < all->n && (i == from || !catalogue_begins_group(all, i)); i++)
		if (catalogue_begins_version(all, i))
			buf_printf(b, "%s{\"groupVersion\":\"%s\",\"version\":\"%s\"}", i == from ? "" : ",",
				   all->rows[i]->group_version, all->rows[i]->version);
	buf_printf(b, "],\"preferredVersion\":{\"groupVersion\":\"%s\",\"version\":\"%s\"}}",
		   first->group_version, first->version);
}

void discovery_write_groups(struct buf *b)
{
	CLEANUP(catalogue_close) struct catalogue all;
	bool any = false;
	catalogue_read(&all);
	buf_str(b, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[");
	for (size_t i = 0; i < all.n; i++) {
		if (!*all.rows[i]->group || !catalogue_begins_group(&all, i))
			continue;
		if (any)
			buf_char(b, ',');
		any = true;
		write_group(b, &all, i, "");
	}
	buf_str(b, "]}");
}

bool discovery_write_group(struct buf *b, const char *group)
{
	CLEANUP(catalogue_close) struct catalogue all;
	catalogue_read(&all);
	size_t i = *group ? catalogue_find(&all, group, NULL) : all.n;
	if (i == all.n)
		return false;
	write_group(b, &all, i, "\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",");
	return true;
}

static void write_aggregated_subresources(struct buf *b, const struct resource *resource)
{
	bool any = false;
	for (size_t i = 0; i < resource->n_subresources; i++) {
		const struct subresource *subresource = &resource->subresources[i];
		unsigned verbs = dispatch_subresource_verbs(subresource);
		char group[128] = "";
		const char *version = "";
		if (!verbs)
			continue;
		foreign_kind(resource, subresource, group, sizeof(group), &version);
		buf_str(b, any ? "," : ",\"subresources\":[");
		any = true;
		buf_printf(b,
			   "{\"subresource\":\"%s\",\"responseKind\":{\"group\":\"%s\",\"version\":\"%s\","
			   "\"kind\":\"%s\"}",
			   subresource->name, group, version, subresource->kind);
		write_verbs(b, verbs);
		buf_char(b, '}');
	}
	if (any)
		buf_char(b, ']');
}

static void write_aggregated_resource(struct buf *b, const struct resource *resource)
{
	buf_printf(b,
		   "{\"resource\":\"%s\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":\"%s\"},"
		   "\"scope\":\"%s\","
		   "\"singularResource\":\"%s\"",
		   resource->plural, resource->kind_name, resource->namespaced ? "Namespaced" : "Cluster",
		   resource->singular);
	if (resource->custom)
		write_custom_verbs(b);
	else
		write_verbs(b, resource->verbs);
	write_strings(b, "shortNames", resource->short_names);
	write_strings(b, "categories", resource->categories);
	write_aggregated_subresources(b, resource);
	buf_char(b, '}');
}

static void write_aggregated_version(struct buf *b, const struct catalogue *all, size_t from)
{
	const struct resource *first = all->rows[from];
	buf_printf(b, "{\"version\":\"%s\",\"resources\":[", first->version);
	for (size_t i = from; i < all->n && (i == from || !catalogue_begins_version(all, i)); i++) {
		if (i != from)
			buf_char(b, ',');
		write_aggregated_resource(b, all->rows[i]);
	}
	buf_str(b, "],\"freshness\":\"Current\"}");
}

void discovery_write_aggregated(struct buf *b, bool core, const char *version)
{
	CLEANUP(catalogue_close) struct catalogue all;
	bool any = false;
	catalogue_read(&all);
	buf_printf(b,
		   "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/"
		   "%s\",\"metadata\":{},\"items\":[",
		   version);
	for (size_t i = 0; i < all.n; i++) {
		if (!*all.rows[i]->group != core || !catalogue_begins_version(&all, i))
			continue;
		if (!catalogue_begins_group(&all, i)) {
			buf_char(b, ',');
			write_aggregated_version(b, &all, i);
			continue;
		}
		buf_str(b, any ? "]},{\"metadata\":{" : "{\"metadata\":{");
		any = true;
		if (!core)
			buf_printf(b, "\"name\":\"%s\"", all.rows[i]->group);
		buf_str(b, "},\"versions\":[");
		write_aggregated_version(b, &all, i);
	}
	buf_str(b, any ? "]}]}" : "]}");
}

/* --- / --- */

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void discovery_write_paths(struct buf *b)
{
	static const char *const others[] = { "/.well-known/openid-configuration",
					      "/apis",
					      "/healthz",
					      "/livez",
					      "/metrics",
					      "/openapi/v2",
					      "/openapi/v3",
					      "/openid/v1/jwks",
					      "/readyz",
					      "/version" };
	CLEANUP(catalogue_close) struct catalogue all;
	catalogue_read(&all);
	/* Of each row a group's path and a version's, at most. */
	char **paths = mem_alloc((2 * all.n + ARRAY_SIZE(others)) * sizeof(*paths));
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		paths[n++] = mem_dup(others[i]);
	for (size_t i = 0; i < all.n; i++) {
		const struct resource *resource = all.rows[i];
		bool core = !*resource->group;
		if (catalogue_begins_group(&all, i))
			paths[n++] = core ? mem_dup("/api") : mem_printf("/apis/%s", resource->group);
		if (catalogue_begins_version(&all, i))
			paths[n++] = mem_printf("/%s/%s", core ? "api" : "apis", resource->group_version);
	}
	qsort(paths, n, sizeof(*paths), compare_paths);
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s\"%s\"", i ? "," : "{\"paths\":[", paths[i]);
		free(paths[i]);
	}
	buf_str(b, "]}");
	free(paths);
}

static enum step_result root_answer(struct request *r)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	discovery_write_paths(&body);
	return respond_json(r, 200, &body);
}

const struct request_step root_steps[] = { { "answer", root_answer }, { NULL, NULL } };

/* --- /api, /apis --- */

static void write_versions(struct buf *b, struct request *r)
{
	const char *host = request_header(r, "Host");
	buf_str(
	    b,
	    "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[{\"clientCIDR\":"
	    "\"0.0.0.0/0\",\"serverAddress\":");
	buf_json_string(b, host ? host : "");
	buf_str(b, "}]}");
}

static enum step_result aggregated_answer(struct request *r, const char *version)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	char hash[RESPOND_HASH_SIZE], type[128];
	discovery_write_aggregated(&body, r->route.kind == ROUTE_API, version);
	respond_hash(&body, hash);
	snprintf(type, sizeof(type), "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList",
		 version);
	return respond_tagged(r, type, hash, &body);
}

static enum step_result discovery_answer(struct request *r)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	bool core = r->route.kind == ROUTE_API;
	switch (r->route.kind) {
	case ROUTE_API:
	case ROUTE_APIS:
		if (r->accept.form == ACCEPT_DISCOVERY || r->accept.form == ACCEPT_DISCOVERY_BETA)
			return aggregated_answer(r, r->accept.form == ACCEPT_DISCOVERY ? "v2" : "v2beta1");
		if (core)
			write_versions(&body, r);
		else
			discovery_write_groups(&body);
		break;
	case ROUTE_GROUP:
		if (!discovery_write_group(&body, r->route.group))
			return respond_page_not_found(r);
		break;
	default:
		discovery_write_resources(&body, r->route.group, r->route.version);
		break;
	}
	return respond_json(r, 200, &body);
}

const struct request_step discovery_steps[] = { { "answer", discovery_answer }, { NULL, NULL } };
