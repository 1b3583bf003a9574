/* Read-modify-write of one object: what PUT, PATCH, scale and binding share.
 *
 *     read: core_get ─▶ (change r->old into r->obj) ─▶ admit ─▶ write: CORE_UPDATE or CORE_DELETE ─▶ answer
 *       ▲                                                            │ conflict, and the client named no
 * version └────────────────────────────────────────────────────────────┘ (5 times)
 */
#pragma once

#include "apiserver/edge/request.h"

/* Steps. */
enum step_result
update_read(struct request *r); /* r->name of the route: r->current and r->old are set; NotFound otherwise */
/* CURRENT, whose reference is taken, as the object that is read. */
void update_take(struct request *r, struct object *current);
enum step_result update_write(struct request *r); /* answers at once when nothing changes */
enum step_result update_reply(struct request *r); /* answers with the object, or goes another round */
/* True when the write was refused for a newer version and another round was begun: return STEP_GOTO then. */
bool update_again(struct request *r);
