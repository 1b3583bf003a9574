#include "apiserver/relay.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apiserver/audit/audit.h"
#include "apiserver/edge/edge.h"
#include "apiserver/edge/in_flight.h"
#include "apiserver/edge/respond.h"
#include "lib/byte_pump.h"
#include "lib/http_relay.h"
#include "lib/upgrade_pipe.h"

#define BUFFER_FULL ((size_t)256 << 10) /* bytes of the answer that wait for the client */
#define BUFFER_LOW  ((size_t)64 << 10)

struct relay {
	struct request *r;
	struct http_relay *http; /* NULL: the answer is there, or it became PIPE */
	struct byte_pipe *pipe;  /* after 101, until it is joined */
	char *location_prefix;
	int code; /* 0: the head is not there */
	char *headers;
	struct err err;
	struct buf body;
	bool ended, paused, waits, answered;
};

static void relay_free(void *arg)
{
	struct relay *relay = arg;
	http_relay_free(relay->http);
	byte_pipe_close(relay->pipe);
	buf_close(&relay->body);
	free(relay->headers);
	free(relay->location_prefix);
	free(relay);
}

/* Something to look at: the answer's head or its end, bytes of its body, or the client's hang-up. */
static void look(struct relay *relay)
{
	if (relay->answered)
		http_exchange_wake(relay->r->exchange);
	else if (relay->waits)
		request_resume(relay->r);
}

static void on_hung_up(struct request *r)
{
	look(r->state);
}

/* --- the answer --- */

/* Nobody uses a pipe that is not joined yet; it is not read, so that this is only told when it broke. */
static void on_early_end(const struct err *err, void *arg)
{
	(void)err;
	(void)arg;
}

static const struct byte_pipe_user nobody = { NULL, NULL, on_early_end };

static void on_head(int code, const char *headers, void *arg)
{
	struct relay *relay = arg;
	relay->code = code;
	relay->headers = mem_dup(headers);
	if (code == 101) {
		relay->pipe = http_relay_upgrade(TAKE(relay->http));
		relay->pipe->user = &nobody;
		byte_pipe_set_reading(relay->pipe, false);
	}
	look(relay);
}

static void on_body(const char *data, size_t len, void *arg)
{
	struct relay *relay = arg;
	buf_add(&relay->body, data, len);
	if (relay->body.len >= BUFFER_FULL && !relay->paused) {
		relay->paused = true;
		http_relay_set_reading(relay->http, false);
	}
	look(relay);
}

static void on_done(const struct err *err, void *arg)
{
	struct relay *relay = arg;
	relay->ended = true;
	if (err)
		relay->err = *err;
	http_relay_free(TAKE(relay->http));
	look(relay);
}

static const struct http_relay_user relay_user = { on_head, on_body, on_done };

static ssize_t read_body(char *data, size_t size, void *arg)
{
	struct relay *relay = arg;
	size_t n = relay->body.len < size ? relay->body.len : size;
	if (n == 0)
		return relay->ended ? -1 : 0;
	memcpy(data, relay->body.data, n);
	buf_consume(&relay->body, n);
	if (relay->paused && relay->body.len < BUFFER_LOW && relay->http) {
		relay->paused = false;
		http_relay_set_reading(relay->http, true);
	}
	return (ssize_t)n;
}

/* RFC 9110 section 7.6.1, and what our server says by itself. */
static bool is_ours(const char *name, size_t len)
{
	static const char *const ours[] = {
		"Connection",  "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
		"TE",          "Trailer",    "Transfer-Encoding",  "Content-Length",      "Date",
		"Content-Type"
	};
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strlen(ours[i]) == len && strncasecmp(ours[i], name, len) == 0)
			return true;
	return false;
}

static void add_header(struct relay *relay, const char *name, const char *value)
{
	CLEANUP(mem_freep) char *moved = NULL;
	if (relay->location_prefix && strcasecmp(name, "Location") == 0 && value[0] == '/' && value[1] != '/')
		value = moved = mem_printf("%s%s", relay->location_prefix, value);
	http_exchange_add_header(relay->r->exchange, name, value);
}

static void add_headers(struct relay *relay)
{
	for (const char *line = relay->headers; *line; line += strcspn(line, "\n") + 1) {
		size_t len = strcspn(line, "\n"), name_len = strcspn(line, ":");
		if (is_ours(line, name_len) || (relay->code != 101 && strncasecmp(line, "Upgrade:", 8) == 0))
			continue;
		CLEANUP(mem_freep) char *name = mem_dupn(line, name_len);
		CLEANUP(mem_freep) char *value = mem_dupn(line + name_len + 2, len - name_len - 2);
		add_header(relay, name, value);
	}
}

static enum step_result join(struct request *r, struct relay *relay)
{
	r->code = 101;
	in_flight_release(r);
	add_headers(relay);
	struct byte_pipe *client = upgrade_pipe_new(r->exchange);
	if (!client)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "this connection cannot be upgraded");
	audit_stream(r);
	byte_pump_start(client, TAKE(relay->pipe));
	return STEP_DONE;
}

enum step_result relay_answer(struct request *r)
{
	struct relay *relay = r->state;
	relay->waits = false;
	if (r->hung_up)
		return request_fail(r, DETAILS_NONE, ERR_SERVICE_UNAVAILABLE,
				    "the request was ended before its answer began");
	if (relay->err.kind && !relay->code)
		return request_fail(r, DETAILS_NONE, ERR_INTERNAL, "error dialing backend: %s",
				    relay->err.msg);
	if (!relay->code) {
		relay->waits = true;
		return STEP_WAIT_HERE;
	}
	if (relay->pipe)
		return join(r, relay);
	CLEANUP(mem_freep) char *content_type = http_relay_header(relay->headers, "Content-Type");
	add_headers(relay);
	relay->answered = true;
	return respond_passed_on(r, relay->code, content_type, read_body, relay);
}

/* --- the request --- */

bool relay_upgrades(const struct request *r)
{
	const char *upgrade = request_header(r, "Upgrade");
	return upgrade && *upgrade;
}

struct lines {
	const char *lines[128]; /* the last one stays NULL */
	size_t n;
	bool upgrades, with_body;
};

static bool is_about_who_asks(const char *name)
{
	return strcasecmp(name, "Authorization") == 0 || strncasecmp(name, "Impersonate-", 12) == 0 ||
	       strncasecmp(name, "X-Remote-", 9) == 0;
}

static void take_header(const char *name, const char *value, void *arg)
{
	struct lines *lines = arg;
	bool typed = strcasecmp(name, "Content-Type") == 0;
	bool dropped = typed ? !lines->with_body : is_ours(name, strlen(name));
	if (dropped || is_about_who_asks(name) || strcasecmp(name, "Host") == 0 ||
	    strcasecmp(name, "Expect") == 0 || (!lines->upgrades && strcasecmp(name, "Upgrade") == 0) ||
	    lines->n == ARRAY_SIZE(lines->lines) - 2)
		return;
	lines->lines[lines->n++] = mem_printf("%s: %s", name, value);
}

static void lines_close(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free((void *)(uintptr_t)lines->lines[i]);
}

enum step_result relay_open(struct request *r, const struct relay_opts *opts)
{
	CLEANUP(lines_close)
	struct lines lines = { .upgrades = relay_upgrades(r), .with_body = opts->with_body };
	request_each_header(r, take_header, &lines);
	if (lines.upgrades)
		lines.lines[lines.n++] = mem_dup("Connection: Upgrade");
	const struct http_relay_request request = {
		.method = http_exchange_method(r->exchange),
		.url = opts->url,
		.headers = lines.lines,
		.body = opts->with_body && r->body.len ? r->body.data : NULL,
		.body_len = r->body.len,
	};
	struct relay *relay = mem_zalloc(sizeof(*relay));
	relay->r = r;
	relay->location_prefix = mem_dup(opts->location_prefix);
	relay->http = http_relay_new(opts->client, &request, &relay_user, relay, &r->err);
	if (!relay->http) {
		relay_free(relay);
		return request_fail_as(r, DETAILS_NONE);
	}
	if (r->state_free)
		r->state_free(r->state);
	r->state = relay;
	r->state_free = relay_free;
	r->hung_up_fn = on_hung_up;
	return STEP_NEXT;
}
