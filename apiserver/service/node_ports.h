/* The node ports of a Service, that of its health checks included. */
#pragma once

#include "api/field_error.h"
#include "apiserver/service/allocator.h"

struct service_ports {
	struct service_allocator *allocator;
	bool dry_run;
	uint32_t dry_next; /* of a dry run: where the next is looked for; 0: at the first */
	uint32_t *held; /* for the caller to drop and free, whatever came of it; of a dry run: noted only */
	size_t n_held;
};

/* Between begin and end of the allocator: SPEC gets what it asks for or lacks, beyond what OLD_SPEC (NULL: it
 * is new) has. On failure ERRORS say what cannot be given, or are empty: there is none left. */
int node_ports_allocate(struct service_ports *ports, struct json_object *spec,
			const struct json_object *old_spec, struct field_errors *errors);
