/* nodes/NAME/proxy/..., pods/NAME/proxy/... and services/NAME/proxy/...: a request passed on to a node agent,
 * a pod or a ready endpoint of a service, by [SCHEME:]NAME[:PORT]. (registry/core {node,pod,service}
 * ResourceLocation, in its words.)
 *
 * Node agents are asked with our certificate. Pods are dialled at their address from here, without one: that
 * takes a machine that reaches the pods' network, as each node of it does.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource_set.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/edge.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/pod_place.h"
#include "apiserver/relay.h"
#include "apiserver/update.h"

struct proxy_state {
	char *text;                       /* the names point into it */
	const char *scheme, *name, *port; /* "": not given */
	struct selector slices;           /* of a service */
	struct buf url;                   /* up to the path */
	bool to_agent;                    /* it is a node agent's own server */
};

static void proxy_state_free(void *arg)
{
	struct proxy_state *state = arg;
	free(state->text);
	selector_close(&state->slices);
	buf_close(&state->url);
	free(state);
}

/* [SCHEME:]NAME[:PORT]; a scheme only with a port, which may be empty. */
static enum step_result proxy_name(struct request *r)
{
	struct proxy_state *state = mem_zalloc(sizeof(*state));
	r->state = state;
	r->state_free = proxy_state_free;
	state->text = mem_dup(r->route.name);
	char *first = strchr(state->text, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	state->scheme = state->port = "";
	state->name = state->text;
	if (first)
		*first++ = '\0';
	if (second) {
		*second++ = '\0';
		state->scheme = state->text;
		state->name = first;
		state->port = second;
	} else if (first) {
		state->port = first;
	}
	bool known =
	    !*state->scheme || strcmp(state->scheme, "http") == 0 || strcmp(state->scheme, "https") == 0;
	if (!known || !*state->name || strchr(state->port, ':'))
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "invalid %s request \"%s\"",
				    r->route.resource->singular, r->route.name);
	r->name = state->name;
	return STEP_NEXT;
}

/* What nobody may make us ask for: ourselves, and what is reached only from here. (util/proxy IsProxyableIP)
 */
static bool is_allowed(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, address, &v4) == 1) {
		uint32_t a = ntohl(v4.s_addr);
		return a != 0 && a >> 24 != 127 && a >> 16 != 0xa9fe && a >> 28 < 0xe;
	}
	return inet_pton(AF_INET6, address, &v6) == 1 && !IN6_IS_ADDR_LOOPBACK(&v6) &&
	       !IN6_IS_ADDR_UNSPECIFIED(&v6) && !IN6_IS_ADDR_LINKLOCAL(&v6) && !IN6_IS_ADDR_MULTICAST(&v6) &&
	       !IN6_IS_ADDR_V4MAPPED(&v6);
}

/* PORT "": the scheme's own. */
static enum step_result dial(struct request *r, const char *address, const char *port)
{
	struct proxy_state *state = r->state;
	bool v6 = strchr(address, ':') != NULL;
	char *end;
	unsigned long number = strtoul(port, &end, 10);
	if (!is_allowed(address))
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "address not allowed");
	if (*port && (*end || number < 1 || number > UINT16_MAX))
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "invalid port \"%s\"", port);
	buf_printf(&state->url, "%s://%s%s%s", *state->scheme ? state->scheme : "http", v6 ? "[" : "",
		   address, v6 ? "]" : "");
	if (*port)
		buf_printf(&state->url, ":%lu", number);
	return STEP_NEXT;
}

/* --- where it is --- */

static enum step_result locate_node(struct request *r)
{
	struct proxy_state *state = r->state;
	if (pod_place_agent(r, state->name, &state->url) == STEP_FAIL)
		return STEP_FAIL;
	const char *port = strrchr(state->url.data, ':') + 1;
	state->to_agent = !*state->port || strcmp(state->port, port) == 0;
	if (state->to_agent)
		return STEP_NEXT;
	/* Something else on the node. */
	CLEANUP(buf_close) struct buf agent = state->url;
	state->url = BUF_INIT;
	agent.data[agent.len - strlen(port) - 1] = '\0';
	return dial(r, agent.data + strlen("https://"), state->port);
}

static enum step_result locate_pod(struct request *r)
{
	const struct proxy_state *state = r->state;
	const struct json_object *containers = json_path(r->old, "spec", "containers", NULL);
	char port[24] = "";
	for (size_t i = 0; i < json_len(containers) && !*port; i++) {
		int64_t first =
		    json_int(json_at(json_get(json_at(containers, i), "ports"), 0), "containerPort", 0);
		if (first)
			snprintf(port, sizeof(port), "%lld", (long long)first);
	}
	const char *address = json_str_or_empty(json_get(r->old, "status"), "podIP");
	return dial(r, address, *state->port ? state->port : port);
}

/* The name of the service's port that the request means: by number or name, or its only one. */
static const char *service_port(const struct request *r)
{
	const struct proxy_state *state = r->state;
	const struct json_object *ports = json_path(r->old, "spec", "ports", NULL);
	char *end;
	long number = strtol(state->port, &end, 10);
	for (size_t i = 0; i < json_len(ports); i++) {
		const struct json_object *port = json_at(ports, i);
		const char *name = json_str_or_empty(port, "name");
		if ((!*state->port && json_len(ports) == 1) ||
		    (*state->port && strcmp(name, state->port) == 0) ||
		    (*state->port && !*end && json_int(port, "port", 0) == number))
			return name;
	}
	return NULL;
}

static bool is_ready(const struct json_object *endpoint)
{
	return json_boolean(json_get(endpoint, "conditions"), "ready", true);
}

/* Among the ready endpoints of all slices the one of number WANTED; NULL: there are fewer, *RET_N says how
 * many. */
static const char *endpoint_at(const struct core_command *slices, const char *port_name, size_t wanted,
			       size_t *ret_n, int64_t *ret_port, struct json_object **keep)
{
	*ret_n = 0;
	for (size_t i = 0; i < slices->ret_n; i++) {
		json_object_put(*keep);
		*keep = object_json(slices->ret_objects[i]);
		const struct json_object *ports = json_get(*keep, "ports"),
					 *endpoints = json_get(*keep, "endpoints");
		int64_t port = 0;
		for (size_t k = 0; k < json_len(ports) && !port; k++)
			if (strcmp(json_str_or_empty(json_at(ports, k), "name"), port_name) == 0)
				port = json_int(json_at(ports, k), "port", 0);
		for (size_t k = 0; port && k < json_len(endpoints); k++) {
			if (!is_ready(json_at(endpoints, k)) || (*ret_n)++ != wanted)
				continue;
			*ret_port = port;
			return json_object_get_string(
			    json_at(json_get(json_at(endpoints, k), "addresses"), 0));
		}
	}
	return NULL;
}

static enum step_result locate_service(struct request *r)
{
	const struct proxy_state *state = r->state;
	const char *port_name = service_port(r);
	CLEANUP(json_putp) struct json_object *keep = NULL;
	int64_t number = 0;
	size_t n = 0;
	if (!port_name)
		return request_fail(r, DETAILS_EMPTY, ERR_SERVICE_UNAVAILABLE,
				    "no service port \"%s\" found for service \"%s\"", state->port,
				    state->name);
	endpoint_at(&r->command, port_name, SIZE_MAX, &n, &number, &keep);
	const char *address =
	    n ? endpoint_at(&r->command, port_name, (size_t)r->started_us % n, &n, &number, &keep) : NULL;
	if (!address)
		return request_fail(r, DETAILS_EMPTY, ERR_SERVICE_UNAVAILABLE,
				    "no endpoints available for service \"%s\"", state->name);
	char port[24];
	snprintf(port, sizeof(port), "%lld", (long long)number);
	return dial(r, address, port);
}

/* Of a service, its slices are needed as well. */
static enum step_result proxy_list(struct request *r)
{
	struct proxy_state *state = r->state;
	const struct resource *slices = resource_find("discovery.k8s.io", "v1", "endpointslices");
	if (strcmp(r->route.resource->plural, "services") != 0 || !slices)
		return STEP_NEXT;
	selector_add_unchecked(&state->slices, "kubernetes.io/service-name", SELECTOR_IN, &state->name, 1);
	r->command = (struct core_command){
		.op = CORE_LIST,
		.resource = slices,
		.filter = { .namespace_ = r->route.namespace_, .labels = &state->slices },
	};
	return request_list(r);
}

static enum step_result proxy_locate(struct request *r)
{
	const char *plural = r->route.resource->plural;
	return strcmp(plural, "nodes") == 0  ? locate_node(r)
	       : strcmp(plural, "pods") == 0 ? locate_pod(r)
					     : locate_service(r);
}

/* --- on the way --- */

/* Relative links of a page are about its folder: it must end with a slash. */
static enum step_result add_slash(struct request *r)
{
	const char *target = http_exchange_target(r->exchange);
	size_t path = strcspn(target, "?");
	CLEANUP(mem_freep) char *location = mem_printf("%.*s/%s", (int)path, target, target + path);
	respond_add_header(r, "Location", location);
	return respond_text(r, 301, "");
}

static enum step_result proxy_open(struct request *r)
{
	struct proxy_state *state = r->state;
	const char *target = http_exchange_target(r->exchange), *rest = r->route.rest;
	if (!rest && (r->method == METHOD_GET || r->method == METHOD_HEAD) && !relay_upgrades(r))
		return add_slash(r);
	struct http_client *client =
	    state->to_agent ? edge_agents(r->edge, &r->err) : edge_strangers(r->edge, &r->err);
	if (!client)
		return request_fail_as(r, DETAILS_NONE);
	CLEANUP(mem_freep)
	char *url = mem_printf("%s/%s%s", state->url.data, rest ? rest : "", target + strcspn(target, "?"));
	CLEANUP(mem_freep)
	char *prefix = mem_dupn(target, strcspn(target, "?") - (rest ? strlen(rest) + 1 : 0));
	const struct relay_opts opts = {
		.url = url, .client = client, .with_body = true, .location_prefix = prefix
	};
	r->name = r->route.name; /* the state goes */
	return relay_open(r, &opts);
}

const struct request_step proxy_steps[] = {
	{ "name", proxy_name }, { "read", update_read },
	{ "list", proxy_list }, { "locate", proxy_locate },
	{ "open", proxy_open }, { "answer", relay_answer },
	{ NULL, NULL },
};
