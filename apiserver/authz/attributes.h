/* What is asked when something is to be allowed: who wants to do what to which object or path. The decision
 * is a function of this and of the rules alone.
 */
#pragma once

#include "api/resource.h"
#include "apiserver/authn/identity.h"
#include "lib/buf.h"

struct authz_attributes {
	const struct identity *identity;
	const char *verb; /* "get", "list", ..., "escalate"; of a path: the method in lower case */
	bool is_resource; /* else PATH counts, and nothing below it */
	const char *path; /* "/metrics" */
	const char *group, *version, *resource;
	const char *subresource; /* "" when there is none */
	const char *namespace_;  /* "" for cluster scope; of a Namespace its own name */
	const char *name;        /* "" for collections, but those whose field selector names one object */
	const char *node_name;   /* spec.nodeName as the field selector of a list or watch pins it, or NULL */
	bool explain;            /* what allows it is to be told, not only what does not */
	unsigned verb_bit;       /* enum verb of VERB, 0 for others: attributes_set_verb */
};

void attributes_set_verb(struct authz_attributes *a, const char *verb);
/* User "jane" cannot list resource "pods" in API group "" in the namespace "default" */
void attributes_write_refusal(struct buf *b, const struct authz_attributes *a);
