/* One pod's decision: which node, or why none.
 */
#pragma once

#include "scheduler/plugins.h"

struct decision {
	struct node_account *chosen; /* NULL: fits nowhere */
	unsigned waits_for;          /* enum wake_event bits that can help then */
	struct buf message;          /* why, in Kubernetes' words: "0/3 nodes are available: ..." */
};

/* Looks at all nodes; ties are broken by turn (TURN counts decisions). Caller closes ret->message. */
void cycle_decide(const struct nodes *nodes, const struct pod *pod, uint64_t turn, struct decision *ret);
