/* From what a client sent to what may be stored: metadata that is the server's, defaults, the kind's own
 * preparation, validation, and between them the cluster's policies (admission/). The order is Kubernetes'
 * (registry/rest BeforeCreate, BeforeUpdate).
 */
#pragma once

#include "apiserver/edge/request.h"

/* A step: the body, decoded, into r->obj. */
enum step_result admit_decode(struct request *r);
/* A step: r->obj is complete, admitted and valid to be created; r->name is set. */
enum step_result admit_create(struct request *r);
/* A step: r->obj is complete and valid to replace r->old, by the route's subresource or whole. */
enum step_result admit_update(struct request *r);
/* Fails as Conflict: the client means the object of uid GIVEN, and what is there has STORED ("": nothing is).
 */
enum step_result admit_wrong_uid(struct request *r, const char *given, const char *stored);
/* TEXT goes along with the answer as a Warning. */
void admit_warn(struct request *r, const char *text);
/* A name of r->generated for BASE: cut to fit, five characters of chance behind it. */
void admit_generate_name(struct request *r, const char *base);
/* True when the update leaves nothing that holds an object that is being deleted: it is to be removed. */
bool admit_releases(const struct resource *resource, const struct json_object *obj,
		    const struct json_object *old);
