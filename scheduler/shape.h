/* The shape of a pod: everything of its spec that decides where it fits, interned, so that the thousand pods
 * of one template share it, and with it the filters' and scores' answers that do not change with load.
 */
#pragma once

#include "lib/json_find.h"
#include "lib/map.h"
#include "scheduler/affinity.h"
#include "scheduler/resources.h"
#include "scheduler/taint.h"

struct host_port {
	uint16_t port;
	char protocol;    /* 'T', 'U', 'S' */
	char address[46]; /* "" or "0.0.0.0": all */
};

/* What filters and scores said of a node for a shape. Both halves hold while the node's account (node.h) has
 * the same generation: the first until its labels or taints change, the second until a pod comes or goes
 * there. */
struct shape_verdict {
	uint64_t static_generation; /* 0: not asked yet */
	uint64_t load_generation;
	int64_t preference;     /* preferred node affinity's weights */
	int32_t load_score;     /* the weighted scores that depend on the account alone */
	uint16_t prefer_taints; /* PreferNoSchedule taints that are not tolerated */
	uint8_t filter;         /* 0: fits, else 1 + index of the static filter that refused it */
	bool fits;              /* the dynamic filters */
};

struct shapes;

struct shape {
	struct shapes *shapes;
	char *key;  /* canonical JSON it was made from */
	char *seen; /* the text in a pod that it was first made from: the key in by_seen */
	unsigned refs;
	struct resources requests;
	int64_t scored_milli_cpu, scored_memory; /* with defaults for what is not asked */
	struct affinity affinity;
	struct toleration *tolerations;
	size_t n_tolerations;
	struct host_port *ports;
	size_t n_ports;
	struct shape_verdict *verdicts; /* by node slot; NULL: none kept now */
	size_t n_verdicts;
};

/* Shapes whose verdicts are kept: a cluster with a thousand shapes and a thousand nodes must not keep a
 * million. */
enum { SHAPES_JUDGED = 32 };

struct shapes {
	struct map by_key, by_seen;
	struct shape *judged[SHAPES_JUDGED]; /* ring */
	size_t next_judged;
};

/* Where in a pod's text (json_find) stands what its shape is made of. */
#define SHAPE_PATHS                                                                                          \
	"spec.nodeSelector", "spec.affinity.nodeAffinity", "spec.tolerations", "spec.overhead",              \
	    "spec.containers", "spec.initContainers", "spec"
enum shape_path {
	SHAPE_NODE_SELECTOR,
	SHAPE_AFFINITY,
	SHAPE_TOLERATIONS,
	SHAPE_OVERHEAD,
	SHAPE_CONTAINERS,
	SHAPE_INIT_CONTAINERS,
	SHAPE_SPEC,
	BEYOND_SHAPE
};

/* The shape of PodSpec, shared. NULL when it cannot be understood. */
struct shape *shape_intern(struct shapes *shapes, const struct json_object *pod_spec);
/* The same from what SHAPE_PATHS found: a spec is only parsed when nothing like it has been seen. */
struct shape *shape_intern_text(struct shapes *shapes, const struct json_span *found);
void shapes_close(struct shapes *shapes); /* when no shape is left */
void shape_release(struct shape *shape);  /* NULL is fine */
/* The verdicts of node slots 0 to N_SLOTS - 1, until another shape's are asked for. */
struct shape_verdict *shape_verdicts(struct shape *shape, size_t n_slots);
bool host_port_conflicts(const struct host_port *a, const struct host_port *b);
