/* Walks the text of a LIST answer without making one value of it: a page of 500 pods is megabytes of text
 * and ten times that as JSON values, but each item alone is small.
 */
#pragma once

#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"

struct list_page {
	uint64_t revision; /* metadata.resourceVersion */
	char *continue_;   /* metadata.continue, or NULL on the last page */
};

void list_page_close(struct list_page *page);
/* Parses the answer TEXT and calls ITEM (which borrows its text; false ends the walk, which is no error) for
 * each member of "items" in order. ERR_PARSE when it is no list; items before the fault have been told. */
int list_page_texts(const char *text, size_t len, bool (*item)(const char *text, size_t len, void *arg),
		    void *arg, struct list_page *ret, struct err *err);
/* The same with a value of each item: what PATHS name of it (json_pick), or with NULL all of it but what is
 * at the path WITHOUT ("metadata.managedFields"; NULL: nothing). */
int list_page_walk(const char *text, size_t len, const char *const *paths, const char *without,
		   bool (*item)(struct json_object *obj, void *arg), void *arg, struct list_page *ret,
		   struct err *err);
