/* Amounts of resources: the three that every pod has, and a short list of named ones ("nvidia.com/gpu").
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"

struct named_amount {
	char *name;
	int64_t value;
};

struct resources {
	int64_t milli_cpu;
	int64_t memory;             /* bytes */
	int64_t ephemeral_storage;  /* bytes */
	struct named_amount *named; /* sorted by name */
	size_t n_named;
};

/* More than any machine has. Amounts are cut here, so that sums over a node's pods cannot overflow whatever
 * clients ask. */
#define RESOURCES_MOST ((int64_t)1 << 48)

/* Defaults that scores assume for containers without a request, so that such pods spread too. */
enum { RESOURCES_DEFAULT_MILLI_CPU = 100 };
#define RESOURCES_DEFAULT_MEMORY ((int64_t)200 * 1024 * 1024)

void resources_close(struct resources *r);
/* Adds a map of quantities ({"cpu":"100m",...}), each amount at most RESOURCES_MOST; "pods" is left out. */
void resources_add_json(struct resources *r, const struct json_object *quantities);
void resources_add(struct resources *r, const struct resources *other);
void resources_subtract(struct resources *r, const struct resources *other);
/* Raises each amount to OTHER's. */
void resources_max(struct resources *r, const struct resources *other);
int64_t resources_named(const struct resources *r, const char *name);
/* What a pod asks for: the larger of its containers' sum (with sidecars) and of each init container beside
 * the sidecars started before it, and the overhead. MILLI_CPU and MEMORY scored with defaults go to
 * ret_scored_*.
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
void resources_of_pod(const struct json_object *pod_spec, struct resources *ret,
		      int64_t *ret_scored_milli_cpu, int64_t *ret_scored_memory);
