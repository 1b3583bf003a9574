#include "apiserver/discovery.h"

#include <string.h>

#include "api/resource.h"
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

static bool same_group_version(const struct resource *a, const char *group, const char *version)
{
	return strcmp(a->group, group) == 0 && strcmp(a->version, version) == 0;
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

static void write_resource(struct buf *b, const struct resource *resource)
{
	buf_printf(b, "{\"name\":\"%s\",\"singularName\":\"%s\",\"namespaced\":%s,\"kind\":\"%s\"",
		   resource->plural, resource->singular, resource->namespaced ? "true" : "false",
		   resource->kind_name);
	write_verbs(b, resource->verbs);
	write_strings(b, "shortNames", resource->short_names);
	write_strings(b, "categories", resource->categories);
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

static void write_bindings(struct buf *b)
{
	buf_str(
	    b, "{\"name\":\"bindings\",\"singularName\":\"binding\",\"namespaced\":true,\"kind\":\"Binding\","
	       "\"verbs\":[\"create\"]}");
}

void discovery_write_resources(struct buf *b, const char *group, const char *version)
{
	size_t n;
	const struct resource *resources = resource_all(&n);
	bool first = true;
	buf_printf(b, "{\"kind\":\"APIResourceList\",%s\"groupVersion\":\"%s%s%s\",\"resources\":[",
		   *group ? "\"apiVersion\":\"v1\"," : "", group, *group ? "/" : "", version);
	if (!*group) {
		write_bindings(b);
		first = false;
	}
	for (size_t i = 0; i < n; i++) {
		const struct resource *resource = &resources[i];
		if (!same_group_version(resource, group, version))
			continue;
		if (!first)
			buf_char(b, ',');
		first = false;
		write_resource(b, resource);
		for (size_t k = 0; k < resource->n_subresources; k++)
			if (dispatch_subresource_verbs(&resource->subresources[k]))
				write_subresource(b, resource, &resource->subresources[k]);
	}
	buf_str(b, "]}");
}

/* The row at I is the first of its group (of its version): rows are ordered by both. */
static bool begins_group(const struct resource *resources, size_t i)
{
	return i == 0 || strcmp(resources[i].group, resources[i - 1].group) != 0;
}

static bool begins_version(const struct resource *resources, size_t i)
{
	return begins_group(resources, i) || strcmp(resources[i].version, resources[i - 1].version) != 0;
}

/* Newer before older is for groups with several stable versions; the first in the order is preferred. */
static void write_group(struct buf *b, const struct resource *resources, size_t n, size_t from,
			const char *head)
{
	const struct resource *first = &resources[from];
	buf_printf(b, "{%s\"name\":\"%s\",\"versions\":[", head, first->group);
	for (size_t i = from; i < n && strcmp(resources[i].group, first->group) == 0; i++)
		if (begins_version(resources, i))
			buf_printf(b, "%s{\"groupVersion\":\"%s\",\"version\":\"%s\"}", i == from ? "" : ",",
				   resources[i].group_version, resources[i].version);
	buf_printf(b, "],\"preferredVersion\":{\"groupVersion\":\"%s\",\"version\":\"%s\"}}",
		   first->group_version, first->version);
}

void discovery_write_groups(struct buf *b)
{
	size_t n;
	const struct resource *resources = resource_all(&n);
	bool any = false;
	buf_str(b, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[");
	for (size_t i = 0; i < n; i++) {
		if (!*resources[i].group || !begins_group(resources, i))
			continue;
		if (any)
			buf_char(b, ',');
		any = true;
		write_group(b, resources, n, i, "");
	}
	buf_str(b, "]}");
}

bool discovery_write_group(struct buf *b, const char *group)
{
	size_t n;
	const struct resource *resources = resource_all(&n);
	for (size_t i = 0; i < n; i++) {
		if (!*group || strcmp(resources[i].group, group) != 0)
			continue;
		write_group(b, resources, n, i, "\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",");
		return true;
	}
	return false;
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
	write_verbs(b, resource->verbs);
	write_strings(b, "shortNames", resource->short_names);
	write_strings(b, "categories", resource->categories);
	write_aggregated_subresources(b, resource);
	buf_char(b, '}');
}

static void write_aggregated_version(struct buf *b, const struct resource *resources, size_t n, size_t from)
{
	const struct resource *first = &resources[from];
	buf_printf(b, "{\"version\":\"%s\",\"resources\":[", first->version);
	if (!*first->group)
		buf_str(b,
			"{\"resource\":\"bindings\",\"responseKind\":{\"group\":\"\",\"version\":\"\","
			"\"kind\":\"Binding\"},"
			"\"scope\":\"Namespaced\",\"singularResource\":\"binding\",\"verbs\":[\"create\"]},");
	for (size_t i = from; i < n && same_group_version(&resources[i], first->group, first->version); i++) {
		if (i != from)
			buf_char(b, ',');
		write_aggregated_resource(b, &resources[i]);
	}
	buf_str(b, "],\"freshness\":\"Current\"}");
}

void discovery_write_aggregated(struct buf *b, bool core)
{
	size_t n;
	const struct resource *resources = resource_all(&n);
	bool any = false;
	buf_str(b, "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/"
		   "v2\",\"metadata\":{},\"items\":[");
	for (size_t i = 0; i < n; i++) {
		if (!*resources[i].group != core || !begins_group(resources, i))
			continue;
		if (any)
			buf_char(b, ',');
		any = true;
		if (core)
			buf_str(b, "{\"metadata\":{},\"versions\":[");
		else
			buf_printf(b, "{\"metadata\":{\"name\":\"%s\"},\"versions\":[", resources[i].group);
		for (size_t k = i; k < n && strcmp(resources[k].group, resources[i].group) == 0; k++) {
			if (!begins_version(resources, k))
				continue;
			if (k != i)
				buf_char(b, ',');
			write_aggregated_version(b, resources, n, k);
		}
		buf_str(b, "]}");
	}
	buf_str(b, "]}");
}

static void write_versions(struct buf *b, struct request *r)
{
	const char *host = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
	buf_str(
	    b,
	    "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[{\"clientCIDR\":"
	    "\"0.0.0.0/0\",\"serverAddress\":");
	buf_json_string(b, host ? host : "");
	buf_str(b, "}]}");
}

static enum step_result discovery_answer(struct request *r)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	bool core = r->route.kind == ROUTE_API;
	switch (r->route.kind) {
	case ROUTE_API:
	case ROUTE_APIS:
		if (r->accept.form == ACCEPT_DISCOVERY) {
			discovery_write_aggregated(&body, core);
			return respond_tagged(
			    r, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", &body);
		}
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
