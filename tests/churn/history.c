#include "tests/churn/history.h"

#include <stdlib.h>
#include <string.h>

#include "lib/timefmt.h"
#include "tests/churn/object.h"

enum { RESUME_MS = 50, MARK_MS = 500 };

struct event {
	struct event *next;
	enum history_change change;
	uint64_t revision;
	struct json_object *obj;
};

struct stream {
	struct history *history;
	size_t resource;
	uint64_t revision; /* the last one told of */
	struct buf line;
	struct event *first, **last; /* told of, not handed on */
	struct http_call *call;
	struct loop_timer timer;
	char *marker_path;
	struct http_call *marking;
};

struct history {
	struct churn *churn;
	const struct history_resource *resources;
	size_t n;
	struct history_fns fns;
	struct stream *streams;
	uint64_t revision, events, resumed;
	struct loop_timer mark_timer;
	size_t marks_left; /* answers of this round of markers still to come */
	bool marks_failed;
	uint64_t mark_revision;
	int64_t mark_sent_ms;
};

/* --- merging --- */

static struct stream *earliest(struct history *h)
{
	struct stream *found = NULL;

	for (size_t i = 0; i < h->n; i++) {
		struct stream *s = &h->streams[i];
		if (s->first && (!found || s->first->revision < found->first->revision))
			found = s;
	}
	return found;
}

static void merge(struct history *h)
{
	uint64_t known = UINT64_MAX;
	struct stream *s;

	for (size_t i = 0; i < h->n; i++)
		if (h->streams[i].revision < known)
			known = h->streams[i].revision;
	while ((s = earliest(h)) && s->first->revision <= known) {
		struct event *event = s->first;
		s->first = event->next;
		if (!s->first)
			s->last = &s->first;
		h->events++;
		h->revision = event->revision;
		h->fns.merged(s->resource, event->change, event->obj, h->fns.arg);
		json_object_put(event->obj);
		free(event);
	}
	if (known > h->revision)
		h->revision = known;
}

static void take(struct stream *s, enum history_change change, struct json_object *obj, uint64_t revision)
{
	struct event *event = mem_zalloc(sizeof(*event));

	*event = (struct event){ .change = change, .revision = revision, .obj = json_object_get(obj) };
	*s->last = event;
	s->last = &event->next;
	s->history->fns.live(s->resource, change, obj, s->history->fns.arg);
}

/* --- watching --- */

static void watch(struct loop_timer *timer, void *arg);

static void on_event(struct stream *s, struct json_object *line)
{
	static const char *const types[] = { "ADDED", "MODIFIED", "DELETED" };
	struct history *h = s->history;
	const char *path = h->resources[s->resource].path;
	const char *type = json_str_or_empty(line, "type");
	struct json_object *obj = json_get(line, "object");
	uint64_t revision = object_revision(obj);

	if (strcmp(type, "BOOKMARK") == 0) {
		if (revision > s->revision)
			s->revision = revision;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(type, types[i]) != 0)
			continue;
		if (revision <= s->revision)
			churn_fault(h->churn, "watch of %s: %s of revision %llu after %llu", path, type,
				    (unsigned long long)revision, (unsigned long long)s->revision);
		s->revision = revision;
		take(s, (enum history_change)i, obj, revision);
		return;
	}
	churn_fault(h->churn, "watch of %s from %llu: %s", path, (unsigned long long)s->revision,
		    json_str_or_empty(obj, "message"));
}

static bool on_data(const char *data, size_t len, void *arg)
{
	struct stream *s = arg;
	size_t begin = 0;
	const char *end;

	buf_add(&s->line, data, len);
	while ((end = memchr(s->line.data + begin, '\n', s->line.len - begin))) {
		size_t at = (size_t)(end - s->line.data);
		CLEANUP(json_putp) struct json_object *line = NULL;
		struct err err = ERR_INIT;
		if (json_parse(s->line.data + begin, at - begin, &line, NULL, &err) < 0)
			churn_fault(s->history->churn, "watch of %s: %s",
				    s->history->resources[s->resource].path, err.msg);
		else
			on_event(s, line);
		begin = at + 1;
	}
	buf_consume(&s->line, begin);
	merge(s->history);
	return true;
}

static void on_end(const struct api_response *response, void *arg)
{
	struct stream *s = arg;

	s->call = NULL;
	if (response->code == 410 || (response->code >= 400 && response->code < 429))
		churn_fault(s->history->churn, "watch of %s from %llu: %d: %s",
			    s->history->resources[s->resource].path, (unsigned long long)s->revision,
			    response->code, response->err.msg);
	s->history->resumed++;
	loop_timer_arm(&s->timer, RESUME_MS);
}

static void watch(struct loop_timer *timer, void *arg)
{
	struct stream *s = arg;
	CLEANUP(mem_freep)
	char *path = mem_printf("%s?watch=1&allowWatchBookmarks=true&resourceVersion=%llu",
				s->history->resources[s->resource].path, (unsigned long long)s->revision);

	(void)timer;
	buf_reset(&s->line); /* a line that was cut off is told again */
	s->call = api_client_stream(s->history->churn->client, path, "application/json", on_data, on_end, s);
}

static int list(struct stream *s)
{
	CLEANUP(json_putp)
	struct json_object *answer = churn_get(s->history->churn, s->history->resources[s->resource].path);
	const struct json_object *items = json_get(answer, "items");

	if (!answer)
		return -1;
	for (size_t i = 0; i < json_len(items); i++)
		take(s, HISTORY_ADDED, json_at(items, i), 0); /* before all that happens */
	s->revision = object_revision(answer);
	return 0;
}

/* --- markers --- */

static void on_marked(const struct api_response *response, void *arg)
{
	struct stream *s = arg;
	struct history *h = s->history;
	CLEANUP(json_putp) struct json_object *obj = NULL;

	s->marking = NULL;
	if (response->err.kind != ERR_NONE || json_parse(response->data, response->len, &obj, NULL, NULL) < 0)
		h->marks_failed = true;
	else if (object_revision(obj) > h->mark_revision)
		h->mark_revision = object_revision(obj);
	if (--h->marks_left > 0)
		return;
	if (!h->marks_failed)
		h->fns.marked(h->mark_revision, h->mark_sent_ms, h->fns.arg);
	loop_timer_arm(&h->mark_timer, MARK_MS);
}

static void mark(struct loop_timer *timer, void *arg)
{
	struct history *h = arg;
	CLEANUP(mem_freep)
	char *body = mem_printf("{\"metadata\":{\"annotations\":{\"knarr.dev/churn\":\"%llu\"}}}",
				(unsigned long long)time_mono_us());

	(void)timer;
	h->marks_left = h->n;
	h->marks_failed = false;
	h->mark_sent_ms = time_mono_ms();
	for (size_t i = 0; i < h->n; i++)
		h->streams[i].marking = api_client_call(h->churn->client, "PATCH", h->streams[i].marker_path,
							"application/merge-patch+json", body, strlen(body),
							on_marked, &h->streams[i]);
}

struct history *history_new(struct churn *churn, const struct history_resource *resources, size_t n,
			    const struct history_fns *fns)
{
	struct history *h = mem_zalloc(sizeof(*h));

	*h = (struct history){ .churn = churn, .resources = resources, .n = n, .fns = *fns };
	h->streams = mem_zalloc(n * sizeof(*h->streams));
	loop_timer_init(&h->mark_timer, churn->loop, mark, h);
	for (size_t i = 0; i < n; i++) {
		struct stream *s = &h->streams[i];
		*s = (struct stream){ .history = h, .resource = i, .last = &s->first };
		loop_timer_init(&s->timer, churn->loop, watch, s);
		s->marker_path = mem_printf("%s/marker", resources[i].marker_path);
		int code = churn_call(churn, "POST", resources[i].marker_path, NULL, resources[i].marker,
				      NULL, NULL);
		if ((code != 201 && code != 409) || list(s) < 0) {
			churn_fault(churn, "cannot list and mark %s: %d", resources[i].path, code);
			history_free(h);
			return NULL;
		}
	}
	for (size_t i = 0; i < n; i++)
		watch(NULL, &h->streams[i]);
	mark(NULL, h);
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	loop_timer_disarm(&h->mark_timer);
	for (size_t i = 0; i < h->n; i++) {
		struct stream *s = &h->streams[i];
		loop_timer_disarm(&s->timer);
		if (s->call)
			http_call_cancel(s->call);
		if (s->marking)
			http_call_cancel(s->marking);
		for (struct event *event = s->first, *next; event; event = next) {
			next = event->next;
			json_object_put(event->obj);
			free(event);
		}
		buf_close(&s->line);
		free(s->marker_path);
	}
	free(h->streams);
	free(h);
}

uint64_t history_revision(const struct history *history)
{
	return history->revision;
}

uint64_t history_events(const struct history *history)
{
	return history->events;
}

uint64_t history_resumed(const struct history *history)
{
	return history->resumed;
}
