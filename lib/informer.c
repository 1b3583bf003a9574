#include "lib/informer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json_find.h"
#include "lib/json_skip.h"
#include "lib/list_page.h"
#include "lib/log.h"
#include "lib/mem.h"

/* Who owns which field no program of ours asks; making values of it would take longer than of a small object.
 */
#define NOT_WANTED        "metadata.managedFields"
#define UNREADABLE        "an object in it is no JSON"
#define PAGE_SIZE         500
#define MAX_EVENT_BYTES   ((size_t)8 << 20)
#define BACKOFF_MIN_MS    50
#define BACKOFF_MAX_MS    5000
#define WATCH_SECONDS_MIN 300
#define WATCH_SECONDS_MAX 600
#define WATCH_SHORT_MS    1000 /* a watch that ended sooner and brought nothing counts as failed */

/*
 *              page                        event
 *              ┌──┐                        ┌──┐
 *              │  ▼      last page         │  ▼
 *   new ───▶ LISTING ─────────────────▶ WATCHING
 *             ▲    │ failed               │    ▲
 *       timer │    ▼      410, ...        │    │ timer
 *          WAIT_LIST ◀────────────────────┤    │
 *                             ended       ▼    │
 *                                       WAIT_WATCH
 */
enum informer_state { LISTING, WATCHING, WAIT_LIST, WAIT_WATCH };

struct informer {
	struct loop *loop;
	struct api_client *client;
	const struct informer_type *type;
	void *arg;
	enum informer_state state;
	struct http_call *call;                    /* the page or the watch under way */
	struct loop_timer timer;                   /* of the WAIT states */
	struct map items;                          /* key -> struct informer_item */
	char **item_paths;                         /* what is wanted of an object; NULL: all */
	char **event_paths;                        /* and of an event, which has one in it */
	struct json_paths *find_item, *find_event; /* the same paths, with decode_text */
	struct json_span *found;                   /* of one event */
	struct buf line;                           /* the unfinished event of the watch */
	uint64_t revision;                         /* current up to here */
	unsigned listing;                          /* number of the list; items that it saw carry it */
	char *continue_;                           /* of the page under way */
	unsigned failures;                         /* in a row */
	int64_t watch_began_ms;
	bool watch_heard; /* an event has come on this watch */
	bool relist;      /* the watch ends itself for it */
	bool synced;
	unsigned busy; /* depth of own callbacks */
	bool freed;    /* by the program, from one of its callbacks */
};

static void destroy(struct informer *inf);
static void list_page(struct informer *inf);
static void watch(struct informer *inf);

/* --- what is wanted --- */

static char **add_paths(char **paths, size_t *n, const char *prefix, const char *const *more)
{
	for (; *more; more++) {
		paths = mem_realloc_array(paths, *n + 2, sizeof(*paths));
		paths[(*n)++] = mem_printf("%s%s", prefix, *more);
		paths[*n] = NULL;
	}
	return paths;
}

/* What they begin with, before what the program wants: an object, and in an event type, code and message of
 * an ERROR's Status, then an object. */
static const char *const of_object[] = { "metadata.namespace", "metadata.name", "metadata.uid",
					 "metadata.resourceVersion", NULL };
static const char *const of_event[] = { "type", "object.code", "object.message", NULL };
enum { NAMESPACE, NAME, UID, REVISION, WANTED };
enum { EVENT_TYPE, EVENT_CODE, EVENT_MESSAGE, EVENT_OBJECT };

static void choose_paths(struct informer *inf)
{
	size_t n_item = 0, n_event = 0;

	if (!inf->type->wants)
		return;
	inf->item_paths = add_paths(NULL, &n_item, "", of_object);
	inf->item_paths = add_paths(inf->item_paths, &n_item, "", inf->type->wants);
	inf->event_paths = add_paths(NULL, &n_event, "", of_event);
	inf->event_paths =
	    add_paths(inf->event_paths, &n_event, "object.", (const char *const *)inf->item_paths);
	if (!inf->type->decode_text)
		return;
	inf->find_item = json_paths_new((const char *const *)inf->item_paths);
	inf->find_event = json_paths_new((const char *const *)inf->event_paths);
	inf->found = mem_zalloc(n_event * sizeof(*inf->found));
}

static void free_paths(char **paths)
{
	for (char **path = paths; path && *path; path++)
		free(*path);
	free(paths);
}

static void enter(struct informer *inf)
{
	inf->busy++;
}

/* The informer may be gone after it. */
static void leave(struct informer *inf)
{
	if (--inf->busy == 0 && inf->freed)
		destroy(inf);
}

/* --- the cache --- */

static void item_free(const struct informer *inf, struct informer_item *item)
{
	if (inf->type->close)
		inf->type->close(item);
	free(item->key);
	free(item->uid);
	free(item);
}

/* An object as it stands on the server: who it is, and what its item is made from, a value or what was found
 * of its text. */
struct sight {
	struct json_span namespace_, name, uid; /* without quotes; "" when there is none */
	uint64_t revision;
	struct json_object *obj;
	const struct json_span *wanted;
};

static struct json_span text_span(const char *text)
{
	return (struct json_span){ text, strlen(text) };
}

static struct sight sight_of_value(struct json_object *obj)
{
	const struct json_object *metadata = json_get(obj, "metadata");

	return (struct sight){ .namespace_ = text_span(json_str_or_empty(metadata, "namespace")),
			       .name = text_span(json_str_or_empty(metadata, "name")),
			       .uid = text_span(json_str_or_empty(metadata, "uid")),
			       .revision = strtoull(json_str_or_empty(metadata, "resourceVersion"), NULL, 10),
			       .obj = obj };
}

static struct json_span plain_or_empty(struct json_span span)
{
	struct json_span plain = json_span_plain(span);

	return plain.p ? plain : text_span("");
}

/* FOUND as find_item orders it. */
static struct sight sight_of_text(const struct json_span *found)
{
	return (struct sight){ .namespace_ = plain_or_empty(found[NAMESPACE]),
			       .name = plain_or_empty(found[NAME]),
			       .uid = plain_or_empty(found[UID]),
			       .revision = found[REVISION].p ? strtoull(found[REVISION].p + 1, NULL, 10) : 0,
			       .wanted = found + WANTED };
}

/* NULL: it has no name. */
static char *sight_key(const struct sight *sight)
{
	size_t before = sight->namespace_.len ? sight->namespace_.len + 1 : 0;
	char *key;

	if (sight->name.len == 0)
		return NULL;
	key = mem_alloc(before + sight->name.len + 1);
	if (before) {
		memcpy(key, sight->namespace_.p, before - 1);
		key[before - 1] = '/';
	}
	memcpy(key + before, sight->name.p, sight->name.len);
	key[before + sight->name.len] = '\0';
	return key;
}

static struct informer_item *item_new(const struct informer *inf, const struct sight *sight, char *key_taken)
{
	struct informer_item *item = mem_zalloc(inf->type->item_size);

	item->key = key_taken;
	item->uid = mem_dupn(sight->uid.p, sight->uid.len);
	item->revision = sight->revision;
	item->listing = inf->listing;
	if (sight->obj ? inf->type->decode(item, sight->obj, inf->arg)
		       : inf->type->decode_text(item, sight->wanted, inf->arg))
		return item;
	item_free(inf, item);
	return NULL;
}

static void remove_item(struct informer *inf, struct informer_item *item)
{
	map_remove(&inf->items, item->key);
	if (inf->type->deleted)
		inf->type->deleted(item, inf->arg);
	item_free(inf, item);
}

/* Brings the cache to what is seen and tells the program. False: it cannot be read. */
static bool apply(struct informer *inf, const struct sight *sight)
{
	char *key = sight_key(sight);
	struct informer_item *old, *item;

	if (!key)
		return true;
	old = map_get(&inf->items, key);
	if (old && old->revision == sight->revision && strlen(old->uid) == sight->uid.len &&
	    memcmp(old->uid, sight->uid.p, sight->uid.len) == 0) {
		old->listing = inf->listing; /* known already */
		free(key);
		return true;
	}
	item = item_new(inf, sight, key);
	if (!item && !sight->obj)
		return false;
	if (old && (!item || strcmp(old->uid, item->uid) != 0)) {
		/* Another object of that name: the old one's deletion was missed. */
		remove_item(inf, old);
		old = NULL;
	}
	if (!item)
		return true;
	if (inf->freed) {
		item_free(inf, item);
		return true;
	}
	map_put(&inf->items, item->key, item);
	if (!old) {
		if (inf->type->added)
			inf->type->added(item, inf->arg);
		return true;
	}
	if (inf->type->updated)
		inf->type->updated(old, item, inf->arg);
	item_free(inf, old);
	return true;
}

static void remove_unlisted(struct informer *inf)
{
	const char *key;
	void *value;

	for (size_t i = 0; !inf->freed && map_next(&inf->items, &i, &key, &value);) {
		struct informer_item *item = value;

		if (item->listing != inf->listing)
			remove_item(inf, item);
	}
}

/* --- failures --- */

static void wait_due(struct loop_timer *timer, void *arg)
{
	struct informer *inf = arg;

	(void)timer;
	if (inf->state == WAIT_LIST)
		list_page(inf);
	else
		watch(inf);
}

/* Goes on in STATE after the back-off; RETRY_AFTER_S is what the server wishes, or -1. */
static void wait_in(struct informer *inf, enum informer_state state, long retry_after_s)
{
	int64_t delay_ms = BACKOFF_MIN_MS;

	for (unsigned i = 1; i < inf->failures && delay_ms < BACKOFF_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > BACKOFF_MAX_MS)
		delay_ms = BACKOFF_MAX_MS;
	delay_ms = delay_ms / 2 + (int64_t)arc4random_uniform((uint32_t)(delay_ms / 2 + 1));
	if (retry_after_s > 0 && delay_ms < retry_after_s * 1000)
		delay_ms = (retry_after_s < 60 ? retry_after_s : 60) * 1000 + delay_ms;
	inf->state = state;
	loop_timer_arm(&inf->timer, delay_ms);
}

/* Told at the first failure of a row only: a server that is away would fill the log. */
static void failed(struct informer *inf, const char *what, const char *why)
{
	if (inf->failures++ == 0)
		log_warn(what, "path", inf->type->path, "error", why, NULL);
	else
		log_debug(what, "path", inf->type->path, "error", why, NULL);
}

/* Whether a watch refused with CODE cannot be resumed from our revision: it is too old (410), or the server
 * does not know it, being another or an older one than it was (400, 504). What is refused for now (401, 403,
 * 429, 5xx) says nothing of the revision. */
static bool needs_list(int code)
{
	return code == 504 || (code >= 400 && code < 500 && code != 401 && code != 403 && code != 429);
}

/* --- list --- */

static bool list_value(struct json_object *obj, void *arg)
{
	struct informer *inf = arg;
	struct sight sight = sight_of_value(obj);

	apply(inf, &sight);
	return !inf->freed;
}

/* A page's walk. */
struct text_walk {
	struct informer *inf;
	bool failed;
	struct err *err;
};

static bool list_text(const char *text, size_t len, void *arg)
{
	struct text_walk *walk = arg;
	struct informer *inf = walk->inf;

	if (json_find(inf->find_item, text, len, inf->found, walk->err) < 0) {
		walk->failed = true;
		return false;
	}
	struct sight sight = sight_of_text(inf->found);
	walk->failed = !apply(inf, &sight);
	if (walk->failed)
		err_set(walk->err, ERR_PARSE, UNREADABLE);
	return !walk->failed && !inf->freed;
}

static int walk_page(struct informer *inf, const struct api_response *response, struct list_page *page,
		     struct err *err)
{
	struct text_walk walk = { inf, false, err };

	if (!inf->find_item)
		return list_page_walk(response->data, response->len, (const char *const *)inf->item_paths,
				      NOT_WANTED, list_value, inf, page, err);
	if (list_page_texts(response->data, response->len, list_text, &walk, page, err) < 0)
		return -1;
	return walk.failed ? -1 : 0;
}

static void list_failed(struct informer *inf, const char *why, long retry_after_s)
{
	/* From the first page again: the snapshot that the pages come from may be gone. */
	free(TAKE(inf->continue_));
	failed(inf, "list failed", why);
	wait_in(inf, WAIT_LIST, retry_after_s);
}

static void list_complete(struct informer *inf, uint64_t revision)
{
	free(TAKE(inf->continue_));
	remove_unlisted(inf);
	inf->revision = revision;
	if (inf->failures > 0)
		log_info("listed again", "path", inf->type->path, NULL);
	if (!inf->synced && !inf->freed) {
		inf->synced = true;
		if (inf->type->synced)
			inf->type->synced(inf->arg);
	}
	if (!inf->freed)
		watch(inf);
}

static void page_done(const struct api_response *response, void *arg)
{
	CLEANUP(list_page_close) struct list_page page = { 0 };
	struct informer *inf = arg;
	struct err err = ERR_INIT;

	inf->call = NULL;
	enter(inf);
	if (response->err.kind != ERR_NONE) {
		list_failed(inf, response->err.msg, response->retry_after_s);
	} else if (walk_page(inf, response, &page, &err) < 0) {
		if (!inf->freed)
			list_failed(inf, err.msg, -1);
	} else if (!inf->freed && page.continue_) {
		free(inf->continue_);
		inf->continue_ = TAKE(page.continue_);
		list_page(inf);
	} else if (!inf->freed) {
		list_complete(inf, page.revision);
	}
	leave(inf);
}

static void list_page(struct informer *inf)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	inf->state = LISTING;
	if (!inf->continue_)
		inf->listing++;
	buf_printf(&path, "%s?limit=%d", inf->type->path, PAGE_SIZE);
	if (inf->continue_) {
		buf_str(&path, "&continue=");
		buf_url_encode(&path, inf->continue_);
	}
	if (inf->type->query)
		buf_printf(&path, "&%s", inf->type->query);
	inf->call = api_client_call(inf->client, "GET", path.data, NULL, NULL, 0, page_done, inf);
}

/* --- watch --- */

enum event_kind { EVENT_OTHER, EVENT_APPLY, EVENT_DELETED, EVENT_ERROR };

static enum event_kind event_kind(struct json_span type)
{
	if (json_key_is(type, "ADDED") || json_key_is(type, "MODIFIED"))
		return EVENT_APPLY;
	if (json_key_is(type, "DELETED"))
		return EVENT_DELETED;
	return json_key_is(type, "ERROR") ? EVENT_ERROR : EVENT_OTHER;
}

/* An ERROR event: the server ends the watch with a Status. */
static void watch_refused(struct informer *inf, int code, const char *message)
{
	inf->relist = needs_list(code);
	failed(inf, "watch ended", message ? message : "");
}

static bool no_event(struct informer *inf, const char *why)
{
	failed(inf, "watch brought what is no event", why);
	inf->relist = true;
	return false;
}

/* SIGHT as an event of KIND shows it; false ends the watch. */
static bool take_event(struct informer *inf, enum event_kind kind, const struct sight *sight)
{
	if (kind == EVENT_APPLY) {
		if (!apply(inf, sight))
			return no_event(inf, UNREADABLE);
	} else if (kind == EVENT_DELETED) {
		CLEANUP(mem_freep) char *key = sight_key(sight);
		struct informer_item *item = key ? map_get(&inf->items, key) : NULL;

		if (item)
			remove_item(inf, item);
	}
	/* BOOKMARK: only the revision. */
	if (inf->freed)
		return false;
	if (sight->revision > 0)
		inf->revision = sight->revision;
	inf->failures = 0;
	inf->watch_heard = true;
	return true;
}

static bool event_text(struct informer *inf, const char *text, size_t len)
{
	struct err err = ERR_INIT;

	if (json_find(inf->find_event, text, len, inf->found, &err) < 0)
		return no_event(inf, err.msg);
	enum event_kind kind = event_kind(json_span_plain(inf->found[EVENT_TYPE]));
	if (kind == EVENT_ERROR) {
		CLEANUP(mem_freep) char *message = json_span_dup(inf->found[EVENT_MESSAGE]);
		watch_refused(inf, (int)json_span_int(inf->found[EVENT_CODE], 500), message);
		return false;
	}
	struct sight sight = sight_of_text(inf->found + EVENT_OBJECT);
	return take_event(inf, kind, &sight);
}

static bool event_value(struct informer *inf, const char *text, size_t len)
{
	CLEANUP(json_putp) struct json_object *event = NULL;
	struct err err = ERR_INIT;

	if ((inf->event_paths ? json_pick(text, len, (const char *const *)inf->event_paths, &event, &err)
			      : json_parse_without(text, len, "object." NOT_WANTED, &event, &err)) < 0)
		return no_event(inf, err.msg);
	enum event_kind kind = event_kind(text_span(json_str_or_empty(event, "type")));
	struct json_object *obj = json_get(event, "object");
	if (kind == EVENT_ERROR) {
		watch_refused(inf, (int)json_int(obj, "code", 500), json_str_or_empty(obj, "message"));
		return false;
	}
	struct sight sight = sight_of_value(obj);
	return take_event(inf, kind, &sight);
}

/* One event; false ends the watch. */
static bool watch_event(struct informer *inf, const char *text, size_t len)
{
	if (len == 0 || (len == 1 && *text == '\r'))
		return true;
	return inf->find_event ? event_text(inf, text, len) : event_value(inf, text, len);
}

/* Cuts the stream into lines. */
static bool watch_data(const char *data, size_t len, void *arg)
{
	struct informer *inf = arg;
	bool more = true;

	enter(inf);
	while (more && len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t n = newline ? (size_t)(newline - data) : len;

		if (newline && inf->line.len == 0) {
			more = watch_event(inf, data, n); /* whole within this piece: not copied */
		} else {
			buf_add(&inf->line, data, n);
			if (inf->line.failed) {
				failed(inf, "watch brought an event over the limit", "8 MiB");
				inf->relist = true;
				more = false;
			} else if (newline) {
				more = watch_event(inf, inf->line.data, inf->line.len);
				buf_reset(&inf->line);
			}
		}
		n += newline ? 1 : 0;
		data += n;
		len -= n;
	}
	leave(inf);
	return more;
}

static void watch_done(const struct api_response *response, void *arg)
{
	struct informer *inf = arg;
	bool early = loop_now_ms(inf->loop) - inf->watch_began_ms < WATCH_SHORT_MS && !inf->watch_heard;

	inf->call = NULL;
	/* An event that was cut off comes again whole, from the last revision. */
	buf_close(&inf->line);
	if (response->code == 200 && !early && !inf->relist)
		inf->failures = 0;
	if (inf->relist) {
		inf->relist = false;
		wait_in(inf, WAIT_LIST, -1);
		return;
	}
	if (response->err.kind != ERR_NONE && (response->code < 200 || response->code > 299 || early))
		failed(inf, "watch failed", response->err.msg);
	else if (early)
		failed(inf, "watch failed", "it ended at once");
	wait_in(inf, response->err.kind != ERR_NONE && needs_list(response->code) ? WAIT_LIST : WAIT_WATCH,
		response->retry_after_s);
}

static void watch(struct informer *inf)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	inf->state = WATCHING;
	inf->watch_began_ms = loop_now_ms(inf->loop);
	inf->watch_heard = false;
	inf->relist = false;
	inf->line = BUF_INIT_MAX(MAX_EVENT_BYTES);
	buf_printf(&path, "%s?watch=1&allowWatchBookmarks=true&resourceVersion=", inf->type->path);
	buf_uint(&path, inf->revision);
	/* Spread, so that watches that began together do not end together. */
	buf_printf(&path, "&timeoutSeconds=%u",
		   WATCH_SECONDS_MIN + arc4random_uniform(WATCH_SECONDS_MAX - WATCH_SECONDS_MIN + 1));
	if (inf->type->query)
		buf_printf(&path, "&%s", inf->type->query);
	inf->call = api_client_stream(inf->client, path.data, NULL, watch_data, watch_done, inf);
}

/* --- for the program --- */

struct informer *informer_new(struct loop *loop, struct api_client *client, const struct informer_type *type,
			      void *arg)
{
	struct informer *inf = mem_zalloc(sizeof(*inf));

	inf->loop = loop;
	inf->client = client;
	inf->type = type;
	inf->arg = arg;
	loop_timer_init(&inf->timer, loop, wait_due, inf);
	choose_paths(inf);
	list_page(inf);
	return inf;
}

static void destroy(struct informer *inf)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(&inf->items, &i, &key, &value);) {
		map_remove(&inf->items, key);
		item_free(inf, value);
	}
	map_close(&inf->items);
	buf_close(&inf->line);
	free(inf->continue_);
	free_paths(inf->item_paths);
	free_paths(inf->event_paths);
	json_paths_free(inf->find_item);
	json_paths_free(inf->find_event);
	free(inf->found);
	free(inf);
}

void informer_free(struct informer *inf)
{
	if (!inf)
		return;
	if (inf->call)
		http_call_cancel(TAKE(inf->call));
	loop_timer_disarm(&inf->timer);
	inf->freed = true;
	if (inf->busy == 0)
		destroy(inf);
}

bool informer_synced(const struct informer *inf)
{
	return inf->synced;
}

void *informer_get(const struct informer *inf, const char *key)
{
	return map_get(&inf->items, key);
}

size_t informer_count(const struct informer *inf)
{
	return inf->items.count;
}

void *informer_next(const struct informer *inf, size_t *cursor)
{
	const char *key;
	void *value;

	return map_next(&inf->items, cursor, &key, &value) ? value : NULL;
}

uint64_t informer_revision(const struct informer *inf)
{
	return inf->revision;
}
