/* What Services get: addresses of the ServiceCIDRs, and ports of the nodes.
 *
 * Nothing is stored but objects: an address is taken when there is an IPAddress of its name, a node port when
 * a Service has it. A follower (core/follow.h) keeps both as bits, so that one by chance is found at once.
 * Two requests that choose the same address are told apart by the core, which creates the IPAddress in the
 * transaction of the Service. For ports there is no such object: a request holds those that it has chosen
 * until its write is answered; since the change is published before that, the next one sees it.
 *
 *     begin ─▶ changes are taken in ─▶ choose, hold ─▶ end ─▶ write ─▶ answer ─▶ drop what was held
 */
#pragma once

#include "apiserver/core/core.h"
#include "apiserver/service/ip_range.h"
#include "apiserver/service/networks.h"

#define SERVICE_CIDR_NAME     "kubernetes" /* of the ServiceCIDR that the flags make */
#define IP_ADDRESS_MANAGED_BY "ipallocator.k8s.io"
#define LABEL_ADDRESS_FAMILY  "ipaddress.kubernetes.io/ip-family"
#define LABEL_ADDRESS_MANAGED "ipaddress.kubernetes.io/managed-by"

struct service_allocator;

/* NETWORKS is copied. Nothing is read from CORE before the first begin: it need not be started yet. */
struct service_allocator *service_allocator_new(struct core *core, const struct service_networks *networks);
void service_allocator_free(struct service_allocator *allocator); /* NULL is fine */
const struct service_networks *service_allocator_networks(const struct service_allocator *allocator);
/* FN is called on the core thread when there may be something for service_allocator_lost. Once, before
 * anything else. */
void service_allocator_on_change(struct service_allocator *allocator, void (*fn)(void *arg), void *arg);

/* Between these two only one thread chooses. ERR_SERVICE_UNAVAILABLE: nothing was begun. */
int service_allocator_begin(struct service_allocator *allocator, struct err *err);
void service_allocator_end(struct service_allocator *allocator);

/* NULL: ADDRESS may be given to a Service; else why not, in Kubernetes' words. */
const char *service_allocator_check_ip(const struct service_allocator *allocator,
				       const struct ip_address *address);
/* False: no network of the family has any left. */
bool service_allocator_next_ip(const struct service_allocator *allocator, bool v6, struct ip_address *ret);
/* The same of a node port. */
const char *service_allocator_check_port(const struct service_allocator *allocator, int64_t port);
/* 0: there is none. */
uint32_t service_allocator_next_port(const struct service_allocator *allocator);
/* PORT, which is free, is about to be given to a Service. */
void service_allocator_hold_port(struct service_allocator *allocator, uint32_t port);

/* It was, or was not; not between begin and end. */
void service_allocator_drop_ports(struct service_allocator *allocator, const uint32_t *ports, size_t n);
/* IPAddresses that somebody deleted while a Service had the address, which stays taken: for (size_t i = 0;
 * (lost = ...(allocator, &i));), each a reference for the caller. Not between begin and end. */
struct object *service_allocator_lost(struct service_allocator *allocator, size_t *cursor);
/* LOST was seen to: if nobody has its address, that is free. */
void service_allocator_forget(struct service_allocator *allocator, const struct object *lost);
