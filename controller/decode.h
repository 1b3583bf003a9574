/* Decoders from JSON to the cache's structs: one per kind, in a table that cache.c reads.
 */
#pragma once

#include "controller/cache.h"

struct cache_kind {
	const char *group, *plural;
	size_t size;
	const char *const *wants; /* as in informer_type, with what meta_decode looks at; NULL: all */
	void (*decode)(void *object, const struct json_object *obj); /* after the metadata */
	void (*close)(void *object);                                 /* before the metadata */
};

/* The row of RESOURCE; kinds without one are held as bare `struct meta`. */
const struct cache_kind *cache_kind_of(const struct resource *resource);
void meta_decode(struct meta *meta, const struct json_object *obj);
void meta_close(struct meta *meta);
