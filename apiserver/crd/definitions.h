/* The CustomResourceDefinitions of this server and what they make: follows them (core/follow.h) and publishes
 * the rows of those that are established (api/resource_set.h).
 *
 *     a definition is written ─▶ flag ─▶ the next request for /apis asks definitions_catch_up ─▶ rows are
 * there └──▶ the caretaker writes its status, ends watches, empties what goes
 *
 * A definition is served from the first request after the answer to its creation on: whether it is
 * established is worked out here, and its status says so a moment later.
 */
#pragma once

#include "apiserver/core/core.h"

struct definitions;

/* Before the core, whose options it fills: what the store holds of custom resources is loaded by it. */
struct definitions *definitions_new(struct core_opts *core_opts);
/* The core is there; ALARM (or NULL) is called on its thread when a definition changed, until
 * definitions_end. */
void definitions_begin(struct definitions *definitions, struct core *core, void (*alarm)(void *arg),
		       void *arg);
/* Nothing is followed any more, and what was published stays. */
void definitions_end(struct definitions *definitions);
/* What was published is withdrawn. Before or after the core is gone. NULL is fine. */
void definitions_free(struct definitions *definitions);

/* All definitions whose writes were answered count in the registry. Any thread but the core's. */
int definitions_catch_up(struct definitions *definitions, struct err *err);

/* What there is to do for a definition. */
struct definition_task {
	char *name;
	struct json_object *status;    /* what its status must be; NULL: it is that */
	const struct resource *holder; /* of its objects, referenced; NULL: it never had any */
	bool end_watches;              /* it is served otherwise than before */
	bool empty;                    /* it is being deleted: its objects must go */
	uint64_t revision;             /* of the state that this is about */
};

/* All tasks, in an array of the caller's; each is told once, but for those that stay until they are done
 * (status, empty). */
int definitions_tasks(struct definitions *definitions, struct definition_task **ret, size_t *ret_n,
		      struct err *err);
void definition_tasks_free(struct definition_task *tasks, size_t n);
