/* ServiceCIDRs: each gets a finalizer and is told to be ready. One that is deleted stays, no longer ready,
 * while a Service has an address of it that no other ServiceCIDR has as well.
 *
 *     new ─▶ finalizer, Ready=True      deleted ─▶ addresses left? ─▶ Ready=False, looked at again when one
 * goes └─▶ none ─▶ some seconds later ─▶ finalizer taken away
 *
 * (pkg/controller/servicecidrs; https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/)
 */
#pragma once

#include "controller/cache.h"
#include "lib/json.h"

/* Pure. ALL: items of a list of ServiceCIDRs, CIDR one of them. Everything that CIDR has lies in others. */
bool service_cidr_is_covered(const struct json_object *cidr, const struct json_object *all);
/* ADDRESS lies in CIDR, and in no other one. */
bool service_cidr_alone_has(const struct json_object *cidr, const struct json_object *all,
			    const char *address);

struct service_cidrs;
struct service_cidrs *service_cidrs_new(struct loop *loop, struct api_client *client, struct cache *cache);
/* The cache knows everything: begin. */
void service_cidrs_synced(struct service_cidrs *cidrs);
void service_cidrs_free(struct service_cidrs *cidrs); /* NULL is fine */
