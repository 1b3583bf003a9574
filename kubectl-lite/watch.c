#include "kubectl-lite/watch.h"

#include <string.h>

#include "kubectl-lite/session.h"

enum { LINE_MAX_BYTES = 16 * 1024 * 1024 };

struct watch_state {
	struct buf line;
	bool (*event)(const char *type, struct json_object *obj, void *arg);
	void *arg;
	struct err err;
	bool stopped; /* by the command, or by an error in err */
	bool done;
};

/* One line of the stream; false ends it. */
static bool handle_line(struct watch_state *w, const char *text, size_t len)
{
	CLEANUP(json_putp) struct json_object *value = NULL;

	if (len == 0)
		return true;
	if (json_parse(text, len, &value, NULL, &w->err) < 0)
		return false;
	const char *type = json_str_or_empty(value, "type");
	struct json_object *object = json_get(value, "object");
	if (strcmp(type, "ERROR") == 0) {
		err_set(&w->err,
			err_kind_of_status(json_str(object, "reason"), (int)json_int(object, "code", 500)),
			"%s", json_str_or_empty(object, "message"));
		return false;
	}
	return w->event(type, object, w->arg);
}

static bool more(const char *data, size_t len, void *arg)
{
	struct watch_state *w = arg;

	buf_add(&w->line, data, len);
	if (w->line.failed) {
		err_set(&w->err, ERR_LIMIT, "an event of the watch is larger than %d bytes", LINE_MAX_BYTES);
		w->stopped = true;
		return false;
	}
	for (char *newline; w->line.len && (newline = memchr(w->line.data, '\n', w->line.len));) {
		size_t n = (size_t)(newline - w->line.data);
		if (!handle_line(w, w->line.data, n)) {
			w->stopped = true;
			return false;
		}
		buf_consume(&w->line, n + 1);
	}
	return true;
}

static void done(const struct api_response *response, void *arg)
{
	struct watch_state *w = arg;

	if (!w->stopped && response->err.kind != ERR_NONE)
		w->err = response->err;
	w->done = true;
	loop_stop(session_open()->loop);
}

static void timed_out(struct loop_timer *timer, void *arg)
{
	struct watch_state *w = arg;

	(void)timer;
	w->stopped = true;
	err_set(&w->err, ERR_TIMEOUT, "timed out waiting for the condition");
	loop_stop(session_open()->loop);
}

int watch_run(const char *path, const char *accept,
	      bool (*event)(const char *type, struct json_object *obj, void *arg), void *arg,
	      int64_t timeout_us, struct err *err)
{
	struct session *session = session_open();
	struct watch_state w = { .line = BUF_INIT_MAX(LINE_MAX_BYTES), .event = event, .arg = arg };
	CLEANUP(mem_freep) char *watched = mem_printf("%s%swatch=true", path, strchr(path, '?') ? "&" : "?");
	struct loop_timer timer;

	loop_timer_init(&timer, session->loop, timed_out, &w);
	if (timeout_us > 0)
		loop_timer_arm(&timer, timeout_us / 1000);
	struct http_call *call = api_client_stream(session->client, watched, accept, more, done, &w);
	loop_run(session->loop);
	loop_timer_disarm(&timer);
	if (!w.done)
		http_call_cancel(call);
	buf_close(&w.line);
	if (w.err.kind == ERR_NONE)
		return 0;
	*err = w.err;
	return -1;
}
