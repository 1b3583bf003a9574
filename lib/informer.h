/* Informer: list and watch of one resource into a cache of compact structs.
 *
 * Each object's JSON is decoded once by the program's decode function into a struct it declares, whose
 * first member is a struct informer_item; the JSON is not kept. LIST comes in pages of 500 (a page is
 * decoded object by object); then a WATCH from its revision with bookmarks; a broken watch resumes from the
 * last revision seen; 410 lists again and reports the difference (deletes included). Reconnects back off
 * from 50 ms to 5 s with jitter. Everything on the loop. Callbacks may free the informer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/api_client.h"
#include "lib/json_find.h"
#include "lib/map.h"

struct informer_item {
	char *key; /* "namespace/name", or "name" for cluster scope; filled by the informer, owned by it */
	char *uid;
	uint64_t revision; /* resourceVersion */
	unsigned listing;  /* the informer's own */
};

struct informer_type {
	const char *path;  /* "/api/v1/pods" */
	const char *query; /* further query without a leading &, URL-encoded, or NULL:
			      "fieldSelector=spec.nodeName%3Dn1" */
	/* What of an object DECODE looks at, as paths of json_pick ("status.phase"), ended by NULL; no values
	 * are made of the rest. Namespace, name, uid and resourceVersion need not be named. NULL: all but
	 * metadata.managedFields. */
	const char *const *wants;
	size_t item_size; /* of the program's struct; it comes zeroed */
	/* Fills *item from OBJ (borrowed). false: the object is skipped as if it were not there. */
	bool (*decode)(void *item, struct json_object *obj, void *arg);
	/* In its place, for objects that come by the thousands: no value is made of anything. FOUND has where
	 * what WANTS names stands in the object's text, in that order; its paths are those of json_find.
	 * false: it is no JSON, and what is in the cache is listed again. */
	bool (*decode_text)(void *item, const struct json_span *found, void *arg);
	void (*close)(void *item); /* frees what decode allocated inside; the informer frees the struct. May
				      be NULL. */
	void (*added)(void *item, void *arg);
	/* OLD is closed after the call; NEW has taken its place in the cache. */
	void (*updated)(void *old, void *new_, void *arg);
	void (*deleted)(void *item, void *arg); /* closed after the call */
	void (*synced)(void *arg); /* the first list is in the cache; called once. May be NULL. */
};

struct informer;
/* TYPE is kept by pointer. Starts at once. */
struct informer *informer_new(struct loop *loop, struct api_client *client, const struct informer_type *type,
			      void *arg);
void informer_free(struct informer *informer); /* closes all items without calls */
bool informer_synced(const struct informer *informer);
/* The item, or NULL. Valid until its update or deletion is reported. */
void *informer_get(const struct informer *informer, const char *key);
size_t informer_count(const struct informer *informer);
/* for (size_t i = 0; (item = informer_next(inf, &i));) ... in no order. */
void *informer_next(const struct informer *informer, size_t *cursor);
/* The revision up to which the cache is current. */
uint64_t informer_revision(const struct informer *informer);
