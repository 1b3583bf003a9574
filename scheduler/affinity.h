/* Where a pod may and would like to run by node labels: nodeSelector and affinity.nodeAffinity.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
 */
#pragma once

#include "lib/json.h"
#include "lib/selector.h"

struct affinity_term {
	struct selector labels;
	struct selector fields; /* metadata.name */
	int64_t weight;         /* of a preferred term */
};

struct affinity {
	struct selector node_selector;
	bool has_required;
	struct affinity_term *required; /* one of them must match */
	size_t n_required;
	struct affinity_term *preferred;
	size_t n_preferred;
};

/* Reads PodSpec; false when a selector cannot be read (the API server would have refused it). */
bool affinity_parse(const struct json_object *pod_spec, struct affinity *ret);
void affinity_close(struct affinity *affinity);
/* NODE_LABELS: metadata.labels. */
bool affinity_matches(const struct affinity *affinity, const struct json_object *node_labels,
		      const char *node_name);
/* Sum of the weights of the preferred terms that match. */
int64_t affinity_preference(const struct affinity *affinity, const struct json_object *node_labels,
			    const char *node_name);
