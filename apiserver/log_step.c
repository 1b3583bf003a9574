/* pods/NAME/log: pod -> container -> node -> the node agent's stream, passed on.
 * (core/v1 PodLogOptions; registry/core/pod LogLocation.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/log_stream.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/update.h"

#define AGENT_PORT 10250

struct log_state {
	struct request *r;
	bool waits;    /* for the agent's answer to begin */
	bool answered; /* the log is being sent */
	char *node;
	char *container;
	struct log_stream *stream;
};

static void log_state_free(void *arg)
{
	struct log_state *state = arg;
	log_stream_close(state->stream);
	free(state->node);
	free(state->container);
	free(state);
}

static void check_number(struct request *r, const char *field, bool given, int64_t value, int64_t min,
			 const char *detail)
{
	struct field_path path;
	field_path_init(&path, field);
	if (given && value < min)
		field_error_invalid_int(&r->errors, &path, value, "%s", detail);
}

static enum step_result log_options(struct request *r)
{
	const struct query *q = &r->query;
	check_number(r, "tailLines", q->has_tail_lines, q->tail_lines, 0,
		     "must be greater than or equal to 0");
	check_number(r, "limitBytes", q->has_limit_bytes, q->limit_bytes, 1, "must be greater than 0");
	check_number(r, "sinceSeconds", q->has_since_seconds, q->since_seconds, 1, "must be greater than 0");
	if (q->has_since_seconds && q->since_time) {
		struct field_path path;
		field_path_init(&path, "");
		field_error_forbidden(&r->errors, &path,
				      "at most one of `sinceTime` or `sinceSeconds` may be specified");
	}
	if (r->errors.n) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		field_errors_write(&text, &r->errors);
		return request_fail(r, DETAILS_NONE, ERR_INVALID, "PodLogOptions \"%s\" is invalid: %s",
				    r->name, text.data);
	}
	r->state = mem_zalloc(sizeof(struct log_state));
	r->state_free = log_state_free;
	return STEP_NEXT;
}

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

static enum step_result choose_container(struct request *r, const struct json_object *spec, const char **ret)
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

/* A pod without a node has no log yet: an empty one. */
static enum step_result log_find_node(struct request *r)
{
	struct log_state *state = r->state;
	const struct json_object *spec = json_get(r->old, "spec");
	const char *container, *node = json_str_or_empty(spec, "nodeName");
	if (choose_container(r, spec, &container) == STEP_FAIL)
		return STEP_FAIL;
	if (!*node)
		return respond_text(r, 200, "");
	state->container = mem_dup(container);
	state->node = mem_dup(node);
	return STEP_NEXT;
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

static void write_url(struct buf *url, struct request *r, const char *address, int64_t port)
{
	const struct log_state *state = r->state;
	const struct query *q = &r->query;
	bool v6 = strchr(address, ':') != NULL;
	buf_printf(url, "https://%s%s%s:%lld/containerLogs/", v6 ? "[" : "", address, v6 ? "]" : "",
		   (long long)port);
	buf_url_encode(url, r->route.namespace_);
	buf_char(url, '/');
	buf_url_encode(url, r->name);
	buf_char(url, '/');
	buf_url_encode(url, state->container);
	buf_printf(url, "?follow=%s&previous=%s&timestamps=%s", q->follow ? "true" : "false",
		   q->previous ? "true" : "false", q->timestamps ? "true" : "false");
	if (q->has_tail_lines)
		buf_printf(url, "&tailLines=%lld", (long long)q->tail_lines);
	if (q->has_since_seconds)
		buf_printf(url, "&sinceSeconds=%lld", (long long)q->since_seconds);
	if (q->has_limit_bytes)
		buf_printf(url, "&limitBytes=%lld", (long long)q->limit_bytes);
	if (q->since_time) {
		buf_str(url, "&sinceTime=");
		buf_url_encode(url, q->since_time);
	}
}

/* The agent's answer has begun or goes on; or the client waits for it in vain. */
static void log_changed(void *arg)
{
	struct log_state *state = arg;
	if (state->answered)
		http_exchange_wake(state->r->exchange);
	else if (state->waits)
		request_resume(state->r);
}

static void log_hung_up(struct request *r)
{
	log_changed(r->state);
}

static enum step_result log_open(struct request *r)
{
	struct log_state *state = r->state;
	const struct resource *nodes = resource_find("", "v1", "nodes");
	CLEANUP(object_unrefp) struct object *stored = NULL;
	if (core_get(r->server->core, nodes, "", state->node, &stored, &r->err) < 0) {
		r->route.resource = nodes;
		r->name = state->node;
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
	CLEANUP(buf_close) struct buf url = BUF_INIT;
	write_url(&url, r, address, port ? port : AGENT_PORT);
	struct http_client *agents = edge_agents(r->edge, &r->err);
	if (!agents)
		return request_fail_as(r, DETAILS_NONE);
	state->r = r;
	state->stream = log_stream_open(agents, url.data, log_changed, state);
	r->hung_up_fn = log_hung_up;
	return STEP_NEXT;
}

static ssize_t log_read(char *out, size_t max, void *arg)
{
	const struct log_state *state = arg;
	return log_stream_read(state->stream, out, max);
}

static enum step_result log_begun(struct request *r)
{
	struct log_state *state = r->state;
	const char *body;
	const struct err *err;
	state->waits = false;
	if (r->hung_up)
		return request_fail(r, DETAILS_NONE, ERR_SERVICE_UNAVAILABLE,
				    "the request was ended before the log began");
	if (!log_stream_begun(state->stream)) {
		state->waits = true;
		return STEP_WAIT_HERE;
	}
	int code = log_stream_code(state->stream, &body, &err);
	if (code == 0)
		return request_fail(r, DETAILS_NONE, ERR_INTERNAL,
				    "Get \"https://%s/containerLogs/%s/%s/%s\": %s", state->node,
				    r->route.namespace_, r->name, state->container, err->msg);
	if (code / 100 != 2) {
		size_t len = strcspn(body, "\n");
		return request_fail(r, DETAILS_EMPTY, err_kind_of_status(NULL, code), "%.*s",
				    (int)(len < 900 ? len : 900), body);
	}
	state->answered = true;
	return respond_stream(r, "text/plain", log_read, NULL, state);
}

const struct request_step log_steps[] = {
	{ "options", log_options }, { "read pod", update_read }, { "find node", log_find_node },
	{ "open", log_open },       { "begun", log_begun },      { NULL, NULL },
};
