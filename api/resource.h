/* The resources that are served: one row each, from facts/resources.tsv joined with the rows of kinds/ at
 * start-up. A resource's index is small and dense, the same in one process for its whole life; on disk and on
 * the wire a resource is always named by group and plural.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kind.h"
#include "api/schema.h"

enum verb {
	VERB_CREATE = 1 << 0,
	VERB_DELETE = 1 << 1,
	VERB_DELETECOLLECTION = 1 << 2,
	VERB_GET = 1 << 3,
	VERB_LIST = 1 << 4,
	VERB_PATCH = 1 << 5,
	VERB_UPDATE = 1 << 6,
	VERB_WATCH = 1 << 7,
};

struct subresource {
	const char *name;          /* "status", "scale", "binding", "log" */
	const char *kind;          /* of its body: "Pod", "Scale", "Binding" */
	const char *group_version; /* of that kind: "autoscaling/v1" for Scale */
	unsigned verbs;            /* enum verb */
};

struct resource {
	unsigned index;
	const char *group;         /* "" for core */
	const char *version;       /* "v1" */
	const char *group_version; /* "v1", "apps/v1" */
	const char *plural;        /* "pods" */
	const char *singular;
	const char *kind_name;          /* "Pod" */
	const char *list_kind;          /* "PodList" */
	const char *const *short_names; /* NULL-terminated */
	const char *const *categories;  /* NULL-terminated: "all" */
	bool namespaced;
	unsigned verbs;
	const struct subresource *subresources;
	size_t n_subresources;
	const struct schema_def *def;  /* of the kind */
	const struct kind *kind;       /* its behaviour; never NULL for a served resource */
	const struct resource *stored; /* as what its objects are held: itself, but for views (kind.h) */
	const char *qualified;         /* "pods", "deployments.apps": as errors name it */
};

/* All resources that have a row in kinds/, ordered by group, version, plural. Same pointers always;
 * thread-safe after the first call (programs call it from main). */
const struct resource *resource_all(size_t *ret_n);
const struct resource *resource_at(unsigned index);
/* By group, version and plural ("", "v1", "pods"), or NULL. */
const struct resource *resource_find(const char *group, const char *version, const char *plural);
/* By apiVersion and kind ("apps/v1", "Deployment"), or NULL. */
const struct resource *resource_find_kind(const char *api_version, const char *kind);
/* As a user types it: plural, singular, short name or kind, in any case, with ".group" or ".version.group".
 */
const struct resource *resource_find_typed(const char *name);
const struct subresource *resource_subresource(const struct resource *resource, const char *name);
/* True when GROUP/VERSION has any resource. */
bool resource_group_version_known(const char *group, const char *version);
/* "create,get"... bit to name, and back (0: unknown). */
const char *verb_name(enum verb verb);
enum verb verb_parse(const char *name);
