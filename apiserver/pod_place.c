#include "apiserver/pod_place.h"

#include <string.h>

#include "api/resource_set.h"
#include "apiserver/edge/server.h"

#define AGENT_PORT 10250

static void write_names(struct buf *b, const struct json_object *containers, const char *intro)
{
	if (!json_len(containers))
		return;
	buf_str(b, intro);
	for (size_t i = 0; i < json_len(containers); i++)
		buf_printf(b, "%s%s", i ? " " : "[", json_str_or_empty(json_at(containers, i), "name"));
	buf_char(b, ']');
}

static bool has_container(const struct json_object *spec, const char *name)
{
	static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct json_object *containers = json_get(spec, lists[i]);
		for (size_t k = 0; k < json_len(containers); k++)
			if (strcmp(json_str_or_empty(json_at(containers, k), "name"), name) == 0)
				return true;
	}
	return false;
}

enum step_result pod_place_container(struct request *r, const struct json_object *spec, const char **ret)
{
	const struct json_object *containers = json_get(spec, "containers");
	*ret = r->query.container;
	if (*ret && **ret) {
		if (has_container(spec, *ret))
			return STEP_NEXT;
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "container %s is not valid for pod %s",
				    *ret, r->name);
	}
	if (json_len(containers) == 1) {
		*ret = json_str_or_empty(json_at(containers, 0), "name");
		return STEP_NEXT;
	}
	CLEANUP(buf_close) struct buf names = BUF_INIT;
	buf_str(&names, "");
	write_names(&names, containers, ", choose one of: ");
	write_names(&names, json_get(spec, "initContainers"), " or one of the init containers: ");
	write_names(&names, json_get(spec, "ephemeralContainers"), " or one of the ephemeral containers: ");
	return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
			    "a container name must be specified for pod %s%s", r->name,
			    names.len ? names.data : "");
}

static const char *node_address(const struct json_object *node)
{
	static const char *const types[] = { "InternalIP", "Hostname" };
	const struct json_object *addresses = json_path(node, "status", "addresses", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		for (size_t k = 0; k < json_len(addresses); k++)
			if (strcmp(json_str_or_empty(json_at(addresses, k), "type"), types[i]) == 0)
				return json_str_or_empty(json_at(addresses, k), "address");
	return NULL;
}

enum step_result pod_place_agent(struct request *r, const char *node_name, struct buf *url)
{
	const struct resource *nodes = resource_find("", "v1", "nodes");
	CLEANUP(object_unrefp) struct object *stored = NULL;
	if (core_get(r->server->core, nodes, "", node_name, &stored, &r->err) < 0) {
		resource_unref(r->route.resource);
		r->route.resource = resource_take("", "v1", "nodes");
		r->name = node_name;
		return request_fail_as(r, DETAILS_OBJECT);
	}
	CLEANUP(json_putp) struct json_object *node = object_json(stored);
	const struct json_object *endpoint =
	    json_path(node, "status", "daemonEndpoints", "kubeletEndpoint", NULL);
	int64_t port = json_int(endpoint, "Port", AGENT_PORT);
	const char *address = node_address(node);
	if (!address)
		return request_fail(r, DETAILS_NONE, ERR_INTERNAL,
				    "no preferred addresses found; known addresses: []");
	bool v6 = strchr(address, ':') != NULL;
	buf_printf(url, "https://%s%s%s:%lld", v6 ? "[" : "", address, v6 ? "]" : "",
		   (long long)(port ? port : AGENT_PORT));
	return STEP_NEXT;
}
