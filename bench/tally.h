/* Counts pods or nodes by their state, from a watch, and waits for counts. */
#pragma once

#include "lib/api_client.h"

#define TALLY_ANY SIZE_MAX

struct tally {
	size_t present;
	size_t placed;  /* pods: not being deleted, and on a node whose name does not begin with AVOID */
	size_t ready;   /* pods: condition Ready; nodes: no taints */
	size_t tainted; /* nodes: with a NoExecute taint */
};

struct tally_watch;
/* Both return when the first list is in. QUERY selects, as informer's. AVOID may be NULL. */
struct tally_watch *tally_pods(struct loop *loop, struct api_client *client, const char *query,
			       const char *avoid);
struct tally_watch *tally_nodes(struct loop *loop, struct api_client *client);
void tally_free(struct tally_watch *watch);
/* Runs the loop until the counts are as in WANTED (TALLY_ANY: whatever); returns the time when the event that
 * made them so came, on time_mono_us's clock. */
int64_t tally_until(struct tally_watch *watch, struct tally wanted);
/* The same until COUNT, a member of tally_now(), is at least N. */
int64_t tally_until_least(struct tally_watch *watch, const size_t *count, size_t n);
const struct tally *tally_now(const struct tally_watch *watch);
