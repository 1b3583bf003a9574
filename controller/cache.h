/* What the controllers know: one informer per resource, decoded once into a struct that begins with `struct
 * meta`; kinds that a controller reasons about add their own fields. Whoever registered is told of each
 * change.
 *
 * Pointers to objects are valid until the change that replaces them has been told to everyone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/resource.h"
#include "controller/labels.h"
#include "lib/informer.h"

struct owner_ref {
	char *api_version, *kind, *name, *uid;
	bool controller, block_deletion;
};

/* The metadata of any object. */
struct meta {
	struct informer_item item; /* first: key, uid, revision */
	const struct resource *resource;
	char *namespace_; /* "" for cluster scope */
	const char *name; /* the end of the item's key */
	struct labels *labels;
	const struct owner_ref *owners;
	size_t n_owners;
	void *shared_owners; /* that hold them (interned.h) */
	int64_t created_us;
	int64_t generation;
	bool deleting;                               /* has a deletionTimestamp */
	bool finalizer_foreground, finalizer_orphan; /* foregroundDeletion, orphan */
};

enum pod_phase { PHASE_PENDING, PHASE_RUNNING, PHASE_SUCCEEDED, PHASE_FAILED, PHASE_UNKNOWN };

struct cached_pod {
	struct meta meta;
	char *node_name; /* or NULL */
	enum pod_phase phase;
	bool ready;
	int64_t ready_since_us;
	int64_t restarts;                         /* the most of its containers */
	int64_t deletion_cost;                    /* controller.kubernetes.io/pod-deletion-cost */
	const struct pod_toleration *tolerations; /* those for NoExecute */
	size_t n_tolerations;
	void *shared_tolerations; /* that hold them (interned.h) */
	bool delete_asked;        /* we sent its deletion: it counts as gone (kept across updates) */
	struct cached_pod *next_owned,
	    *prev_owned;          /* of its controller's list, or of the namespace's orphans */
	struct owned_pods *owned; /* whose list that is */
	struct cached_pod *next_on_node, *prev_on_node; /* of its node's list (node_pods.h) */
};

struct pod_toleration {
	char *key, *value; /* key NULL: every key */
	bool exists;
	int64_t seconds; /* -1: for ever */
};

struct cached_replica_set {
	struct meta meta;
	int64_t replicas;
	int64_t min_ready_s;
	struct selector selector;
	char *template_json;    /* spec.template as text, compact */
	uint64_t template_hash; /* template_equal_hash(): without the pod-template-hash label */
	char *revision_text;    /* annotation deployment.kubernetes.io/revision, or NULL */
	char *revision_history; /* annotation ...revision-history, or NULL */
	char *annotations_json; /* what its Deployment copied to it is among them */
	int64_t desired_annotation, max_annotation; /* -1: absent */
	struct {
		int64_t replicas, fully_labeled, ready, available, terminating, observed_generation;
		bool failure; /* condition ReplicaFailure */
	} status;
};

struct cached_deployment {
	struct meta meta;
	int64_t replicas;
	int64_t min_ready_s, progress_deadline_s, history_limit;
	bool paused, recreate;
	bool shown_paused;                 /* condition Progressing has reason DeploymentPaused */
	char *max_surge, *max_unavailable; /* "25%" or "1" */
	struct selector selector;
	char *selector_json, *template_json;
	uint64_t template_hash;
	char *annotations_json; /* for copying to its replica sets */
	char *revision_text;
	int64_t collision_count; /* -1: absent */
	char *status_json;       /* as it is now */
};

struct cached_node {
	struct meta meta;
	char *pod_cidr; /* or NULL */
	bool unschedulable;
	char *taints_json;         /* spec.taints, or NULL */
	char *conditions_json;     /* status.conditions, or NULL */
	bool ready, ready_unknown; /* condition Ready True; Unknown */
};

struct cached_namespace {
	struct meta meta;
	bool terminating;
	bool has_kubernetes_finalizer; /* spec.finalizers */
};

struct cached_cluster_role {
	struct meta meta;
	char *rules_json;           /* rules, or NULL */
	struct selector *selectors; /* aggregationRule.clusterRoleSelectors */
	size_t n_selectors;
};

struct cached_lease {
	struct meta meta;
	int64_t renewed_us; /* spec.renewTime */
	int64_t seen_ms;    /* loop clock when this renewal came: clocks of nodes are not trusted */
};

struct cached_quota {
	struct meta meta;
	bool counted; /* status.hard is what spec.hard asks for */
};

struct cached_budget {
	struct meta meta;
	struct selector selector;
};

/* The members are NULL but of type kubernetes.io/service-account-token. */
struct cached_secret {
	struct meta meta;
	char *account, *account_uid; /* the annotations, or "" */
	char *ca;                    /* data["ca.crt"] in base64, or "" */
	bool has_token, has_namespace;
};

/* What custom_resources.c makes rows of. */
struct cached_definition {
	struct meta meta;
	bool established;
	char *json; /* without schemas */
};

struct cache;

/* Starts the informers of every resource that can be listed, but Events. SYNCED is called once when all first
 * lists are in. */
struct cache *cache_new(struct loop *loop, struct api_client *client, void (*synced)(void *arg), void *arg);
void cache_free(struct cache *cache);

/* The objects of a custom resource, in the version of RESOURCE, are watched from now on (again when they were
 * already); or no longer: those that are known are told as gone. The cache holds RESOURCE meanwhile. Not from
 * within a change of that resource. */
void cache_add(struct cache *cache, const struct resource *resource);
void cache_drop(struct cache *cache, const struct resource *resource);

/* FN is told of each change of RESOURCE's objects (NULL: of all resources): OLD NULL: came; NEW NULL: went.
 * In the order of registration. Register before the loop runs. */
typedef void (*cache_change_fn)(const struct resource *resource, struct meta *old, struct meta *new_,
				void *arg);
void cache_watch(struct cache *cache, const struct resource *resource, cache_change_fn fn, void *arg);

bool cache_synced(const struct cache *cache);
/* Revision up to which RESOURCE's objects are known. */
uint64_t cache_revision(const struct cache *cache, const struct resource *resource);
/* Object of RESOURCE by key ("ns/name"); NULL when it is not known. */
void *cache_get(const struct cache *cache, const struct resource *resource, const char *key);
/* Any object by uid, or NULL. */
struct meta *cache_by_uid(const struct cache *cache, const char *uid);
/* for (size_t i = 0; (o = cache_next(cache, resource, &i));) */
void *cache_next(const struct cache *cache, const struct resource *resource, size_t *cursor);
/* The controller's reference among META's owners, or NULL. */
const struct owner_ref *meta_controller(const struct meta *meta);
/* "/apis/apps/v1/namespaces/default/replicasets" and, with name and subresource, further; NULLs leave parts
 * out. Appends. */
void meta_path(struct buf *b, const struct resource *resource, const char *namespace_, const char *name,
	       const char *subresource);
