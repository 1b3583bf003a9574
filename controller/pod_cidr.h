/* Each node's range of pod addresses: a /24 of the cluster's, no two nodes the same, free again when the node
 * goes.
 */
#pragma once

#include <stdint.h>

#include "controller/cache.h"
#include "lib/event_recorder.h"

/* The ranges of a cluster and who holds them. Two nodes may hold one range when a user wrote it in both: it
 * is free when both let go. */
struct cidr_pool {
	uint32_t base;     /* host order */
	uint32_t n;        /* ranges in it */
	uint32_t next;     /* where the search goes on: a range just freed is used again last */
	uint16_t *holders; /* per range */
};

/* "10.244.0.0/16": IPv4, /8 to /24. ERR_BAD_REQUEST says what is wrong with it. */
int pod_cidr_check(const char *cidr, struct err *err);
/* CIDR has been checked. */
void cidr_pool_init(struct cidr_pool *pool, const char *cidr);
void cidr_pool_close(struct cidr_pool *pool);
/* A free range, now held; -1 when there is none. */
int64_t cidr_pool_take(struct cidr_pool *pool);
/* The range that CIDR lies in, now held; -1 when that is not of the pool. */
int64_t cidr_pool_hold(struct cidr_pool *pool, const char *cidr);
void cidr_pool_release(struct cidr_pool *pool, int64_t range);
/* "10.244.3.0/24" in BUF of 20 bytes. */
const char *cidr_pool_format(const struct cidr_pool *pool, int64_t range, char *buf);

struct pod_cidrs;
struct pod_cidrs *pod_cidrs_new(struct loop *loop, struct api_client *client, struct cache *cache,
				const char *cluster_cidr);
void pod_cidrs_synced(struct pod_cidrs *cidrs);
void pod_cidrs_free(struct pod_cidrs *cidrs);
