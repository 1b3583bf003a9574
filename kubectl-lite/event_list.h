/* Events as they are shown: in the order of their last time, each with how long ago and how often.
 */
#pragma once

#include "kubectl-lite/objects.h"
#include "lib/buf.h"

struct event_list {
	struct json_object **items;
	size_t n;
	uint64_t revision; /* from which a watch goes on */
};

/* Lists those that FIELDS, a field selector or NULL, selects; NAMESPACE_ NULL: all. Sorted. Events of one
 * time are in the order of their names. */
int event_list_get(const char *namespace_, const char *fields, struct event_list *ret, struct err *err);
void event_list_close(struct event_list *list);
/* "3m", "3m (x5 over 10m)". */
void event_write_age(struct buf *b, const struct json_object *event);
/* Its message without white space at the ends. To be freed. */
char *event_message(const struct json_object *event);
