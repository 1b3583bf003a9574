#include "nodeagent/streaming/forward_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/spdy_headers.h"
#include "lib/spdy_session.h"
#include "nodeagent/streaming/pod_port.h"

#define PAIR_MS        30000 /* between the two streams of a pair */
#define REQUEST_ID_MAX 256

struct forward_session {
	struct session session;
	struct streaming *streaming;
	struct spdy_session *spdy;
	struct spdy_headers *headers;
	char *pod, *net_ns;
	LIST_HEAD(, forward) forwards;
};

/* One connection:
 *
 *     WAITING ──both streams──▶ CONNECTING ──▶ OPEN ──both directions ended──▶ gone
 *        └── the other one never came            └── failed: told on the error stream ──▶ gone
 */
struct forward {
	LIST_ENTRY(forward) link;
	struct forward_session *owner;
	char *request_id;
	struct spdy_stream *data, *error;
	struct pod_port *port;
	bool paired; /* both streams were there, and the port is being connected, or was */
	bool client_over, pod_over;
	struct loop_timer timer;
};

static void forward_free(struct forward *f)
{
	LIST_REMOVE(f, link);
	loop_timer_disarm(&f->timer);
	pod_port_close(f->port);
	spdy_stream_close(f->data);
	spdy_stream_close(f->error);
	free(f->request_id);
	free(f);
}

static void finish_streams(const struct forward *f)
{
	if (f->error)
		spdy_stream_finish(f->error);
	if (f->data)
		spdy_stream_finish(f->data);
}

static bool ended(struct forward *f)
{
	if (!f->client_over || !f->pod_over)
		return false;
	finish_streams(f);
	forward_free(f);
	return true;
}

/* --- the pod's side --- */

static void on_pod_data(void *data, size_t len, void *arg)
{
	struct forward *f = arg;

	spdy_stream_write(f->data, data, len);
	if (spdy_stream_room(f->data) == 0)
		pod_port_set_reading(f->port, false);
}

static void on_pod_drained(void *arg)
{
	struct forward *f = arg;

	spdy_stream_hold(f->data, pod_port_unsent(f->port));
}

static void on_pod_ended(void *arg)
{
	struct forward *f = arg;

	f->pod_over = true;
	spdy_stream_finish(f->data);
	ended(f);
}

static void on_pod_failed(const char *why, void *arg)
{
	struct forward *f = arg;

	if (f->error)
		spdy_stream_write(f->error, why, strlen(why));
	finish_streams(f);
	forward_free(f);
}

static const struct pod_port_user port_user = { on_pod_data, on_pod_drained, on_pod_ended, on_pod_failed };

/* --- the client's side --- */

static void on_data(const void *data, size_t len, void *arg)
{
	struct forward *f = arg;

	pod_port_write(f->port, data, len);
	spdy_stream_hold(f->data, pod_port_unsent(f->port));
}

static void on_data_ended(bool reset, void *arg)
{
	struct forward *f = arg;

	f->client_over = true;
	if (reset) {
		forward_free(f);
		return;
	}
	pod_port_finish(f->port);
	ended(f);
}

static void on_data_writable(void *arg)
{
	const struct forward *f = arg;

	pod_port_set_reading(f->port, true);
}

/* The client has nothing to say on it, and closes it before the other. */
static void on_error_data(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	(void)arg;
}

static void on_error_ended(bool reset, void *arg)
{
	struct forward *f = arg;

	if (reset)
		spdy_stream_close(TAKE(f->error));
}

static const struct spdy_stream_user data_user = { on_data, on_data_ended, on_data_writable };
static const struct spdy_stream_user error_user = { on_error_data, on_error_ended, NULL };

/* --- pairs --- */

static void on_pair_late(struct loop_timer *timer, void *arg)
{
	(void)timer;
	forward_free(arg);
}

static struct forward *forward_of(struct forward_session *s, const char *request_id, uint16_t number)
{
	struct forward *f;

	LIST_FOREACH(f, &s->forwards, link)
	if (strcmp(f->request_id, request_id) == 0)
		return f;
	f = mem_zalloc(sizeof(*f));
	f->owner = s;
	f->request_id = mem_dup(request_id);
	f->port = pod_port_new(s->streaming->loop, s->pod, number, &port_user, f);
	LIST_INSERT_HEAD(&s->forwards, f, link);
	loop_timer_init(&f->timer, s->streaming->loop, on_pair_late, f);
	loop_timer_arm(&f->timer, PAIR_MS);
	return f;
}

static void connect_when_complete(struct forward *f)
{
	if (!f->data || !f->error)
		return;
	f->paired = true;
	loop_timer_disarm(&f->timer);
	pod_port_connect(f->port, f->owner->net_ns);
}

static bool parse_port(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	*ret = (uint16_t)port;
	return text[0] >= '0' && text[0] <= '9' && !*end && port >= 1 && port <= UINT16_MAX;
}

static bool on_opened(struct spdy_stream *stream, void *arg)
{
	struct forward_session *s = arg;
	const char *type = spdy_headers_get(s->headers, "streamtype");
	const char *port_text = spdy_headers_get(s->headers, "port");
	const char *request_id = spdy_headers_get(s->headers, "requestid");
	bool is_data = type && strcasecmp(type, "data") == 0;
	uint16_t number;

	/* What is refused leaves nothing behind. */
	if ((!is_data && (!type || strcasecmp(type, "error") != 0)) || !port_text ||
	    !parse_port(port_text, &number) || (request_id && strlen(request_id) > REQUEST_ID_MAX))
		return false;
	struct forward *f = forward_of(s, request_id ? request_id : port_text, number);
	/* A pair whose error stream the client has reset gets no other one. */
	if (f->paired || (is_data ? f->data : f->error))
		return false;
	*(is_data ? &f->data : &f->error) = stream;
	spdy_stream_use(stream, is_data ? &data_user : &error_user, f);
	connect_when_complete(f);
	return true;
}

static int on_headers(const void *block, size_t len, struct err *err, void *arg)
{
	const struct forward_session *s = arg;

	return spdy_headers_read(s->headers, block, len, err);
}

/* --- the session --- */

static void forward_session_free(struct session *session)
{
	struct forward_session *s = CONTAINER_OF(session, struct forward_session, session);

	LIST_REMOVE(session, link);
	while (!LIST_EMPTY(&s->forwards))
		forward_free(LIST_FIRST(&s->forwards));
	spdy_session_free(s->spdy);
	spdy_headers_free(s->headers);
	free(s->pod);
	free(s->net_ns);
	free(s);
}

static void on_gone(const struct err *err, void *arg)
{
	struct forward_session *s = arg;

	(void)err;
	forward_session_free(&s->session);
}

static const struct spdy_session_user session_user = { on_headers, on_opened, NULL, on_gone };

void forward_session_new(struct streaming *streaming, struct byte_pipe *pipe, const char *pod,
			 const char *net_ns)
{
	struct forward_session *s = mem_zalloc(sizeof(*s));

	s->session.free = forward_session_free;
	LIST_INSERT_HEAD(&streaming->sessions, &s->session, link);
	s->streaming = streaming;
	s->pod = mem_dup(pod);
	s->net_ns = mem_dup(net_ns);
	s->headers = spdy_headers_new();
	s->spdy = spdy_session_new(pipe, true, &session_user, s);
}
