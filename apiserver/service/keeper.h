/* Keeps right what Services rest on: the Service `kubernetes` and what belongs to it (kubernetes_service.h),
 * and an IPAddress for each address that a Service has, also when somebody has deleted one.
 *
 *     new ─▶ prepare (before anybody asks) ─▶ the server listens ─▶ start ─▶ asleep ─▶ a change ─▶ look ─┐
 *                                                                      ▲                                 │
 *                                                                      └──────── at most each second ◀───┘
 */
#pragma once

#include "apiserver/core/core.h"
#include "apiserver/service/allocator.h"

struct service_keeper;

/* With an allocator of its own. CORE need not run yet. */
struct service_keeper *service_keeper_new(struct core *core, const struct service_networks *networks);
/* Stops what was started. The core must still run. NULL is fine. */
void service_keeper_free(struct service_keeper *keeper);
/* Borrowed. */
struct service_allocator *service_keeper_allocator(struct service_keeper *keeper);

/* The cluster's network, and IPAddresses that an older store lacks: blocks until they are durable. */
int service_keeper_prepare(struct service_keeper *keeper, struct err *err);
/* The Service `kubernetes`, leading to ADDRESS (copied; NULL: nobody reaches us) and PORT, is there when this
 * returns, and kept from then on. */
int service_keeper_start(struct service_keeper *keeper, const char *address, uint16_t port, struct err *err);
