/* What a request writes along with its object, in the same transaction: all or nothing (core_command.with).
 * When one of them does not fit what is stored any more, the step that made them runs again.
 */
#pragma once

#include "apiserver/edge/request.h"

/* OBJECT is taken; in CURRENT's place, as it was seen. */
void companions_update(struct request *r, const struct object *current, struct object *object);
/* OBJECT is taken. */
void companions_create(struct request *r, struct object *object);
/* That of a cluster-wide RESOURCE and NAME, if it is there. */
void companions_delete(struct request *r, const struct resource *resource, const char *name);
/* What goes when r->old does, which is about to be removed for good. */
void companions_remove(struct request *r);
/* Puts r->companions away. */
void companions_drop(struct request *r);
