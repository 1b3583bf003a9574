/* Label sets, interned by content: a thousand pods of one template share one.
 */
#pragma once

#include "lib/json_find.h"
#include "lib/selector.h"

struct labels;

/* Of a JSON object of strings (NULL: the empty set). Reference for the caller. */
struct labels *labels_intern(const struct json_object *obj);
/* The same of its text; that of a set that is known by this text is not parsed again. */
struct labels *labels_intern_text(struct json_span text);
struct labels *labels_ref(struct labels *labels);
void labels_unref(struct labels *labels); /* NULL is fine */
void labels_unrefp(struct labels **labels);
const char *labels_get(const void *set, const char *key); /* selector_lookup_fn */
bool labels_match(const struct labels *labels, const struct selector *selector);
