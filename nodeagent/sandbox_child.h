/* The part of a sandbox's making that runs in a forked child, since it enters the new namespaces. */
#pragma once

#include "nodeagent/network.h"
#include "nodeagent/sandbox.h"

/* Makes what is not there yet of the namespaces, shared memory and link. ADDRESS is unused with host_network.
 */
int sandbox_child_make(struct network *network, const struct sandbox_spec *spec, const char *address,
		       struct err *err);
/* Takes all of it down; what is not there is fine. */
int sandbox_child_unmake(struct network *network, const char *pod_dir, const char *pod_uid, struct err *err);
/* Whether the namespace file DIR/ns/NAME holds a namespace. */
bool sandbox_child_holds(const char *pod_dir, const char *name);
