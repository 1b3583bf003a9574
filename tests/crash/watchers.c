#include "tests/crash/watchers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS       20
#define TIMEOUT_S_MAX  3
#define REWIND_PERCENT 40

struct watcher_type {
	const char *name;
	struct selection selection;
	bool scribe, rewinds;
};

static const struct watcher_type types[] = {
	{ "the scribe of configmaps", SELECT_ALL(HISTORY_CONFIG_MAP), true, false },
	{ "the scribe of pods", SELECT_ALL(HISTORY_POD), true, false },
	{ "a watcher of configmaps", SELECT_ALL(HISTORY_CONFIG_MAP), false, false },
	{ "a watcher of configmaps in a namespace", { HISTORY_CONFIG_MAP, 0, -1, -1, false }, false, false },
	{ "a watcher of one configmap", { HISTORY_CONFIG_MAP, 1, 3, -1, false }, false, false },
	{ "a watcher of configmaps with a label", { HISTORY_CONFIG_MAP, -1, -1, 1, false }, false, false },
	{ "a watcher of unbound pods", { HISTORY_POD, -1, -1, -1, true }, false, false },
	{ "a watcher that goes back to old configmaps", SELECT_ALL(HISTORY_CONFIG_MAP), false, true },
	{ "a watcher that goes back to old pods", { HISTORY_POD, 1, -1, -1, false }, false, true },
};

struct watcher {
	struct watchers *watchers;
	struct run *run;
	const struct watcher_type *type;
	struct rng rng;
	struct loop_timer timer;
	struct http_call *call; /* NULL: does not watch */
	size_t stream;          /* in the history */
	uint64_t last;          /* revision to resume from */
	struct buf line;
	bool draining;
};

struct watchers {
	struct run *run;
	struct watcher all[ARRAY_SIZE(types)];
	uint64_t drain_revision;
	size_t to_drain;
	void (*drained)(void *arg);
	void *arg;
	struct loop_task drained_task;
};

static void begin_watch(struct watcher *watcher);

static void begin_stream(struct watcher *watcher, uint64_t start)
{
	const struct history *history = &watcher->run->history;
	struct stream stream = { .selection = watcher->type->selection,
				 .scribe = watcher->type->scribe,
				 .start = start > history->base_revision ? start : history->base_revision };

	snprintf(stream.name, sizeof(stream.name), "%s", watcher->type->name);
	watcher->stream = history_stream(&watcher->run->history, &stream);
	watcher->last = start;
}

/* --- events --- */

static void expired(struct watcher *watcher)
{
	history_expired(&watcher->run->history, watcher->type->selection.resource, watcher->last);
	watcher->run->expired++;
	/* What a scribe misses nobody can make up for. */
	if (watcher->type->scribe)
		verdict_fault(&watcher->run->verdict, "%s was too slow for the history", watcher->type->name);
	begin_stream(watcher, watcher->run->history.seen);
}

static void object_event(struct watcher *watcher, enum sighting_type type, const struct json_object *obj)
{
	struct run *run = watcher->run;
	struct sighting sighting = { .type = type };
	const char *uid;

	if (!objects_parse(obj, &sighting.object, &sighting.state, &uid))
		return;
	run->events++;
	watcher->last = sighting.state.revision;
	/* What is older than the chapter was judged with its own. */
	if (sighting.state.revision > run->history.base_revision)
		history_sighting(&run->history, watcher->stream, &sighting);
	if (!watcher->type->scribe)
		return;
	if (type == SEEN_DELETED)
		run_learn(run, sighting.object, &(struct state){ 0 }, NULL, sighting.state.revision);
	else
		run_learn(run, sighting.object, &sighting.state, uid, sighting.state.revision);
}

static void bookmark(struct watcher *watcher, const struct json_object *obj)
{
	struct sighting sighting = { .type = SEEN_ALL_TO };

	sighting.state.revision =
	    strtoull(json_str_or_empty(json_get(obj, "metadata"), "resourceVersion"), NULL, 10);
	watcher->last = sighting.state.revision;
	history_sighting(&watcher->run->history, watcher->stream, &sighting);
}

static void event(struct watcher *watcher, const char *text, size_t len)
{
	CLEANUP(json_putp) struct json_object *value = NULL;
	const struct json_object *obj;
	const char *type;

	if (json_parse(text, len, &value, NULL, NULL) < 0)
		value = NULL;
	type = json_str_or_empty(value, "type");
	obj = json_get(value, "object");
	if (!strcmp(type, "ADDED"))
		object_event(watcher, SEEN_ADDED, obj);
	else if (!strcmp(type, "MODIFIED"))
		object_event(watcher, SEEN_MODIFIED, obj);
	else if (!strcmp(type, "DELETED"))
		object_event(watcher, SEEN_DELETED, obj);
	else if (!strcmp(type, "BOOKMARK"))
		bookmark(watcher, obj);
	else if (!strcmp(type, "ERROR") && json_int(obj, "code", 0) == 410)
		expired(watcher);
	else
		verdict_fault(&watcher->run->verdict, "%s was sent what is no event: %.*s",
			      watcher->type->name, (int)(len < 200 ? len : 200), text);
}

static bool arrived(const char *data, size_t len, void *arg)
{
	struct watcher *watcher = arg;
	char *end;
	size_t done = 0;

	buf_add(&watcher->line, data, len);
	while ((end = memchr(watcher->line.data + done, '\n', watcher->line.len - done))) {
		size_t n = (size_t)(end - watcher->line.data) - done;

		event(watcher, watcher->line.data + done, n);
		done += n + 1;
	}
	buf_consume(&watcher->line, done);
	return true;
}

/* --- watches --- */

static void tell_drained(struct loop_task *task, void *arg)
{
	struct watchers *watchers = arg;

	(void)task;
	watchers->drained(watchers->arg);
}

static void drained(struct watcher *watcher)
{
	struct watchers *watchers = watcher->watchers;
	struct sighting all = { .type = SEEN_ALL_TO, .state.revision = watchers->drain_revision };

	watcher->draining = false;
	history_sighting(&watcher->run->history, watcher->stream, &all);
	if (--watchers->to_drain)
		return;
	watchers->drained_task.fn = tell_drained;
	watchers->drained_task.arg = watchers;
	loop_post(watcher->run->loop, &watchers->drained_task);
}

static void ended(const struct api_response *response, void *arg)
{
	struct watcher *watcher = arg;
	struct run *run = watcher->run;
	bool orderly = response->err.kind == ERR_NONE;

	watcher->call = NULL;
	if (response->code == 410)
		expired(watcher);
	else if (response->code >= 400)
		verdict_fault(&run->verdict, "%s was refused: %s", watcher->type->name, response->err.msg);
	run_over(run, &run->watching);
	if (watcher->draining && orderly) {
		drained(watcher);
		return;
	}
	loop_timer_arm(&watcher->timer, orderly ? 0 : RETRY_MS);
}

/* Some go back: within the chapter, or to where nobody may remember. */
static void rewind_at_times(struct watcher *watcher)
{
	const struct history *history = &watcher->run->history;
	uint64_t least = watcher->run->first_revision;

	if (!watcher->type->rewinds || watcher->draining || !rng_chance(&watcher->rng, REWIND_PERCENT))
		return;
	if (rng_chance(&watcher->rng, 80))
		least = history->base_revision;
	begin_stream(watcher, least + rng_below(&watcher->rng, (uint32_t)(history->seen - least) + 1));
}

static void begin_watch(struct watcher *watcher)
{
	struct run *run = watcher->run;
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!run->serving || watcher->call || (run->stopping && !watcher->draining))
		return;
	rewind_at_times(watcher);
	objects_selection_path(&path, &watcher->type->selection);
	buf_printf(&path, "watch=1&allowWatchBookmarks=true&resourceVersion=%llu",
		   (unsigned long long)watcher->last);
	if (watcher->draining)
		buf_str(&path, "&timeoutSeconds=1");
	else if (rng_chance(&watcher->rng, 60))
		buf_printf(&path, "&timeoutSeconds=%u", 1 + rng_below(&watcher->rng, TIMEOUT_S_MAX));
	buf_reset(&watcher->line);
	run_sent(&run->watching);
	watcher->call = api_client_stream(run->api, path.data, NULL, arrived, ended, watcher);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	begin_watch(arg);
}

/* --- all --- */

struct watchers *watchers_new(struct run *run)
{
	struct watchers *watchers = mem_zalloc(sizeof(*watchers));

	watchers->run = run;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct watcher *watcher = &watchers->all[i];

		watcher->watchers = watchers;
		watcher->run = run;
		watcher->type = &types[i];
		watcher->rng = rng_of(run->seed, 200 + i);
		loop_timer_init(&watcher->timer, run->loop, on_timer, watcher);
	}
	return watchers;
}

static void stop(struct watcher *watcher)
{
	loop_timer_disarm(&watcher->timer);
	if (!watcher->call)
		return;
	http_call_cancel(TAKE(watcher->call));
	run_over(watcher->run, &watcher->run->watching);
}

void watchers_free(struct watchers *watchers)
{
	if (!watchers)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		stop(&watchers->all[i]);
		buf_close(&watchers->all[i].line);
	}
	loop_unpost(watchers->run->loop, &watchers->drained_task);
	free(watchers);
}

void watchers_begin_chapter(struct watchers *watchers)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		begin_stream(&watchers->all[i], watchers->run->history.base_revision);
}

void watchers_go(struct watchers *watchers)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		begin_watch(&watchers->all[i]);
}

void watchers_drain(struct watchers *watchers, uint64_t revision, void (*done)(void *arg), void *arg)
{
	watchers->drain_revision = revision;
	watchers->drained = done;
	watchers->arg = arg;
	watchers->to_drain = ARRAY_SIZE(types);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct watcher *watcher = &watchers->all[i];

		stop(watcher);
		watcher->draining = true;
		begin_watch(watcher);
	}
}
