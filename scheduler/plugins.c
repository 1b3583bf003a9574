#include "scheduler/plugins.h"

#include <stdio.h>

/* --- static filters: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins --- */

static bool node_unschedulable(const struct shape *shape, const struct node_account *account,
			       void (*reason)(const char *text, void *arg), void *arg)
{
	static char key[] = "node.kubernetes.io/unschedulable", value[] = "";
	static const struct taint cordoned = { .key = key, .value = value, .effect = TAINT_NO_SCHEDULE };

	(void)reason;
	(void)arg;
	return !account->node->unschedulable ||
	       taint_tolerated(&cordoned, shape->tolerations, shape->n_tolerations);
}

/* Not-ready and unreachable nodes are kept away by the taints that the node lifecycle controller puts on
 * them. */
static bool taint_toleration(const struct shape *shape, const struct node_account *account,
			     void (*reason)(const char *text, void *arg), void *arg)
{
	const struct node *node = account->node;

	(void)reason;
	(void)arg;
	for (size_t i = 0; i < node->n_taints; i++)
		if (node->taints[i].effect != TAINT_PREFER_NO_SCHEDULE &&
		    !taint_tolerated(&node->taints[i], shape->tolerations, shape->n_tolerations))
			return false;
	return true;
}

static bool node_affinity(const struct shape *shape, const struct node_account *account,
			  void (*reason)(const char *text, void *arg), void *arg)
{
	(void)reason;
	(void)arg;
	return affinity_matches(&shape->affinity, account->node->labels, account->node->name);
}

const struct filter static_filters[] = {
	{ "NodeUnschedulable", "node(s) were unschedulable", WAKE_NODE_CHANGED, false, node_unschedulable },
	{ "TaintToleration", "node(s) had untolerated taint(s)", WAKE_NODE_CHANGED, false, taint_toleration },
	{ "NodeAffinity", "node(s) didn't match Pod's node affinity/selector", WAKE_NODE_CHANGED, false,
	  node_affinity },
};
const size_t n_static_filters = ARRAY_SIZE(static_filters);

/* --- dynamic filters --- */

static bool node_ports(const struct shape *shape, const struct node_account *account,
		       void (*reason)(const char *text, void *arg), void *arg)
{
	(void)reason;
	(void)arg;
	if (shape->n_ports == 0)
		return true;
	for (const struct pod *pod = account->pods; pod; pod = pod->next)
		for (size_t i = 0; pod->shape && i < pod->shape->n_ports; i++)
			for (size_t j = 0; j < shape->n_ports; j++)
				if (host_port_conflicts(&pod->shape->ports[i], &shape->ports[j]))
					return false;
	return true;
}

static bool node_resources_fit(const struct shape *shape, const struct node_account *account,
			       void (*reason)(const char *text, void *arg), void *arg)
{
	const struct resources *asked = &shape->requests, *has = &account->node->allocatable,
			       *used = &account->used;
	bool fits = true;

#define REFUSE(text_)                                                                                        \
	do {                                                                                                 \
		fits = false;                                                                                \
		if (!reason)                                                                                 \
			return false;                                                                        \
		reason(text_, arg);                                                                          \
	} while (0)

	if (account->n_pods + 1 > account->node->max_pods)
		REFUSE("Too many pods");
	if (asked->milli_cpu > 0 && asked->milli_cpu > has->milli_cpu - used->milli_cpu)
		REFUSE("Insufficient cpu");
	if (asked->memory > 0 && asked->memory > has->memory - used->memory)
		REFUSE("Insufficient memory");
	if (asked->ephemeral_storage > 0 &&
	    asked->ephemeral_storage > has->ephemeral_storage - used->ephemeral_storage)
		REFUSE("Insufficient ephemeral-storage");
	for (size_t i = 0; i < asked->n_named; i++) {
		const char *name = asked->named[i].name;
		if (asked->named[i].value > 0 &&
		    asked->named[i].value > resources_named(has, name) - resources_named(used, name)) {
			char text[128];
			snprintf(text, sizeof(text), "Insufficient %s", name);
			REFUSE(text);
		}
	}
#undef REFUSE
	return fits;
}

const struct filter dynamic_filters[] = {
	{ "NodePorts", "node(s) didn't have free ports for the requested pod ports",
	  WAKE_POD_LEFT | WAKE_NODE_CHANGED, true, node_ports },
	{ "NodeResourcesFit", NULL, WAKE_POD_LEFT | WAKE_NODE_CHANGED, true, node_resources_fit },
};
const size_t n_dynamic_filters = ARRAY_SIZE(dynamic_filters);

/* --- scores --- */

enum { SCORE_MAX = 100, FRACTION_ONE = 10000 };

/* Share of USED in HAS, in ten-thousandths, at most one. */
static int64_t fraction(int64_t used, int64_t has)
{
	if (has <= 0 || used >= has)
		return FRACTION_ONE;
	return used * FRACTION_ONE / has; /* cannot overflow: RESOURCES_MOST */
}

static int64_t cpu_fraction(const struct score_input *in)
{
	return fraction(in->account->scored_milli_cpu + in->shape->scored_milli_cpu,
			in->account->node->allocatable.milli_cpu);
}

static int64_t memory_fraction(const struct score_input *in)
{
	return fraction(in->account->scored_memory + in->shape->scored_memory,
			in->account->node->allocatable.memory);
}

/* The emptier the better (NodeResourcesFit, LeastAllocated). */
static int64_t least_allocated(const struct score_input *in)
{
	return (2 * FRACTION_ONE - cpu_fraction(in) - memory_fraction(in)) * SCORE_MAX / (2 * FRACTION_ONE);
}

/* The more alike the shares of cpu and memory the better: the standard deviation of two numbers is half their
 * distance. */
static int64_t balanced_allocation(const struct score_input *in)
{
	int64_t distance = cpu_fraction(in) - memory_fraction(in);

	return SCORE_MAX - (distance < 0 ? -distance : distance) * SCORE_MAX / (2 * FRACTION_ONE);
}

static int64_t taint_preference(const struct score_input *in)
{
	return in->most_prefer_taints
		   ? SCORE_MAX - SCORE_MAX * in->verdict->prefer_taints / in->most_prefer_taints
		   : SCORE_MAX;
}

static bool no_taints(const struct score_input *in)
{
	return !in->most_prefer_taints;
}

static int64_t affinity_score(const struct score_input *in)
{
	return in->most_preference > 0 ? SCORE_MAX * in->verdict->preference / in->most_preference : 0;
}

static bool no_preferences(const struct score_input *in)
{
	return !in->most_preference;
}

/* The fewer pods of the same controller the better. */
static int64_t owner_spread(const struct score_input *in)
{
	return in->most_owner_pods ? SCORE_MAX - (int64_t)SCORE_MAX * in->owner_pods / in->most_owner_pods
				   : SCORE_MAX;
}

static bool no_neighbours(const struct score_input *in)
{
	return !in->most_owner_pods;
}

const struct score scores[] = {
	{ "NodeResourcesFit", 1, true, least_allocated, NULL },
	{ "NodeResourcesBalancedAllocation", 1, true, balanced_allocation, NULL },
	{ "TaintToleration", 3, false, taint_preference, no_taints },
	{ "NodeAffinity", 2, false, affinity_score, no_preferences },
	{ "PodTopologySpread", 2, false, owner_spread, no_neighbours },
};
const size_t n_scores = ARRAY_SIZE(scores);
_Static_assert(ARRAY_SIZE(scores) <= MAX_SCORES, "there is a place for each score");
