/* What is made of a piece of JSON, shared by all objects in which the same text stands: the pods of a
 * template have their owner and tolerations in common.
 *
 *     struct owners { struct interned interned; ... };
 *     static struct interned_kind owners_kind = { sizeof(struct owners), make_owners, close_owners };
 */
#pragma once

#include "lib/json_find.h"
#include "lib/map.h"

struct interned_kind {
	size_t size; /* of the struct, which begins with struct interned; it comes zeroed */
	void (*make)(void *value, struct json_span text);
	void (*close)(void *value);
	struct map by_text;
	struct interned *last; /* often the next object has the same again */
};

struct interned {
	struct interned_kind *kind;
	char *text;
	size_t len;
	unsigned refs;
};

/* A reference to the value of TEXT; NULL when there is no text. */
void *interned_get(struct interned_kind *kind, struct json_span text);
void interned_put(void *value); /* NULL is fine */
