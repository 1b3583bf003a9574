/* metadata.managedFields of what a request writes: r->managed, with r->has_managed set, is what the new state
 * gets instead of what the stored one has.
 */
#pragma once

#include "api/managed_fields.h"
#include "apiserver/edge/request.h"
#include "lib/timefmt.h"

/* Who sends R: its fieldManager, or what its User-Agent begins with; of NOW (kept by the caller). */
struct managed_writer managed_writer(struct request *r, char now[static TIMEFMT_SIZE]);
/* r->obj has its defaults, and nothing else has been done to it: what of it differs from r->old (NULL: all of
 * it) is now R's sender's. Does nothing when r->managed is there already. */
void managed_write(struct request *r);
/* The same for r->obj, of which only the field at PATH was changed, through a view. */
void managed_write_path(struct request *r, const char *path);
/* r->old with its managedFields, for who wants to change them. The caller's. */
struct json_object *managed_document(const struct request *r);
/* False when r->managed says something else than r->current does, times aside. */
bool managed_unchanged(const struct request *r);
/* The object of r->obj with its managedFields. */
struct object *managed_object(struct request *r);
/* Of an answer that is made of r->obj and stored nowhere: its METADATA get the managedFields. */
void managed_show(struct request *r, struct json_object *metadata);
/* The managedFields, appended to RET, of OBJ that the server itself writes in CURRENT's place (NULL: a new
 * one), through SUBRESOURCE ("" or "status"). OBJ has its defaults, and nothing else has been done to it. */
void managed_own(const struct resource *resource, const struct object *current, const char *subresource,
		 struct json_object *obj, struct buf *ret);
