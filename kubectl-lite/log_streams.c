#include "kubectl-lite/log_streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/session.h"

/* A line that is longer is written in pieces. */
enum { LINE_MAX_BYTES = 1024 * 1024 };

struct log_stream {
	char *path;
	char *prefix;
	struct buf line; /* an unfinished one; used when several streams share the output */
	struct running *running;
	bool lost; /* nobody reads what we write */
	bool done;
};

struct running {
	size_t n_open;
	bool ignore_errors, whole_lines;
	struct err err;
};

void log_streams_add(struct log_streams *streams, const char *path, const char *prefix)
{
	streams->items = mem_realloc_array(streams->items, streams->n + 1, sizeof(*streams->items));
	streams->items[streams->n++] =
	    (struct log_stream){ .path = mem_dup(path), .prefix = mem_dup(prefix) };
}

void log_streams_close(struct log_streams *streams)
{
	for (size_t i = 0; i < streams->n; i++) {
		free(streams->items[i].path);
		free(streams->items[i].prefix);
		buf_close(&streams->items[i].line);
	}
	free(streams->items);
	*streams = (struct log_streams){ 0 };
}

static void write_line(const struct log_stream *s, const char *data, size_t len)
{
	if (s->prefix)
		fputs(s->prefix, stdout);
	fwrite(data, 1, len, stdout);
}

static bool more(const char *data, size_t len, void *arg)
{
	struct log_stream *s = arg;

	if (!s->running->whole_lines && !s->prefix) {
		fwrite(data, 1, len, stdout);
	} else {
		buf_add(&s->line, data, len);
		for (char *newline; s->line.len && (newline = memchr(s->line.data, '\n', s->line.len));) {
			size_t n = (size_t)(newline - s->line.data) + 1;
			write_line(s, s->line.data, n);
			buf_consume(&s->line, n);
		}
		if (s->line.len > LINE_MAX_BYTES) {
			write_line(s, s->line.data, s->line.len);
			buf_reset(&s->line);
		}
	}
	/* "logs -f | head": the reader has had enough. */
	s->lost = fflush(stdout) != 0;
	return !s->lost;
}

static void done(const struct api_response *response, void *arg)
{
	struct log_stream *s = arg;
	struct running *r = s->running;

	s->done = true;
	r->n_open--;
	if (s->line.len) {
		write_line(s, s->line.data, s->line.len);
		fflush(stdout);
	}
	if (!s->lost && response->err.kind != ERR_NONE) {
		if (r->ignore_errors)
			session_failed(&response->err);
		else if (r->err.kind == ERR_NONE)
			r->err = response->err;
	}
	if (r->n_open == 0 || s->lost || r->err.kind != ERR_NONE)
		loop_stop(session_open()->loop);
}

/* Streams FROM up to TO side by side. */
static void run_some(struct log_streams *streams, size_t from, size_t to, struct running *r)
{
	CLEANUP(mem_freep)
	struct http_call **calls = mem_zalloc((to - from + 1) * sizeof(struct http_call *));

	r->n_open = to - from;
	for (size_t i = from; i < to; i++) {
		streams->items[i].running = r;
		calls[i - from] = api_client_stream(session_open()->client, streams->items[i].path, "*/*",
						    more, done, &streams->items[i]);
	}
	loop_run(session_open()->loop);
	for (size_t i = from; i < to; i++)
		if (!streams->items[i].done)
			http_call_cancel(calls[i - from]);
}

int log_streams_run(struct log_streams *streams, bool at_once, bool ignore_errors, struct err *err)
{
	struct running r = { .ignore_errors = ignore_errors, .whole_lines = at_once && streams->n > 1 };

	if (at_once) {
		run_some(streams, 0, streams->n, &r);
	} else {
		for (size_t i = 0; i < streams->n && r.err.kind == ERR_NONE; i++)
			run_some(streams, i, i + 1, &r);
	}
	if (r.err.kind == ERR_NONE)
		return 0;
	*err = r.err;
	return -1;
}
