#include "apiserver/core/watch_hub.h"

#include <stdlib.h>
#include <string.h>

#include "api/resource_set.h"
#include "apiserver/core/filter.h"

#define NODE_FIELD "spec.nodeName"

struct watch_bucket {
	struct watch *first;
	char key[];
};

void watch_hub_init(struct watch_hub *hub, size_t max_bytes)
{
	*hub = (struct watch_hub){ .max_bytes = max_bytes };
}

static struct watch_set *set_at(const struct watch_hub *hub, size_t i)
{
	return i < hub->n_sets ? hub->sets[i] : NULL;
}

static struct watch_set *set_for(struct watch_hub *hub, const struct resource *resource)
{
	unsigned index = resource->stored->index;
	size_t n = index + 1;

	if (n > hub->n_sets) {
		hub->sets = mem_realloc_array(hub->sets, n, sizeof(struct watch_set *));
		memset(hub->sets + hub->n_sets, 0, (n - hub->n_sets) * sizeof(struct watch_set *));
		hub->n_sets = n;
	}
	if (!hub->sets[index])
		hub->sets[index] = mem_zalloc(sizeof(struct watch_set));
	return hub->sets[index];
}

void watch_hub_close(struct watch_hub *hub)
{
	for (size_t i = 0; i < hub->n_sets; i++) {
		for (size_t place = 0; hub->sets[i] && place < WATCH_PLACE_ANY; place++)
			map_close(&hub->sets[i]->buckets[place]);
		free(hub->sets[i]);
	}
	free(hub->sets);
	*hub = (struct watch_hub){ 0 };
}

/* --- places --- */

/* The narrowest place for FILTER and its key there. *RET_OWNED is the key when it had to be made. */
static enum watch_place place_of(const struct core_filter *filter, const struct resource *resource,
				 const char **ret_key, char **ret_owned)
{
	const char *node = filter->fields ? selector_exact(filter->fields, NODE_FIELD) : NULL;

	if (filter->name && filter->namespace_ && resource->namespaced) {
		*ret_owned = mem_printf("%s/%s", filter->namespace_, filter->name);
		*ret_key = *ret_owned;
		return WATCH_PLACE_KEY;
	}
	if (filter->name) {
		*ret_key = filter->name;
		return WATCH_PLACE_NAME;
	}
	if (node) {
		*ret_key = node;
		return WATCH_PLACE_NODE;
	}
	*ret_key = filter->namespace_;
	return filter->namespace_ ? WATCH_PLACE_NAMESPACE : WATCH_PLACE_ANY;
}

static const char *key_in(enum watch_place place, const struct object *object)
{
	switch (place) {
	case WATCH_PLACE_KEY:
		return object_key(object);
	case WATCH_PLACE_NAME:
		return object_name(object);
	case WATCH_PLACE_NODE:
		return object_field(object, NODE_FIELD);
	default:
		return object_namespace(object);
	}
}

static void link_watch(struct watch **first, struct watch *watch)
{
	watch->next = *first;
	watch->link = first;
	if (watch->next)
		watch->next->link = &watch->next;
	*first = watch;
}

static struct watch_bucket *bucket_for(struct map *buckets, const char *key)
{
	struct watch_bucket *bucket = map_get(buckets, key);

	if (!bucket) {
		bucket = mem_zalloc(sizeof(*bucket) + strlen(key) + 1);
		memcpy(bucket->key, key, strlen(key) + 1);
		map_put(buckets, bucket->key, bucket);
	}
	return bucket;
}

void watch_hub_add(struct watch_hub *hub, struct watch *watch, const struct resource *resource,
		   const struct core_filter *filter, uint64_t after, bool bookmarks)
{
	struct watch_set *set = set_for(hub, resource);
	CLEANUP(mem_freep) char *owned = NULL;
	const char *key;
	enum watch_place place = place_of(filter, resource, &key, &owned);

	filter_copy(&watch->filter, filter);
	watch->resource = resource_ref(resource->stored);
	watch->bookmarks = bookmarks;
	watch->after = after;
	hub->n_bookmarks += bookmarks;
	hub->count++;
	hub->owed++;
	if (place == WATCH_PLACE_ANY)
		link_watch(&set->any, watch);
	else
		link_watch(&bucket_for(&set->buckets[place], key)->first, watch);
	atomic_store(&watch->state, WATCH_STATE_ATTACHED);
}

static void unlink_watch(struct watch_hub *hub, struct watch *watch)
{
	CLEANUP(mem_freep) char *owned = NULL;
	const char *key;
	enum watch_place place;

	if (!watch->link)
		return;
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	watch->link = NULL;
	hub->n_bookmarks -= watch->bookmarks;
	hub->count--;
	place = place_of(&watch->filter, watch->resource, &key, &owned);
	if (place == WATCH_PLACE_ANY)
		return;

	struct map *buckets = &set_at(hub, watch->resource->index)->buckets[place];
	struct watch_bucket *bucket = map_get(buckets, key);

	if (!bucket->first) {
		map_remove(buckets, key);
		free(bucket);
	}
}

void watch_hub_remove(struct watch_hub *hub, struct watch *watch)
{
	unlink_watch(hub, watch);
	hub->owed--;
	watch_free(watch);
}

/* --- events --- */

static void send(struct watch_hub *hub, struct watch *watch, enum watch_event_type type,
		 struct object *object, uint64_t revision, bool counted)
{
	if (!watch->unpublished) {
		watch->next_dirty = hub->dirty;
		hub->dirty = watch;
	}
	watch_push(watch, type, object, revision, counted);
}

void watch_hub_send(struct watch_hub *hub, struct watch *watch, enum watch_event_type type,
		    struct object *object, uint64_t revision)
{
	send(hub, watch, type, object, revision, false);
}

/* *LEFT is the previous state under the change's revision, made when the first watch needs it and shared by
 * all. */
static void offer(struct watch_hub *hub, struct watch *watch, const struct watch_change *change,
		  struct object **left, bool counted)
{
	uint64_t revision = object_revision(change->object);
	bool wanted = revision > watch->after;
	bool was = wanted && change->previous && filter_matches(&watch->filter, change->previous);
	bool is = wanted && !change->deleted && filter_matches(&watch->filter, change->object);

	if (is) {
		send(hub, watch, was ? WATCH_MODIFIED : WATCH_ADDED, change->object, revision, counted);
	} else if (was && change->deleted) {
		send(hub, watch, WATCH_DELETED, change->object, revision, counted);
	} else if (was) {
		if (!*left)
			*left = object_copy_at(change->previous, revision);
		send(hub, watch, WATCH_DELETED, *left, revision, counted);
	}
}

static void offer_bucket(struct watch_hub *hub, const struct map *buckets, const char *key,
			 const struct watch_change *change, struct object **left)
{
	const struct watch_bucket *bucket = map_get(buckets, key);

	for (struct watch *watch = bucket ? bucket->first : NULL; watch; watch = watch->next)
		offer(hub, watch, change, left, true);
}

void watch_hub_publish(struct watch_hub *hub, const struct resource *resource,
		       const struct watch_change *change)
{
	struct watch_set *set = set_at(hub, resource->stored->index);
	CLEANUP(object_unrefp) struct object *left = NULL;

	if (!set)
		return;
	for (enum watch_place place = 0; place < WATCH_PLACE_ANY; place++) {
		const char *key, *old;

		if (!set->buckets[place].count)
			continue;
		key = key_in(place, change->object);
		old = change->previous ? key_in(place, change->previous) : NULL;
		if (key)
			offer_bucket(hub, &set->buckets[place], key, change, &left);
		if (old && (!key || strcmp(old, key) != 0))
			offer_bucket(hub, &set->buckets[place], old, change, &left);
	}
	for (struct watch *watch = set->any; watch; watch = watch->next)
		offer(hub, watch, change, &left, true);
}

void watch_hub_replay(struct watch_hub *hub, struct watch *watch, const struct watch_change *change)
{
	CLEANUP(object_unrefp) struct object *left = NULL;

	offer(hub, watch, change, &left, false);
}

static void end(struct watch_hub *hub, struct watch *watch, enum err_kind kind, const char *message)
{
	unlink_watch(hub, watch);
	if (watch_end(watch, kind, message))
		hub->owed--;
}

void watch_hub_flush(struct watch_hub *hub)
{
	while (hub->dirty) {
		struct watch *watch = hub->dirty;

		hub->dirty = watch->next_dirty;
		if (atomic_load_explicit(&watch->bytes, memory_order_relaxed) > hub->max_bytes) {
			CLEANUP(mem_freep)
			char *message =
			    mem_printf("the watch was closed: more than %zu bytes unread", hub->max_bytes);

			end(hub, watch, ERR_TOO_MANY_REQUESTS, message);
		} else {
			watch_flush(watch);
		}
	}
}

/* --- all of them --- */

static void each_of_list(struct watch_hub *hub, struct watch *first,
			 void (*fn)(struct watch_hub *hub, struct watch *watch, uint64_t revision),
			 uint64_t revision)
{
	for (struct watch *watch = first, *next; watch; watch = next) {
		next = watch->next;
		fn(hub, watch, revision);
	}
}

/* FN may end the watch it is called for. */
static void each_of_set(struct watch_hub *hub, const struct watch_set *set,
			void (*fn)(struct watch_hub *hub, struct watch *watch, uint64_t revision),
			uint64_t revision)
{
	if (!set)
		return;
	for (size_t place = 0; place < WATCH_PLACE_ANY; place++) {
		void *bucket;

		for (size_t slot = 0; map_next(&set->buckets[place], &slot, NULL, &bucket);)
			each_of_list(hub, ((struct watch_bucket *)bucket)->first, fn, revision);
	}
	each_of_list(hub, set->any, fn, revision);
}

static void each(struct watch_hub *hub,
		 void (*fn)(struct watch_hub *hub, struct watch *watch, uint64_t revision), uint64_t revision)
{
	for (size_t i = 0; i < hub->n_sets; i++)
		each_of_set(hub, hub->sets[i], fn, revision);
}

static void send_bookmark(struct watch_hub *hub, struct watch *watch, uint64_t revision)
{
	if (watch->bookmarks && revision >= watch->after &&
	    !atomic_load_explicit(&watch->ready, memory_order_relaxed))
		send(hub, watch, WATCH_BOOKMARK, NULL, revision, false);
}

void watch_hub_bookmark(struct watch_hub *hub, uint64_t revision)
{
	each(hub, send_bookmark, revision);
	watch_hub_flush(hub);
}

static void end_in_order(struct watch_hub *hub, struct watch *watch, uint64_t revision)
{
	(void)revision;
	end(hub, watch, ERR_NONE, NULL);
}

void watch_hub_end_all(struct watch_hub *hub)
{
	watch_hub_flush(hub);
	each(hub, end_in_order, 0);
}

void watch_hub_end(struct watch_hub *hub, const struct resource *resource)
{
	watch_hub_flush(hub);
	each_of_set(hub, set_at(hub, resource->stored->index), end_in_order, 0);
}
