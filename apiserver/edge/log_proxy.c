#include "apiserver/edge/log_proxy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"

/* Bytes between agent and client at which the agent's answer is not read on, and at which it is again. */
#define BUFFER_FULL     (256 * 1024)
#define BUFFER_LOW      (64 * 1024)
#define MAX_CONNECTIONS 512

struct log_proxy {
	pthread_t thread;
	struct loop *loop;
	struct http_client *client;
	struct loop_wake *wake;
	pthread_mutex_t lock;     /* over the queue and stop */
	struct log_stream *queue; /* streams that the loop has something to do for */
	bool stop;
};

/* Shared by the client's request and the loop: each holds a reference. */
struct log_stream {
	_Atomic unsigned refs;
	struct log_proxy *proxy;
	char *url;
	void (*ready)(void *arg);
	void *ready_arg;
	struct http_call *call; /* loop's thread only */
	bool started;           /* loop's thread only */

	struct log_stream *next; /* under the proxy's lock */
	bool queued;

	pthread_mutex_t lock; /* over all below */
	struct buf data;
	bool paused, drained; /* drained: the loop is to read on */
	bool begun, ended;
	bool closed; /* the request is gone: nobody is to be told anything */
	int code;
	char *body;
	struct err err;
	struct attend *attend;
};

static void stream_unrefs(struct log_stream *stream, unsigned n)
{
	if (atomic_fetch_sub(&stream->refs, n) > n)
		return;
	pthread_mutex_destroy(&stream->lock);
	buf_close(&stream->data);
	free(stream->body);
	free(stream->url);
	free(stream);
}

static void stream_unref(struct log_stream *stream)
{
	stream_unrefs(stream, 1);
}

/* Has the loop look at STREAM. */
static void stream_queue(struct log_stream *stream)
{
	struct log_proxy *proxy = stream->proxy;
	pthread_mutex_lock(&proxy->lock);
	if (!stream->queued) {
		stream->queued = true;
		stream->refs++;
		stream->next = proxy->queue;
		proxy->queue = stream;
	}
	pthread_mutex_unlock(&proxy->lock);
	loop_wake_send(proxy->wake);
}

/* Under the stream's lock: tells the request. */
static void stream_tell(struct log_stream *stream, bool begins)
{
	if (stream->closed)
		return;
	if (begins)
		stream->ready(stream->ready_arg);
	else if (stream->attend)
		attend_wake(stream->attend);
}

static bool stream_data(const char *data, size_t len, void *arg)
{
	struct log_stream *stream = arg;
	pthread_mutex_lock(&stream->lock);
	bool begins = !stream->begun, full;
	stream->begun = true;
	stream->code = 200;
	buf_add(&stream->data, data, len);
	full = stream->data.len >= BUFFER_FULL && !stream->paused;
	stream->paused |= full;
	stream_tell(stream, begins);
	pthread_mutex_unlock(&stream->lock);
	if (full)
		http_call_pause(stream->call, true);
	return true;
}

static void stream_done(const struct http_response *response, void *arg)
{
	struct log_stream *stream = arg;
	pthread_mutex_lock(&stream->lock);
	stream->call = NULL;
	bool begins = !stream->begun;
	if (begins) {
		stream->begun = true;
		stream->code = response->code;
		stream->body = mem_dupn(response->data ? response->data : "", response->len);
		stream->err = response->err;
	}
	stream->ended = true;
	stream_tell(stream, begins);
	pthread_mutex_unlock(&stream->lock);
	stream_unref(stream);
}

static void stream_start(struct log_proxy *proxy, struct log_stream *stream)
{
	struct http_request request = { .method = "GET", .url = stream->url, .accept = "*/*" };
	stream->started = true;
	stream->refs++; /* the call's */
	stream->call = http_client_send(proxy->client, &request, stream_data, stream_done, stream);
}

/* Returns how many references to STREAM ended with it. */
static unsigned stream_look(struct log_proxy *proxy, struct log_stream *stream)
{
	unsigned ended = 0;

	pthread_mutex_lock(&stream->lock);
	bool closed = stream->closed, drained = stream->drained;
	stream->drained = false;
	if (drained)
		stream->paused = false;
	pthread_mutex_unlock(&stream->lock);
	if (closed) {
		stream->started = true;
		if (stream->call) {
			http_call_cancel(TAKE(stream->call));
			ended++;
		}
	} else if (!stream->started) {
		stream_start(proxy, stream);
	} else if (drained && stream->call) {
		http_call_pause(stream->call, false);
	}
	return ended;
}

static struct log_stream *queue_pop(struct log_proxy *proxy, bool *ret_stop)
{
	pthread_mutex_lock(&proxy->lock);
	struct log_stream *stream = proxy->queue;
	if (stream) {
		proxy->queue = stream->next;
		stream->queued = false;
	}
	*ret_stop = proxy->stop;
	pthread_mutex_unlock(&proxy->lock);
	return stream;
}

static void proxy_woken(void *arg)
{
	struct log_proxy *proxy = arg;
	bool stop;
	for (struct log_stream *stream; (stream = queue_pop(proxy, &stop));) {
		unsigned ended = stream_look(proxy, stream);
		stream_unrefs(stream, ended + 1); /* the queue's */
	}
	if (stop)
		loop_stop(proxy->loop);
}

static void *proxy_run(void *arg)
{
	struct log_proxy *proxy = arg;
	loop_run(proxy->loop);
	return NULL;
}

int log_proxy_new(const struct http_identity *identity, struct log_proxy **ret, struct err *err)
{
	struct log_proxy *proxy = mem_zalloc(sizeof(*proxy));
	pthread_mutex_init(&proxy->lock, NULL);
	proxy->loop = loop_new(err);
	if (proxy->loop)
		proxy->wake = loop_wake_new(proxy->loop, proxy_woken, proxy, err);
	if (proxy->wake)
		proxy->client =
		    http_client_new(proxy->loop, identity, MAX_CONNECTIONS, "knarr-apiserver", err);
	int errnum = 0;
	if (proxy->client)
		errnum = pthread_create(&proxy->thread, NULL, proxy_run, proxy);
	if (proxy->client && errnum == 0) {
		*ret = proxy;
		return 0;
	}
	if (errnum)
		err_set_errno(err, errnum, "log proxy");
	if (proxy->client)
		http_client_free(proxy->client);
	if (proxy->wake)
		loop_wake_free(proxy->wake);
	loop_free(proxy->loop);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy);
	return -1;
}

void log_proxy_free(struct log_proxy *proxy)
{
	if (!proxy)
		return;
	pthread_mutex_lock(&proxy->lock);
	proxy->stop = true;
	pthread_mutex_unlock(&proxy->lock);
	loop_wake_send(proxy->wake);
	pthread_join(proxy->thread, NULL);
	http_client_free(proxy->client);
	loop_wake_free(proxy->wake);
	loop_free(proxy->loop);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy);
}

struct log_stream *log_stream_open(struct log_proxy *proxy, const char *url, void (*ready)(void *arg),
				   void *arg)
{
	struct log_stream *stream = mem_zalloc(sizeof(*stream));
	stream->refs = 1;
	stream->proxy = proxy;
	stream->url = mem_dup(url);
	stream->ready = ready;
	stream->ready_arg = arg;
	pthread_mutex_init(&stream->lock, NULL);
	stream_queue(stream);
	return stream;
}

bool log_stream_begun(struct log_stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	bool begun = stream->begun;
	pthread_mutex_unlock(&stream->lock);
	return begun;
}

int log_stream_code(const struct log_stream *stream, const char **ret_body, const struct err **ret_err)
{
	*ret_body = stream->body ? stream->body : "";
	*ret_err = &stream->err;
	return stream->code;
}

ssize_t log_stream_read(struct log_stream *stream, struct attend *attend, char *data, size_t size)
{
	pthread_mutex_lock(&stream->lock);
	stream->attend = attend;
	size_t len = stream->data.len < size ? stream->data.len : size;
	ssize_t result = len ? (ssize_t)len : stream->ended ? -1 : 0;
	if (len) {
		memcpy(data, stream->data.data, len);
		buf_consume(&stream->data, len);
	}
	bool drained = stream->paused && !stream->drained && stream->data.len < BUFFER_LOW;
	stream->drained |= drained;
	pthread_mutex_unlock(&stream->lock);
	if (drained)
		stream_queue(stream);
	return result;
}

void log_stream_close(struct log_stream *stream)
{
	if (!stream)
		return;
	pthread_mutex_lock(&stream->lock);
	stream->closed = true;
	stream->attend = NULL;
	pthread_mutex_unlock(&stream->lock);
	stream_queue(stream);
	stream_unref(stream);
}
