/* The specs that a controller may be acting on: from the one its status says was observed to the newest.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"

struct window {
	struct window_spec {
		int64_t generation;
		int64_t most, least; /* replicas allowed, and ready ones owed */
	} specs[16];
	size_t n;
};

/* GENERATION is the newest, with its bounds; those before OBSERVED are over. */
void window_see(struct window *window, int64_t generation, int64_t observed, int64_t most, int64_t least);
/* The same with the bounds of a Deployment's spec: replicas + maxSurge, replicas - maxUnavailable. */
void window_see_deployment(struct window *window, int64_t generation, int64_t observed,
			   const struct json_object *spec);
/* The widest bounds of all. */
int64_t window_most(const struct window *window);
int64_t window_least(const struct window *window);
