/* Conditions of a namespace that is being emptied: what remains in it, and why. Pure functions.
 */
#pragma once

#include "api/resource.h"
#include "lib/json.h"

/* What a look at the namespace's content found. */
struct namespace_content {
	struct json_object *remaining;  /* "pods." -> number of objects */
	struct json_object *finalizers; /* finalizer -> number of objects that have it */
	struct buf failures;            /* messages, joined by ", " */
};

void namespace_content_init(struct namespace_content *content);
void namespace_content_close(struct namespace_content *content);
/* LIST is one page of RESOURCE's objects with remainingItemCount. */
void namespace_content_add(struct namespace_content *content, const struct resource *resource,
			   const struct json_object *list);
void namespace_content_fail(struct namespace_content *content, const char *message);
bool namespace_content_empty(const struct namespace_content *content);
/* Brings NAMESPACE's status.conditions in line; true when anything changed. */
bool namespace_conditions(struct json_object *namespace_, const struct namespace_content *content,
			  int64_t now_us);
