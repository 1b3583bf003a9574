#include "apiserver/edge/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/protobuf.h"
#include "api/resource_set.h"
#include "apiserver/audit/audit.h"
#include "apiserver/authn/authenticate.h"
#include "apiserver/authn/known_certificates.h"
#include "apiserver/authz/authorize.h"
#include "apiserver/companions.h"
#include "apiserver/crd/definitions.h"
#include "apiserver/edge/counters.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/in_flight.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/service/allocate.h"
#include "lib/timefmt.h"

#define BODIES_MAX (256 * 1024 * 1024)
/* A body in protobuf is larger as JSON: bytes are base64 there, and every field has its name. */
#define PROTOBUF_JSON_MAX (4 * REQUEST_BODY_MAX)

enum step_result request_goto(struct request *r, const struct request_step *steps, const char *name)
{
	while (strcmp(steps->name, name) != 0)
		steps++;
	r->step = steps;
	return STEP_GOTO;
}

enum step_result request_fail(struct request *r, enum request_details details, enum err_kind kind,
			      const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	buf_vprintf(&text, format, ap);
	va_end(ap);
	err_set(&r->err, kind, "%s", text.data);
	r->details = details;
	return STEP_FAIL;
}

enum step_result request_fail_as(struct request *r, enum request_details details)
{
	r->details = details;
	return STEP_FAIL;
}

enum step_result request_fail_namespace(struct request *r)
{
	const char *namespace_ = r->route.namespace_;
	if (r->err.kind == ERR_FORBIDDEN) {
		r->cause =
		    (struct request_cause){ .reason = "NamespaceTerminating", .field = "metadata.namespace" };
		snprintf(r->cause.message, sizeof(r->cause.message), "namespace %s is being terminated",
			 namespace_);
	} else if (r->err.kind == ERR_NOT_FOUND) {
		resource_unref(r->route.resource);
		r->route.resource = resource_find("", "v1", "namespaces");
		r->name = namespace_;
	}
	return request_fail_as(r, DETAILS_OBJECT);
}

enum step_result request_fail_command(struct request *r)
{
	r->err = r->command.err;
	switch (r->err.kind) {
	case ERR_NOT_FOUND:
	case ERR_FORBIDDEN:
		if (r->command.op == CORE_CREATE)
			return request_fail_namespace(r);
		return request_fail_as(r, DETAILS_OBJECT);
	case ERR_ALREADY_EXISTS:
	case ERR_CONFLICT:
		return request_fail_as(r, DETAILS_OBJECT);
	case ERR_TIMEOUT:
		r->cause = (struct request_cause){ .reason = "ResourceVersionTooLarge",
						   .message = "Too large resource version" };
		r->retry_after_s = 1;
		return request_fail_as(r, DETAILS_EMPTY);
	default:
		return request_fail_as(r, DETAILS_NONE);
	}
}

/* On the core thread. */
static void command_replied(struct core_command *command)
{
	struct request *r = command->arg;
	loop_inbox_post(http_server_inbox(r->edge->http), &r->replied);
}

static void complete_command(struct request *r)
{
	struct core_command *command = &r->command;
	if (!command->resource)
		command->resource = r->route.resource;
	if (!command->namespace_)
		command->namespace_ = r->route.namespace_;
	if (!command->name)
		command->name = r->name;
	command->reply = command_replied;
	command->arg = r;
}

enum step_result request_submit(struct request *r)
{
	complete_command(r);
	if (r->command.dry_run && core_dry_run(r->server->core, &r->command))
		return STEP_NEXT;
	core_submit(r->server->core, &r->command);
	return STEP_WAIT;
}

enum step_result request_list(struct request *r)
{
	complete_command(r);
	if (core_list_now(r->server->core, &r->command))
		return STEP_NEXT;
	core_submit(r->server->core, &r->command);
	return STEP_WAIT;
}

static void on_pause_over(struct loop_timer *timer, void *arg)
{
	(void)timer;
	request_resume(arg);
}

enum step_result request_pause(struct request *r, int64_t ms)
{
	if (!r->pauses++)
		loop_timer_init(&r->pausing, r->edge->loop, on_pause_over, r);
	loop_timer_arm(&r->pausing, ms);
	return STEP_WAIT_HERE;
}

void request_drop_round(struct request *r)
{
	core_command_close(&r->command);
	r->command = (struct core_command){ 0 };
	companions_drop(r);
	service_allocation_drop(r);
	object_unref(r->current);
	r->current = NULL;
	json_object_put(r->old);
	json_object_put(r->obj);
	r->old = r->obj = NULL;
	json_origin_free(r->origin);
	r->origin = NULL;
	buf_reset(&r->managed);
	r->has_managed = false;
	buf_reset(&r->warnings);
}

const char *request_header(const struct request *r, const char *name)
{
	return http_exchange_header(r->exchange, name);
}

void request_each_header(const struct request *r, void (*fn)(const char *name, const char *value, void *arg),
			 void *arg)
{
	const char *name, *value;
	for (size_t i = 0; http_exchange_header_at(r->exchange, i, &name, &value); i++)
		fn(name, value, arg);
}

/* What is kept for a connection: what its certificate says holds as long as it does. */
struct peer {
	struct identity *identity; /* or NULL */
};

struct identity *request_certificate(struct request *r)
{
	gnutls_session_t session = http_exchange_session(r->exchange);
	void **kept = http_exchange_kept(r->exchange);
	if (!session || !r->server->asks_certificates)
		return NULL;
	if (!*kept) {
		struct peer *peer = *kept = mem_zalloc(sizeof(*peer));
		peer->identity = known_certificates_identity(r->server->known_certificates, session);
	}
	return ((struct peer *)*kept)->identity;
}

static void forget_peer(void *kept, void *arg)
{
	struct peer *peer = kept;
	(void)arg;
	identity_unref(peer->identity);
	free(peer);
}

/* Metadata alone is asked for in the form of a list, or of one object. (endpoints/handlers/response.go) */
static enum step_result refuse_form(struct request *r)
{
	const struct resource *resource = r->route.resource;
	bool list = r->accept.form == ACCEPT_METADATA;
	const char *group = *resource->group ? resource->group : "core";
	return request_fail(r, DETAILS_NONE, ERR_NOT_ACCEPTABLE,
			    "you requested PartialObjectMetadata%s, but the requested object is %sa list "
			    "(*%.*s.%s%s)",
			    list ? "" : "List", list ? "" : "not ", (int)strcspn(group, "."), group,
			    resource->kind_name, list ? "List" : "");
}

/* A watch's events have objects, whatever its form is called. */
static bool form_fits(const struct request *r)
{
	bool list = r->route.verb == VERB_LIST;
	if (r->route.kind != ROUTE_OBJECT || r->route.verb == VERB_WATCH)
		return true;
	return r->accept.form != (list ? ACCEPT_METADATA : ACCEPT_METADATA_LIST);
}

static enum step_result negotiate(struct request *r)
{
	r->media = media_parse(request_header(r, "Content-Type"));
	bool acceptable = accept_parse(request_header(r, "Accept"), &r->accept);
	r->accept.pretty = r->query.pretty && !r->accept.yaml;
	if (acceptable || dispatch_is_open(&r->route) || r->route.kind == ROUTE_METRICS ||
	    r->route.kind == ROUTE_OPENAPI_V2 || r->route.kind == ROUTE_OPENAPI_V3 ||
	    route_is_passed_on(&r->route) ||
	    (r->route.subresource && strcmp(r->route.subresource->name, "log") == 0))
		return form_fits(r) ? STEP_NEXT : refuse_form(r);
	if (r->accept.other_form)
		return request_fail(
		    r, DETAILS_NONE, ERR_NOT_ACCEPTABLE,
		    "only the following media types are accepted: application/json, application/yaml");
	bool streams = r->route.kind == ROUTE_OBJECT && (r->route.verb & (VERB_LIST | VERB_WATCH));
	return request_fail(
	    r, DETAILS_EMPTY, ERR_NOT_ACCEPTABLE,
	    "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml%s",
	    streams ? ", application/json;stream=watch" : "");
}

static enum step_result find_steps(struct request *r)
{
	switch (r->route.kind) {
	case ROUTE_RESOURCE_NOT_FOUND:
		return request_fail(r, DETAILS_EMPTY, ERR_NOT_FOUND,
				    "the server could not find the requested resource");
	case ROUTE_METHOD_NOT_ALLOWED:
		return request_fail(r, DETAILS_EMPTY, ERR_METHOD_NOT_ALLOWED,
				    "the server does not allow this method on the requested resource");
	default:
		break;
	}
	r->step = dispatch_find(&r->route);
	if (!r->step)
		return request_fail(r, DETAILS_EMPTY, ERR_NOT_FOUND,
				    "the server could not find the requested resource");
	return STEP_NEXT;
}

/* What is decided when the header is there, before any body: r->err is set when it is a refusal. */
static void decide(struct request *r)
{
	char *query = strchr(r->target, '?');
	if (query)
		*query++ = '\0';
	r->method = route_method_parse(http_exchange_method(r->exchange));
	bool understood = query_parse(query, &r->query, &r->err) == 0;
	/* Custom resources are part of the route; the core group has none. */
	if (r->server->definitions && strncmp(r->target, "/api/", 5) != 0)
		definitions_catch_up(r->server->definitions, NULL);
	route_parse(r->method, r->target, r->query.watch, &r->route);
	r->name = r->route.name;
	if (!understood && route_is_passed_on(&r->route)) {
		r->err = ERR_INIT;
		understood = true;
	}
	if (authenticate(r) == STEP_FAIL || (!dispatch_is_open(&r->route) && authorize(r) == STEP_FAIL))
		return;
	if (r->server->stopping) {
		r->retry_after_s = 1;
		request_fail(r, DETAILS_NONE, ERR_SERVICE_UNAVAILABLE, "the server is shutting down");
		return;
	}
	if (understood && find_steps(r) == STEP_NEXT)
		negotiate(r);
}

/* All bodies that are on their way in share one room, else many senders who are slow or many fill the memory.
 */
static enum step_result take_room(struct request *r, size_t len)
{
	r->room += len;
	if (atomic_fetch_add(&r->server->body_bytes, (int64_t)len) + (int64_t)len <= BODIES_MAX)
		return STEP_NEXT;
	r->retry_after_s = 1;
	return request_fail(r, DETAILS_EMPTY, ERR_TOO_MANY_REQUESTS,
			    "The server has received too many requests and has asked us to try again later");
}

static void request_take_body(struct request *r, const char *data, size_t len)
{
	if (r->err.kind != ERR_NONE)
		return;
	if (take_room(r, len) == STEP_FAIL)
		return;
	buf_add(&r->body, data, len);
	if (r->body.failed && r->room <= REQUEST_BODY_MAX) {
		request_fail(r, DETAILS_EMPTY, ERR_SERVICE_UNAVAILABLE,
			     "there is no memory for the request's body; try again later");
	} else if (r->body.failed) {
		request_fail(r, DETAILS_EMPTY, ERR_TOO_LARGE, "Request entity too large: limit is %d",
			     REQUEST_BODY_MAX);
	}
}

/* A body in protobuf becomes JSON before the steps see it. */
static void translate_body(struct request *r)
{
	if (r->media != MEDIA_PROTOBUF || route_is_passed_on(&r->route))
		return;
	r->media = MEDIA_JSON;
	if (!r->body.len)
		return;
	CLEANUP(buf_close) struct buf json = BUF_INIT_MAX(PROTOBUF_JSON_MAX);
	if (protobuf_to_json(r->body.data, r->body.len, &json, &r->err) < 0) {
		request_fail_as(r, DETAILS_NONE);
		return;
	}
	buf_close(&r->body);
	r->body = json;
	json = BUF_INIT;
}

static void request_run(struct request *r)
{
	enum step_result result = r->err.kind != ERR_NONE ? STEP_FAIL : STEP_GOTO;
	while (result != STEP_DONE) {
		switch (result) {
		case STEP_FAIL:
			result = respond_failure(r);
			continue;
		case STEP_NEXT:
			r->step++;
			break;
		case STEP_WAIT: /* the reply may be here already, as a letter that is opened later */
			r->step++;
			return;
		case STEP_WAIT_HERE:
			return;
		case STEP_GOTO:
		case STEP_DONE:
			break;
		}
		result = r->step->run(r);
	}
}

void request_resume(struct request *r)
{
	request_run(r);
}

static void on_replied(struct loop_letter *letter, void *arg)
{
	(void)letter;
	request_run(arg);
}

/* --- what the HTTP server says --- */

static void request_begun(struct http_exchange *exchange, void *arg)
{
	struct edge *edge = arg;
	struct request *r = mem_zalloc(sizeof(*r));
	r->server = edge->server;
	r->edge = edge;
	r->exchange = exchange;
	r->replied = (struct loop_letter){ .fn = on_replied, .arg = r };
	r->target = mem_dup(http_exchange_target(exchange));
	r->body = BUF_INIT_MAX(REQUEST_BODY_MAX);
	r->started_us = time_mono_us();
	http_exchange_set_data(exchange, r);
	decide(r);
}

static void request_body(struct http_exchange *exchange, const char *data, size_t len, void *arg)
{
	(void)arg;
	request_take_body(http_exchange_data(exchange), data, len);
}

static void request_whole(struct http_exchange *exchange, void *arg)
{
	struct request *r = http_exchange_data(exchange);
	(void)arg;
	if (r->err.kind == ERR_NONE && in_flight_take(r) == STEP_NEXT)
		translate_body(r);
	request_run(r);
}

static void request_hung_up(struct http_exchange *exchange, void *arg)
{
	struct request *r = http_exchange_data(exchange);
	(void)arg;
	r->hung_up = true;
	if (r->hung_up_fn)
		r->hung_up_fn(r);
}

static void request_ended(struct http_exchange *exchange, void *arg)
{
	struct request *r = http_exchange_data(exchange);
	(void)arg;
	audit_end(r);
	in_flight_release(r);
	r->server->body_bytes -= (int64_t)r->room;
	r->server->answer_bytes -= (int64_t)r->answer_room;
	if (r->pauses)
		loop_timer_disarm(&r->pausing);
	counters_request(r);
	if (r->state_free)
		r->state_free(r->state);
	loop_inbox_cancel(http_server_inbox(r->edge->http), &r->replied);
	request_drop_round(r);
	resource_unref(r->route.resource);
	free(r->route.path);
	identity_unref(r->identity);
	identity_unref(r->impersonator);
	field_errors_close(&r->errors);
	query_close(&r->query);
	buf_close(&r->body);
	buf_close(&r->managed);
	buf_close(&r->warnings);
	free(r->target);
	free(r);
}

/* What is no request gets a Status as well. */
static const char *request_fault(int code, const char *message, struct buf *body, void *arg)
{
	struct err err = ERR_INIT;
	(void)arg;
	switch (code) {
	case 400:
		err_set(&err, ERR_BAD_REQUEST, "malformed HTTP request: %s", message);
		break;
	case 413:
		err_set(&err, ERR_TOO_LARGE, "Request entity too large: limit is %d", REQUEST_BODY_MAX);
		break;
	case 503:
		err_set(&err, ERR_SERVICE_UNAVAILABLE, "%s", message);
		break;
	default: /* for which Kubernetes has no reason */
		buf_printf(body,
			   "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
			   "\"Failure\",\"message\":\"%s\",\"code\":%d}",
			   message, code);
		return "application/json";
	}
	status_write(body, &err, NULL);
	return "application/json";
}

const struct http_handler request_handler = {
	.begun = request_begun,
	.body = request_body,
	.whole = request_whole,
	.hung_up = request_hung_up,
	.ended = request_ended,
	.forget = forget_peer,
	.fault = request_fault,
};
