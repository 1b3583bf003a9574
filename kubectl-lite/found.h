/* What get asks for, and what it found.
 */
#pragma once

#include "api/resource.h"
#include "lib/err.h"
#include "lib/json.h"

/* One request: a resource in a namespace, perhaps one object. */
struct query {
	const struct resource *resource;
	const char *namespace_; /* NULL: all, or cluster scope */
	const char *name;
};

/* What was found, in one of two shapes: Tables, or objects. */
struct found {
	struct json_object **tables; /* per query and page */
	struct json_object **objects;
	const struct resource **resources;
	const struct query **queries; /* which query a table belongs to */
	size_t n;
	char *revision; /* of the last list */
};

/* Takes TABLE or OBJECT, the other being NULL. Q is borrowed. */
void found_add(struct found *f, struct json_object *table, struct json_object *object, const struct query *q);
/* Adds the items of LIST. */
void found_add_items(struct found *f, struct json_object *list, const struct query *q);
/* Rows and objects in all. */
size_t found_count(const struct found *f);
/* Sorts by the field at PATH: the rows of each Table, or all objects. */
int found_sort(struct found *f, const char *path, struct err *err);
void found_close(struct found *f);
