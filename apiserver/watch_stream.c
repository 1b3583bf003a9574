/* Watches: a chunked stream of events, each put together from the shared bytes of its object.
 *
 *     {"type":"ADDED","object": | object_bytes() | }\n
 *
 *     CORE_WATCH ─▶ reading ⇄ waiting for the core's wake ─▶ closed by the core, deadline, hang-up ─▶ end
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/list.h"
#include "apiserver/options.h"
#include "apiserver/table.h"
#include "apiserver/view.h"
#include "lib/timefmt.h"

/* A client that names no timeout gets one by chance between these, so that reconnects spread. */
#define TIMEOUT_MIN_S 1800

struct watch_state {
	struct list_selection selection;
	struct watch *watch;      /* NULL until the core has it and after it is closed */
	struct loop_letter woken; /* from the core's thread */
	struct loop_timer timer;
	bool timed_out;
	struct request *r;
	enum table_include include;
	bool columns_sent;
	bool ended; /* nothing comes after what is under way */
	/* What is under way: the head, shared bytes of OBJECT or none, the tail. */
	struct buf head;
	struct object *object;
	const char *tail;
	size_t offset;
};

/* On the core's thread. */
static void wake(void *arg)
{
	struct watch_state *state = arg;
	loop_inbox_post(http_server_inbox(state->r->edge->http), &state->woken);
}

static void on_woken(struct loop_letter *letter, void *arg)
{
	struct watch_state *state = arg;
	(void)letter;
	http_exchange_wake(state->r->exchange);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	struct watch_state *state = arg;
	(void)timer;
	state->timed_out = true;
	http_exchange_wake(state->r->exchange);
}

static void watch_state_free(void *arg)
{
	struct watch_state *state = arg;
	if (state->watch) {
		watch_close(state->r->server->core, state->watch);
		loop_inbox_cancel(http_server_inbox(state->r->edge->http), &state->woken);
		loop_timer_disarm(&state->timer);
		state->r->server->watches--;
	}
	list_selection_close(&state->selection);
	object_unref(state->object);
	buf_close(&state->head);
	free(state);
}

static void forbid(struct request *r, const char *field, const char *detail)
{
	struct field_path path;
	field_path_init(&path, field);
	field_error_forbidden(&r->errors, &path, detail);
}

static enum step_result check_options(struct request *r)
{
	const struct query *query = &r->query;
	const char *match = query->resource_version_match ? query->resource_version_match : "";
	if (query->has_send_initial_events && strcmp(match, "NotOlderThan") != 0)
		forbid(r, "resourceVersionMatch",
		       "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
	else if (*match && !query->has_send_initial_events)
		forbid(r, "resourceVersionMatch",
		       "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
	return r->errors.n ? options_invalid(r, "ListOptions") : STEP_NEXT;
}

static enum step_result watch_submit(struct request *r)
{
	struct watch_state *state = mem_zalloc(sizeof(*state));
	uint64_t revision;
	r->state = state;
	r->state_free = watch_state_free;
	state->r = r;
	if (check_options(r) == STEP_FAIL || list_selection_parse(r, &state->selection) == STEP_FAIL)
		return STEP_FAIL;
	if (!table_include_parse(r->query.include_object, &state->include))
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "unrecognized includeObject value: %s",
				    r->query.include_object);
	if (list_parse_revision(r->query.resource_version, &revision, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	/* The core may wake the reader before it knows that the watch is there. */
	int64_t timeout_s =
	    r->query.timeout_s > 0 ? r->query.timeout_s : TIMEOUT_MIN_S + random() % TIMEOUT_MIN_S;
	if (timeout_s > INT32_MAX)
		timeout_s = INT32_MAX;
	loop_timer_init(&state->timer, r->edge->loop, on_timer, state);
	loop_timer_arm(&state->timer, timeout_s * 1000);
	state->woken = (struct loop_letter){ .fn = on_woken, .arg = state };
	r->server->watches++;
	state->watch = watch_new(wake, state);
	r->command = (struct core_command){ .op = CORE_WATCH,
					    .filter = state->selection.filter,
					    .at_revision = revision,
					    .bookmarks = r->query.bookmarks,
					    .initial_events = r->query.send_initial_events,
					    .watch = state->watch };
	return request_submit(r);
}

static const char *const type_names[] = { "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "BOOKMARK", "ERROR" };

static void put_bookmark(struct watch_state *state, const struct watch_event *event)
{
	const struct resource *resource = state->r->route.resource;
	bool table = state->r->accept.form == ACCEPT_TABLE;
	bool partial =
	    state->r->accept.form == ACCEPT_METADATA || state->r->accept.form == ACCEPT_METADATA_LIST;
	const char *kind = table ? "Table" : partial ? "PartialObjectMetadata" : resource->kind_name;
	buf_printf(&state->head,
		   "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\"", kind,
		   table || partial ? "meta.k8s.io/v1" : resource->group_version,
		   (unsigned long long)event->revision);
	if (event->type == WATCH_INITIAL_EVENTS_END)
		buf_str(&state->head, ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}");
	buf_str(&state->head, table ? "},\"columnDefinitions\":null,\"rows\":[]}" : "}}");
}

static void put_table(struct watch_state *state, const struct watch_event *event)
{
	char meta[64];
	snprintf(meta, sizeof(meta), "\"resourceVersion\":\"%llu\"", (unsigned long long)event->revision);
	table_begin(&state->head, state->r->route.resource, meta, !state->columns_sent);
	table_row(&state->head, state->r->route.resource, event->object, state->include, time_now_us(), true);
	table_end(&state->head);
	state->columns_sent = true;
}

/* Makes EVENT what is under way; its object's reference is taken. */
static void put_event(struct watch_state *state, struct watch_event *event)
{
	CLEANUP(object_unrefp)
	struct object *object = event->object = view_show(state->r->route.resource, event->object);
	buf_reset(&state->head);
	/* Once for each watcher: not by buf_printf, which takes a tenth of what an event takes. */
	buf_str(&state->head, "{\"type\":\"");
	buf_str(&state->head, type_names[event->type]);
	buf_str(&state->head, "\",\"object\":");
	state->tail = "}\n";
	state->offset = 0;
	if (event->type == WATCH_CLOSED) {
		state->r->err = event->err;
		respond_write_status(&state->head, state->r);
	} else if (!object) {
		put_bookmark(state, event);
	} else if (state->r->accept.form == ACCEPT_TABLE) {
		put_table(state, event);
	} else if (state->r->accept.form == ACCEPT_OBJECT) {
		state->object = TAKE(object);
	} else {
		table_write_metadata(&state->head, object);
	}
}

/* Copies of what is under way as much as fits; true when it is done. */
static bool copy_part(const char *bytes, size_t len, size_t *before, struct watch_state *state, char *out,
		      size_t max, size_t *put)
{
	size_t from = state->offset - *before;
	if (state->offset < *before + len) {
		size_t part = len - from < max - *put ? len - from : max - *put;
		memcpy(out + *put, bytes + from, part);
		*put += part;
		state->offset += part;
	}
	*before += len;
	return state->offset >= *before;
}

static bool copy_event(struct watch_state *state, char *out, size_t max, size_t *put)
{
	size_t before = 0, len = 0;
	const char *bytes = state->object ? object_bytes(state->object, &len) : "";
	if (!copy_part(state->head.data, state->head.len, &before, state, out, max, put) ||
	    !copy_part(bytes, len, &before, state, out, max, put) ||
	    !copy_part(state->tail, strlen(state->tail), &before, state, out, max, put))
		return false;
	object_unref(TAKE(state->object));
	state->tail = NULL;
	return true;
}

static bool next_event(struct watch_state *state)
{
	struct watch_event event;
	if (state->ended || !state->watch || !watch_next(state->watch, &event))
		return false;
	if (event.type == WATCH_CLOSED)
		state->ended = true;
	if (event.type == WATCH_CLOSED && event.err.kind == ERR_NONE)
		return false;
	put_event(state, &event);
	return true;
}

static ssize_t watch_read(char *out, size_t max, void *arg)
{
	struct watch_state *state = arg;
	size_t put = 0;
	while (put < max && (state->tail || next_event(state)))
		if (!copy_event(state, out, max, &put))
			break;
	if (put)
		return (ssize_t)put;
	return state->ended || state->timed_out ? -1 : 0;
}

/* A version that is gone is told in the stream, as Kubernetes' watch cache does: clients look for it there.
 */
static enum step_result watch_reply(struct request *r)
{
	struct watch_state *state = r->state;
	enum err_kind kind = r->command.err.kind;
	if (kind != ERR_NONE) {
		if (kind != ERR_EXPIRED && kind != ERR_GONE)
			return request_fail_command(r);
		struct watch_event event = { .type = WATCH_CLOSED, .err = r->command.err };
		r->command.err = ERR_INIT;
		put_event(state, &event);
		r->err = ERR_INIT;
		state->ended = true;
	}
	return respond_stream(r, "application/json", watch_read, NULL, state);
}

const struct request_step watch_steps[] = { { "submit", watch_submit },
					    { "reply", watch_reply },
					    { NULL, NULL } };
