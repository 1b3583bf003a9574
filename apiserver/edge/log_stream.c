#include "apiserver/edge/log_stream.h"

#include <stdlib.h>
#include <string.h>

/* Bytes between agent and client at which the agent's answer is not read on, and at which it is again. */
#define BUFFER_FULL (256 * 1024)
#define BUFFER_LOW  (64 * 1024)

struct log_stream {
	struct http_call *call; /* NULL: it is over */
	void (*changed)(void *arg);
	void *arg;
	struct buf data;
	bool paused, begun;
	int code;
	char *body;
	struct err err;
};

static bool on_data(const char *data, size_t len, void *arg)
{
	struct log_stream *stream = arg;
	stream->begun = true;
	stream->code = 200;
	buf_add(&stream->data, data, len);
	if (stream->data.len >= BUFFER_FULL && !stream->paused) {
		stream->paused = true;
		http_call_pause(stream->call, true);
	}
	stream->changed(stream->arg);
	return true;
}

static void on_done(const struct http_response *response, void *arg)
{
	struct log_stream *stream = arg;
	stream->call = NULL;
	if (!stream->begun) {
		stream->begun = true;
		stream->code = response->code;
		stream->body = mem_dupn(response->data ? response->data : "", response->len);
		stream->err = response->err;
	}
	stream->changed(stream->arg);
}

struct log_stream *log_stream_open(struct http_client *agents, const char *url, void (*changed)(void *arg),
				   void *arg)
{
	struct log_stream *stream = mem_zalloc(sizeof(*stream));
	struct http_request request = { .method = "GET", .url = url, .accept = "*/*" };
	stream->changed = changed;
	stream->arg = arg;
	stream->call = http_client_send(agents, &request, on_data, on_done, stream);
	return stream;
}

bool log_stream_begun(const struct log_stream *stream)
{
	return stream->begun;
}

int log_stream_code(const struct log_stream *stream, const char **ret_body, const struct err **ret_err)
{
	*ret_body = stream->body ? stream->body : "";
	*ret_err = &stream->err;
	return stream->code;
}

ssize_t log_stream_read(struct log_stream *stream, char *data, size_t size)
{
	size_t len = stream->data.len < size ? stream->data.len : size;
	if (!len)
		return stream->call ? 0 : -1;
	memcpy(data, stream->data.data, len);
	buf_consume(&stream->data, len);
	if (stream->paused && stream->data.len < BUFFER_LOW && stream->call) {
		stream->paused = false;
		http_call_pause(stream->call, false);
	}
	return (ssize_t)len;
}

void log_stream_close(struct log_stream *stream)
{
	if (!stream)
		return;
	if (stream->call)
		http_call_cancel(stream->call);
	buf_close(&stream->data);
	free(stream->body);
	free(stream);
}
