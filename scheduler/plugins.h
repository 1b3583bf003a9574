/* The scheduler's filters and scores, as tables: a new one is a new row.
 *
 * Static filters look only at the node's object: their answer is kept per shape and node (shape.h) until the
 * node changes. Dynamic filters look at what runs there; their answer, and that of the scores which depend on
 * nothing else, is kept until a pod comes or goes there. A refusal is a reason that is counted in the
 * FailedScheduling message, in Kubernetes' words.
 */
#pragma once

#include "lib/buf.h"
#include "scheduler/node.h"

/* What can make a refused pod fit. */
enum wake_event {
	WAKE_NODE_CHANGED = 1 << 0, /* a node came or its labels, taints or allocatable changed */
	WAKE_POD_LEFT = 1 << 1,     /* a pod went from a node */
};

struct filter {
	const char *name;   /* Kubernetes' plugin name */
	const char *reason; /* "node(s) had untolerated taint(s)"; NULL: the filter adds its own */
	unsigned wakes;     /* enum wake_event */
	bool resolvable;    /* removing pods could help: what preemption would look at */
	/* true: fits. REASONS of a dynamic filter without a fixed reason gets each of its reasons. */
	bool (*fits)(const struct shape *shape, const struct node_account *account,
		     void (*reason)(const char *text, void *arg), void *arg);
};

extern const struct filter static_filters[];
extern const size_t n_static_filters;
extern const struct filter dynamic_filters[];
extern const size_t n_dynamic_filters;

/* What scores are computed from. MOST_*: the largest among the nodes that fit; only for scores that are not
 * kept. */
struct score_input {
	const struct shape *shape;
	const struct node_account *account;
	const struct shape_verdict *verdict;
	uint32_t owner_pods, most_owner_pods;
	int64_t most_preference;
	int32_t most_prefer_taints;
};

struct score {
	const char *name;
	int64_t weight;
	bool kept; /* depends on shape and account alone: kept in shape_verdict.load_score */
	int64_t (*of)(const struct score_input *input); /* 0 to 100 */
	/* Of one that is not kept: by the MOST_* of INPUT it is the same on all nodes. */
	bool (*alike)(const struct score_input *input);
};

enum { MAX_SCORES = 8 };
extern const struct score scores[];
extern const size_t n_scores;
