/* The metadata of any object, decoded from where it stands in the object's text.
 */
#pragma once

#include "controller/cache.h"
#include "lib/json_find.h"

/* What meta_decode looks at: the first of a kind's paths. */
#define META_PATHS                                                                                           \
	"metadata.labels", "metadata.ownerReferences", "metadata.finalizers", "metadata.creationTimestamp",  \
	    "metadata.generation", "metadata.deletionTimestamp"
enum meta_path {
	META_LABELS,
	META_OWNERS,
	META_FINALIZERS,
	META_CREATED,
	META_GENERATION,
	META_DELETED,
	BEYOND_META
};

/* Fills META, whose item is set, from what META_PATHS found. */
void meta_decode(struct meta *meta, const struct json_span *found);
void meta_close(struct meta *meta);
/* Microseconds since 1970; 0 when it is no time. */
int64_t meta_time(struct json_span span);
