/* The resources that are served: one row for each in a group-version. Built-in ones come from
 * facts/resources.tsv joined with the rows of kinds/ at start-up and stay; those of CustomResourceDefinitions
 * come and go (resource_set.h). A resource's index is small and dense, for tables by index: that of
 * resource->stored says where its objects are. On disk and on the wire a resource is always named by group
 * and plural.
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

struct custom;          /* custom.h */
struct resource_family; /* resource_set.h */
struct resource_slot;

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

	/* Of custom resources; NULL for built-in ones. Their versions share one index. */
	const struct custom *custom;    /* what the version's schema says */
	const struct resource *holder;  /* the row that its objects in the core belong to: small, unserved */
	struct resource_family *family; /* whose memory it is part of */
	struct resource_slot *slot;     /* who has the index */
	uint64_t since;                 /* objects of older revisions were admitted by another schema */
};

/* All built-in resources, ordered by group, version (newest first) and plural. Same pointers always;
 * thread-safe after the first call (programs call it from main). */
const struct resource *resource_all(size_t *ret_n);
/* The built-in row of INDEX, or NULL: those from 0 on, without a gap. */
const struct resource *resource_at(unsigned index);
/* A built-in one by group, version and plural ("", "v1", "pods"), or NULL. */
const struct resource *resource_find(const char *group, const char *version, const char *plural);
/* By apiVersion and kind ("apps/v1", "Deployment"), or NULL. */
const struct resource *resource_find_kind(const char *api_version, const char *kind);
/* As a user types it: plural, singular, short name or kind, in any case, with ".group" or ".version.group".
 */
const struct resource *resource_find_typed(const char *name);
/* True when NAME, typed so, means RESOURCE. */
bool resource_is_typed(const struct resource *resource, const char *name);
/* The order of rows: by group, version (version_order.h) and plural. */
int resource_compare(const struct resource *a, const struct resource *b);
const struct subresource *resource_subresource(const struct resource *resource, const char *name);
/* True when GROUP/VERSION has any built-in resource. */
bool resource_group_version_known(const char *group, const char *version);
/* "create,get"... bit to name, and back (0: unknown). */
const char *verb_name(enum verb verb);
enum verb verb_parse(const char *name);
