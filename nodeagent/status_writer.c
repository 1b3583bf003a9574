#include "nodeagent/status_writer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/map.h"
#include "lib/metrics.h"

#define QUEUE_MAX      8
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS   5000

struct queued {
	struct json_object *status;
	bool milestone;
};

struct entry {
	struct status_writer *writer;
	char *uid, *path; /* "/api/v1/namespaces/NS/pods/NAME" */
	struct queued queue[QUEUE_MAX];
	size_t n;
	struct json_object *written; /* what the API has, as far as we know */
	struct http_call *call;
	bool delete_wanted;
	int64_t retry_ms;
	struct loop_timer retry;
};

struct status_writer {
	struct loop *loop;
	struct api_client *api;
	struct map entries; /* by UID */
};

static void send_next(struct entry *e);

/* Pods with something not yet written. */
static int64_t pending(void *arg)
{
	const struct status_writer *writer = arg;
	int64_t n = 0;
	void *value;

	for (size_t i = 0; map_next(&writer->entries, &i, NULL, &value);) {
		const struct entry *e = value;
		n += e->n > 0 || e->delete_wanted;
	}
	return n;
}

static struct metric pending_metric =
    METRIC_GAUGE("knarr_pod_statuses_pending", "Pods whose status is not yet written.");

struct status_writer *status_writer_new(struct loop *loop, struct api_client *api)
{
	struct status_writer *writer = mem_zalloc(sizeof(*writer));

	pending_metric.read = pending;
	pending_metric.read_arg = writer;
	metrics_register(&pending_metric);
	writer->loop = loop;
	writer->api = api;
	return writer;
}

static void entry_free(struct entry *e)
{
	loop_timer_disarm(&e->retry);
	if (e->call)
		http_call_cancel(e->call);
	for (size_t i = 0; i < e->n; i++)
		json_object_put(e->queue[i].status);
	json_object_put(e->written);
	free(e->uid);
	free(e->path);
	free(e);
}

void status_writer_free(struct status_writer *writer)
{
	void *value;

	if (!writer)
		return;
	for (size_t i = 0; map_next(&writer->entries, &i, NULL, &value);)
		entry_free(value);
	map_close(&writer->entries);
	free(writer);
}

static void on_retry(struct loop_timer *timer, void *arg)
{
	(void)timer;
	send_next(arg);
}

static struct entry *entry_of(struct status_writer *writer, const char *uid, const char *namespace_,
			      const char *name)
{
	struct entry *e = map_get(&writer->entries, uid);

	if (e)
		return e;
	e = mem_zalloc(sizeof(*e));
	e->writer = writer;
	e->uid = mem_dup(uid);
	e->path = mem_printf("/api/v1/namespaces/%s/pods/%s", namespace_, name);
	loop_timer_init(&e->retry, writer->loop, on_retry, e);
	map_put(&writer->entries, e->uid, e);
	return e;
}

void status_writer_forget(struct status_writer *writer, const char *uid)
{
	struct entry *e = map_remove(&writer->entries, uid);

	if (e)
		entry_free(e);
}

static void drop_first(struct entry *e)
{
	json_object_put(e->queue[0].status);
	e->n--;
	memmove(&e->queue[0], &e->queue[1], e->n * sizeof(e->queue[0]));
}

/* Tries again later; true when the answer says that trying can help. */
static bool retry_later(struct entry *e, const struct api_response *response)
{
	enum err_kind kind = response->err.kind;

	if (kind == ERR_NOT_FOUND || kind == ERR_INVALID || kind == ERR_BAD_REQUEST || kind == ERR_GONE ||
	    kind == ERR_UNSUPPORTED_MEDIA_TYPE || kind == ERR_METHOD_NOT_ALLOWED)
		return false;
	/* Another pod has the name by now: ours is gone, as its watch will say. */
	if (kind == ERR_CONFLICT && strstr(response->err.msg, "UID"))
		return false;
	e->retry_ms = e->retry_ms ? e->retry_ms * 2 : RETRY_FIRST_MS;
	if (e->retry_ms > RETRY_MAX_MS)
		e->retry_ms = RETRY_MAX_MS;
	loop_timer_arm(&e->retry, e->retry_ms);
	return true;
}

static void on_written(const struct api_response *response, void *arg)
{
	struct entry *e = arg;

	e->call = NULL;
	if (response->err.kind == ERR_NONE) {
		e->retry_ms = 0;
		json_object_put(e->written);
		e->written = json_object_get(e->queue[0].status);
	} else {
		if (response->err.kind != ERR_NOT_FOUND)
			log_warn("pod status not written", "pod", e->path, "error", response->err.msg, NULL);
		if (retry_later(e, response))
			return;
	}
	drop_first(e);
	send_next(e);
}

static void on_deleted(const struct api_response *response, void *arg)
{
	struct entry *e = arg;

	e->call = NULL;
	if (response->err.kind != ERR_NONE && retry_later(e, response)) {
		log_warn("pod not deleted", "pod", e->path, "error", response->err.msg, NULL);
		return;
	}
	status_writer_forget(e->writer, e->uid);
}

/* A merge patch replaces lists whole; members that are no more need a null of their own. */
static void write_patch(struct buf *body, const struct entry *e, struct json_object *status)
{
	buf_str(body, "{\"metadata\":{\"uid\":");
	buf_json_string(body, e->uid);
	buf_str(body, "},\"status\":");
	json_write(body, status);
	if (e->written && body->len > 0) {
		json_object_object_foreach(e->written, key, value)
		{
			(void)value;
			if (json_get(status, key))
				continue;
			body->len--; /* the brace that closes the status */
			buf_char(body, ',');
			buf_json_string(body, key);
			buf_str(body, ":null}");
		}
	}
	buf_char(body, '}');
}

static void send_delete(struct entry *e)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	buf_str(&body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"gracePeriodSeconds\":0,"
		       "\"preconditions\":{\"uid\":");
	buf_json_string(&body, e->uid);
	buf_str(&body, "}}");
	e->call =
	    api_client_call(e->writer->api, "DELETE", e->path, NULL, body.data, body.len, on_deleted, e);
}

static void send_next(struct entry *e)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	if (e->call)
		return;
	if (e->n == 0) {
		if (e->delete_wanted)
			send_delete(e);
		return;
	}
	CLEANUP(mem_freep) char *path = mem_printf("%s/status", e->path);
	write_patch(&body, e, e->queue[0].status);
	e->call = api_client_call(e->writer->api, "PATCH", path, "application/merge-patch+json", body.data,
				  body.len, on_written, e);
}

void status_writer_put(struct status_writer *writer, const char *uid, const char *namespace_,
		       const char *name, struct json_object *status, bool milestone)
{
	struct entry *e = entry_of(writer, uid, namespace_, name);
	/* The first is on the wire. */
	size_t fixed = e->call ? 1 : 0;

	if (e->n > fixed && (!e->queue[e->n - 1].milestone || e->n == QUEUE_MAX)) {
		json_object_put(e->queue[e->n - 1].status);
		e->n--;
	}
	e->queue[e->n++] = (struct queued){ json_object_get(status), milestone };
	if (!loop_timer_armed(&e->retry))
		send_next(e);
}

void status_writer_delete(struct status_writer *writer, const char *uid, const char *namespace_,
			  const char *name)
{
	struct entry *e = entry_of(writer, uid, namespace_, name);

	e->delete_wanted = true;
	if (!loop_timer_armed(&e->retry))
		send_next(e);
}
