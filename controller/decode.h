/* Decoders from JSON to the cache's structs: one per kind, in a table that cache.c reads.
 */
#pragma once

#include "controller/cache.h"

struct cache_kind {
	const char *group, *plural;
	size_t size;
	/* As in informer_type: META_PATHS, and behind them what DECODE looks at. */
	const char *const *wants;
	void (*decode)(void *object, const struct json_span *found); /* after the metadata */
	/* In its place, of all but metadata.managedFields; WANTS then ends with "". */
	void (*decode_all)(void *object, const struct json_object *obj);
	void (*close)(void *object); /* before the metadata */
};

/* The row of RESOURCE; kinds without one are held as bare `struct meta`. */
const struct cache_kind *cache_kind_of(const struct resource *resource);
/* For informer_type: OBJECT begins with struct meta, whose item and resource are set. False: no JSON. */
bool cache_decode(const struct cache_kind *kind, void *object, const struct json_span *found);
void cache_close(const struct cache_kind *kind, void *object);
