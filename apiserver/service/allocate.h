/* The addresses and node ports of a Service: given when it is created, kept on updates, given back when it
 * goes or is changed so that it has no use for them. (registry/core/service/storage/alloc.go; KEP-1880)
 *
 * Each address is an IPAddress object, which is created and removed in the transaction of the Service
 * (companions.h). A dry run is told addresses and ports that stand for those it would get.
 */
#pragma once

#include "apiserver/edge/request.h"
#include "apiserver/service/ip_range.h"

/* A step behind validation and `charge`: r->obj, a Service, has what it needs. */
enum step_result service_allocate(struct request *r);
/* r->old, a Service, is about to be removed: its addresses go along with it (companions.h). */
void service_release(struct request *r);
/* Puts r->allocation away: what was held for it is free, or taken by what was written. */
void service_allocation_drop(struct request *r);
/* The IPAddress that says that ADDRESS is the Service's. */
struct object *service_ip_address(const struct ip_address *address, const char *namespace_, const char *name);
