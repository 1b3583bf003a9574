/* Two informers of lib, as every program of knarr has them: over all kills, each must come to hold exactly
 * what the server has, and never go back.
 */
#pragma once

#include "tests/crash/run.h"

struct caches;
/* Starts them. CHANGED is called from the loop whenever one has changed. */
struct caches *caches_new(struct run *run, void (*changed)(void *arg), void *arg);
void caches_free(struct caches *caches); /* NULL is fine */
/* Whether they hold the N ITEMS, all objects of both resources, and nothing else. */
bool caches_hold(const struct caches *caches, const struct item *items, size_t n);
