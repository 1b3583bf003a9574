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
#include "apiserver/pod_place.h"
#include "apiserver/update.h"

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

/* A pod without a node has no log yet: an empty one. */
static enum step_result log_find_node(struct request *r)
{
	struct log_state *state = r->state;
	const struct json_object *spec = json_get(r->old, "spec");
	const char *container, *node = json_str_or_empty(spec, "nodeName");
	if (pod_place_container(r, spec, &container) == STEP_FAIL)
		return STEP_FAIL;
	if (!*node)
		return respond_text(r, 200, "");
	state->container = mem_dup(container);
	state->node = mem_dup(node);
	return STEP_NEXT;
}

static void write_url(struct buf *url, struct request *r)
{
	const struct log_state *state = r->state;
	const struct query *q = &r->query;
	buf_str(url, "/containerLogs/");
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
	CLEANUP(buf_close) struct buf url = BUF_INIT;
	if (pod_place_agent(r, state->node, &url) == STEP_FAIL)
		return STEP_FAIL;
	write_url(&url, r);
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
