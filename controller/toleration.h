/* How long a pod stays on a node with NoExecute taints: pure.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
#pragma once

#include "controller/cache.h"

struct no_execute_taint {
	char *key, *value;
};

struct no_execute_taints {
	struct no_execute_taint *list;
	size_t n;
};

/* The NoExecute ones of a node's taints (text of spec.taints, or NULL). */
void no_execute_parse(const char *taints_json, struct no_execute_taints *ret);
void no_execute_close(struct no_execute_taints *taints);
bool no_execute_equal(const struct no_execute_taints *a, const struct no_execute_taints *b);

#define TOLERATED_FOR_EVER (-1)
/* Milliseconds from when the pod met the taints: 0 when one is not tolerated, else the least of the
 * tolerations that match. */
int64_t toleration_ms(const struct no_execute_taints *taints, const struct pod_toleration *tolerations,
		      size_t n_tolerations);
