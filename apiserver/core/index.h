/* Objects in the order of their keys: "namespace/name", so that a namespace is a range. A row of leaves, each
 * a short sorted array: the row is what a B-tree of two levels has at its top, and for the sizes at hand (a
 * million objects are some 15,000 leaves) needs no third. An object costs about 12 bytes here.
 *
 * The index holds a reference to each of its objects.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apiserver/core/object.h"

struct index_leaf {
	struct object **items;
	uint32_t n, cap;
};

struct index {
	struct index_leaf *leaves; /* none is empty */
	size_t n_leaves, cap;
	size_t count;
};

#define INDEX_INIT ((struct index){ 0 })

void index_close(struct index *index);
/* Borrowed, or NULL. */
struct object *index_get(const struct index *index, const char *key);
/* Puts OBJECT (reference taken); what had its key before is handed to the caller, or NULL. */
struct object *index_put(struct index *index, struct object *object);
/* Takes the object of KEY out and hands its reference to the caller, or NULL. */
struct object *index_remove(struct index *index, const char *key);

/* A place in the order. Any change of the index makes it stale. */
struct index_cursor {
	size_t leaf, item;
};

/* The first object whose key is at least KEY ("": the first of all), or, with AFTER, greater than it. */
struct index_cursor index_seek(const struct index *index, const char *key, bool after);
/* The object at the cursor, which moves on; NULL at the end. Borrowed. */
struct object *index_next(const struct index *index, struct index_cursor *cursor);
