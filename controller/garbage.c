#include "controller/garbage.h"

#include <stdlib.h>
#include <string.h>

#include "api/resource_set.h"
#include "controller/garbage_decide.h"
#include "controller/garbage_edit.h"
#include "controller/key_run.h"
#include "controller/owner_graph.h"
#include "lib/event_recorder.h"
#include "lib/log.h"
#include "lib/metrics.h"

/* Objects judged at once; an owner that the server has but the cache has not yet is looked at again after a
 * while. */
enum { MAX_RUNNING = 64, LOOK_AGAIN_MS = 10000 };

#define STRATEGIC "application/strategic-merge-patch+json"

struct garbage {
	struct api_client *client;
	struct cache *cache;
	struct event_recorder *events;
	struct work_queue *queue; /* keys are uids */
	struct owner_graph graph;
	bool begun;
};

/* The server is asked for an owner. */
struct question {
	struct garbage *garbage;
	char *owner_uid;
};

static struct metric deleted_total =
    METRIC_COUNTER("knarr_garbage_deleted_total", "Objects deleted since their owners are gone.");

/* --- owners --- */

static bool in_place(const struct meta *meta, const struct owner_ref *ref, const struct resource *resource,
		     const struct meta *owner)
{
	return owner->resource->index == resource->stored->index && strcmp(owner->name, ref->name) == 0 &&
	       (!resource->namespaced || strcmp(owner->namespace_, meta->namespace_) == 0);
}

static enum owner_state state_as(const struct garbage *garbage, const struct meta *meta,
				 const struct owner_ref *ref, const struct resource *resource,
				 const struct meta *owner)
{
	if (!resource || (resource->namespaced && !*meta->namespace_))
		return OWNER_UNKNOWABLE;
	if (owner) {
		/* Its uid is taken elsewhere: where the reference points, it cannot be. */
		if (!in_place(meta, ref, resource, owner))
			return OWNER_GONE;
		return owner->deleting && owner->finalizer_foreground ? OWNER_WAITING : OWNER_SOLID;
	}
	const struct owner_node *node = owner_graph_get(&garbage->graph, ref->uid);
	return node && node->gone ? OWNER_GONE : OWNER_UNSURE;
}

static enum owner_state state_of(const struct garbage *garbage, const struct meta *meta,
				 const struct owner_ref *ref)
{
	const struct meta *owner = cache_by_uid(garbage->cache, ref->uid);

	/* Nearly always the owner is there and of the kind that the reference says. */
	if (owner && strcmp(owner->resource->kind_name, ref->kind) == 0 &&
	    strcmp(owner->resource->group_version, ref->api_version) == 0)
		return state_as(garbage, meta, ref, owner->resource, owner);
	const struct resource *resource = resource_take_kind(ref->api_version, ref->kind);
	enum owner_state state = state_as(garbage, meta, ref, resource, owner);

	resource_unref(resource);
	return state;
}

/* Most changes are of objects whose owners are well: these cost a look-up per owner. */
static bool worth_a_look(const struct garbage *garbage, const struct meta *meta)
{
	if (meta->deleting)
		return meta->finalizer_foreground || meta->finalizer_orphan;
	for (size_t i = 0; i < meta->n_owners; i++)
		if (state_of(garbage, meta, &meta->owners[i]) != OWNER_SOLID)
			return true;
	return false;
}

static void look_at_dependants(struct garbage *garbage, const char *owner_uid, int64_t delay_ms)
{
	const struct owner_node *node = owner_graph_get(&garbage->graph, owner_uid);

	for (const struct owner_edge *e = node ? node->dependants : NULL; e; e = e->next)
		work_queue_add_after(garbage->queue, e->dependant->uid, delay_ms);
}

static bool says_gone(const struct api_response *response, const char *uid)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;

	if (response->err.kind == ERR_NOT_FOUND)
		return true;
	return response->err.kind == ERR_NONE &&
	       json_parse(response->data, response->len, &obj, NULL, NULL) == 0 &&
	       json_str(json_get(obj, "metadata"), "uid") &&
	       strcmp(json_str(json_get(obj, "metadata"), "uid"), uid) != 0;
}

static void owner_answered(const struct api_response *response, void *arg)
{
	struct question *question = arg;
	struct garbage *garbage = question->garbage;
	struct owner_node *node = owner_graph_get(&garbage->graph, question->owner_uid);
	bool gone = says_gone(response, question->owner_uid);

	if (response->err.kind != ERR_NONE && !gone)
		log_warn("asking for an owner failed", "uid", question->owner_uid, "error", response->err.msg,
			 NULL);
	if (node) {
		node->asking = false;
		node->gone |= gone;
		look_at_dependants(garbage, question->owner_uid, gone ? 0 : LOOK_AGAIN_MS);
	}
	free(question->owner_uid);
	free(question);
}

static void ask(struct garbage *garbage, const struct meta *meta, const struct owner_ref *ref)
{
	struct owner_node *node = owner_graph_get(&garbage->graph, ref->uid);
	const struct resource *resource;
	struct question *question;
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!node || node->asking)
		return; /* the answer brings all dependants */
	resource = resource_take_kind(ref->api_version, ref->kind);
	if (!resource)
		return; /* its definition has just gone */
	node->asking = true;
	question = mem_alloc(sizeof(*question));
	*question = (struct question){ garbage, mem_dup(ref->uid) };
	meta_path(&path, resource, resource->namespaced ? meta->namespace_ : NULL, ref->name, NULL);
	resource_unref(resource);
	api_client_call(garbage->client, "GET", path.data, NULL, NULL, 0, owner_answered, question);
}

/* --- acting --- */

static void path_of(struct buf *b, const struct meta *meta)
{
	meta_path(b, meta->resource, meta->namespace_, meta->name, NULL);
}

static void write_uid(struct buf *b, const struct meta *meta)
{
	buf_str(b, "{\"metadata\":{\"uid\":");
	buf_json_string(b, meta->item.uid);
}

static void patched(struct key_run *run, const struct api_response *response, void *arg)
{
	(void)arg;
	/* 422: the reference or finalizer is not there any more. */
	if (response->err.kind != ERR_INVALID)
		key_run_check(run, response);
}

static void patch(struct key_run *run, const struct meta *meta, const struct buf *body)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	path_of(&path, meta);
	key_run_call(run, "PATCH", &path, STRATEGIC, body, patched, NULL);
}

static void end_finalizer(struct key_run *run, const struct meta *meta, const char *finalizer)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	if (meta->resource->slot) {
		garbage_edit_drop_finalizer(run, meta, finalizer);
		return;
	}
	write_uid(&body, meta);
	buf_printf(&body, ",\"$deleteFromPrimitiveList/finalizers\":[\"%s\"]}}", finalizer);
	patch(run, meta, &body);
}

static void edit_references(struct key_run *run, const struct meta *meta, const enum owner_state *states,
			    unsigned mask)
{
	CLEANUP(mem_freep) const char **uids = mem_zalloc((meta->n_owners + 1) * sizeof(*uids));
	size_t n = 0;

	for (size_t i = 0; i < meta->n_owners; i++)
		if (mask & 1U << states[i])
			uids[n++] = meta->owners[i].uid;
	/* Those that wait are unblocked when nothing else is the matter. */
	garbage_edit_owners(run, meta, uids, n, mask == 1U << OWNER_WAITING);
}

/* Patches those of META's references whose owner is in a state of MASK (bits) with the text MEMBERS. */
static void patch_references(struct key_run *run, const struct meta *meta, const enum owner_state *states,
			     unsigned mask, const char *members)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	const char *separator = "";

	if (meta->resource->slot) {
		edit_references(run, meta, states, mask);
		return;
	}

	write_uid(&body, meta);
	buf_printf(&body, ",\"resourceVersion\":\"%llu\",\"ownerReferences\":[",
		   (unsigned long long)meta->item.revision);
	for (size_t i = 0; i < meta->n_owners; i++) {
		if (!(mask & 1U << states[i]))
			continue;
		buf_printf(&body, "%s{%s,\"uid\":", separator, members);
		buf_json_string(&body, meta->owners[i].uid);
		buf_char(&body, '}');
		separator = ",";
	}
	buf_str(&body, "]}}");
	patch(run, meta, &body);
}

static void orphan_dependants(struct garbage *garbage, struct key_run *run, const struct meta *owner)
{
	const struct owner_node *node = owner_graph_get(&garbage->graph, owner->item.uid);

	for (const struct owner_edge *e = node ? node->dependants : NULL; e; e = e->next) {
		const struct meta *meta = cache_by_uid(garbage->cache, e->dependant->uid);
		CLEANUP(buf_close) struct buf body = BUF_INIT;
		if (!meta)
			continue;
		if (meta->resource->slot) {
			const char *uid = owner->item.uid;
			garbage_edit_owners(run, meta, &uid, 1, false);
			continue;
		}
		write_uid(&body, meta);
		buf_str(&body, ",\"ownerReferences\":[{\"$patch\":\"delete\",\"uid\":");
		buf_json_string(&body, owner->item.uid);
		buf_str(&body, "}]}}");
		patch(run, meta, &body);
	}
}

static void deleted(struct key_run *run, const struct api_response *response, void *arg)
{
	(void)arg;
	if (key_run_check(run, response))
		metric_add(&deleted_total, 1);
}

static void delete_object(struct key_run *run, const struct meta *meta, const char *propagation)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	path_of(&path, meta);
	buf_printf(&body,
		   "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"%s\","
		   "\"preconditions\":{\"resourceVersion\":\"%llu\",\"uid\":",
		   propagation, (unsigned long long)meta->item.revision);
	buf_json_string(&body, meta->item.uid);
	buf_str(&body, "}}");
	key_run_call(run, "DELETE", &path, NULL, &body, deleted, NULL);
}

static void act(struct garbage *garbage, struct key_run *run, const struct meta *meta,
		enum garbage_action action, const enum owner_state *states)
{
	switch (action) {
	case GARBAGE_KEEP:
		break;
	case GARBAGE_ASK:
		for (size_t i = 0; i < meta->n_owners; i++)
			if (states[i] == OWNER_UNSURE)
				ask(garbage, meta, &meta->owners[i]);
		break;
	case GARBAGE_RELEASE:
		patch_references(run, meta, states, 1U << OWNER_GONE | 1U << OWNER_WAITING,
				 "\"$patch\":\"delete\"");
		break;
	case GARBAGE_UNBLOCK:
		/* Its change comes back through the watch; the owner goes without waiting for it. */
		patch_references(run, meta, states, 1U << OWNER_WAITING, "\"blockOwnerDeletion\":false");
		break;
	case GARBAGE_DELETE_BACKGROUND:
		delete_object(run, meta, "Background");
		break;
	case GARBAGE_DELETE_FOREGROUND:
		delete_object(run, meta, "Foreground");
		break;
	case GARBAGE_DELETE_ORPHAN:
		delete_object(run, meta, "Orphan");
		break;
	case GARBAGE_ORPHAN_DEPENDANTS:
		orphan_dependants(garbage, run, meta);
		break;
	case GARBAGE_END_ORPHAN:
		end_finalizer(run, meta, "orphan");
		break;
	case GARBAGE_END_FOREGROUND:
		end_finalizer(run, meta, "foregroundDeletion");
		break;
	}
}

static void count_dependants(const struct garbage *garbage, const char *uid, struct garbage_facts *facts)
{
	const struct owner_node *node = owner_graph_get(&garbage->graph, uid);

	for (const struct owner_edge *e = node ? node->dependants : NULL; e; e = e->next) {
		const struct meta *meta = cache_by_uid(garbage->cache, e->dependant->uid);
		facts->dependants++;
		facts->blocking += e->blocks;
		facts->dependant_in_foreground |= meta && meta->deleting && meta->finalizer_foreground;
	}
}

static void reconcile(struct work_queue *queue, const char *uid, void *arg)
{
	struct garbage *garbage = arg;
	const struct meta *meta = cache_by_uid(garbage->cache, uid);

	if (!meta || !garbage->begun) {
		work_queue_done(queue, uid, WORK_OK);
		return;
	}
	CLEANUP(mem_freep) enum owner_state *states = mem_zalloc((meta->n_owners + 1) * sizeof(*states));
	struct garbage_facts facts = { .deleting = meta->deleting,
				       .finalizer_foreground = meta->finalizer_foreground,
				       .finalizer_orphan = meta->finalizer_orphan,
				       .owners = states,
				       .n_owners = meta->n_owners };
	for (size_t i = 0; i < meta->n_owners; i++)
		states[i] = state_of(garbage, meta, &meta->owners[i]);
	count_dependants(garbage, uid, &facts);
	struct key_run *run = key_run_begin(queue, uid, garbage->client, "uid");
	act(garbage, run, meta, garbage_decide(&facts), states);
	key_run_end(run);
}

/* --- what the cache tells --- */

/* An owner that waits for its dependants has one less. */
static void lost_dependant(const char *owner_uid, void *arg)
{
	struct garbage *garbage = arg;
	const struct meta *owner = cache_by_uid(garbage->cache, owner_uid);

	if (owner && owner->deleting && (owner->finalizer_foreground || owner->finalizer_orphan))
		work_queue_add(garbage->queue, owner_uid);
}

static void tell_invalid(struct garbage *garbage, const struct meta *meta)
{
	for (size_t i = 0; i < meta->n_owners; i++) {
		const struct owner_ref *ref = &meta->owners[i];
		const struct meta *owner = cache_by_uid(garbage->cache, ref->uid);
		struct event_object about = { .api_version = meta->resource->group_version,
					      .kind = meta->resource->kind_name,
					      .namespace_ = *meta->namespace_ ? meta->namespace_ : NULL,
					      .name = meta->name,
					      .uid = meta->item.uid };
		if (owner && *owner->namespace_ && strcmp(owner->namespace_, meta->namespace_) != 0)
			event_record(garbage->events, &about, "Warning", "OwnerRefInvalidNamespace",
				     "ownerRef [%s/%s, namespace: %s, name: %s, uid: %s] does not exist in "
				     "namespace \"%s\"",
				     ref->api_version, ref->kind, meta->namespace_, ref->name, ref->uid,
				     meta->namespace_);
	}
}

static void look(struct garbage *garbage, const struct meta *old, const struct meta *meta)
{
	if (!worth_a_look(garbage, meta))
		return;
	if (!old || old->n_owners != meta->n_owners)
		tell_invalid(garbage, meta);
	work_queue_add(garbage->queue, meta->item.uid);
	if (meta->deleting && meta->finalizer_foreground &&
	    (!old || !old->deleting || !old->finalizer_foreground))
		look_at_dependants(garbage, meta->item.uid, 0);
}

static void look_at_all(struct garbage *garbage)
{
	CLEANUP(resource_set_putp) struct resource_set *set = resource_set_get();
	const struct meta *meta;

	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; (meta = cache_next(garbage->cache, set->rows[i], &k));)
			look(garbage, NULL, meta);
}

static void changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct garbage *garbage = arg;

	/* Owners of a kind that was not known may be gone for long. */
	if (new_ && garbage->begun && !strcmp(resource->plural, "customresourcedefinitions"))
		look_at_all(garbage);
	if (!new_)
		look_at_dependants(garbage, old->item.uid, 0);
	owner_graph_change(&garbage->graph, old, new_, lost_dependant, garbage);
	if (new_ && garbage->begun)
		look(garbage, old, new_);
}

struct garbage *garbage_new(struct loop *loop, struct api_client *client, struct cache *cache)
{
	struct garbage *garbage = mem_zalloc(sizeof(*garbage));

	garbage->client = client;
	garbage->cache = cache;
	garbage->events = event_recorder_new(loop, client, "garbage-collector-controller", NULL);
	garbage->queue = work_queue_new(loop, MAX_RUNNING, reconcile, garbage);
	metrics_register(&deleted_total);
	cache_watch(cache, NULL, changed, garbage);
	return garbage;
}

void garbage_synced(struct garbage *garbage)
{
	garbage->begun = true;
	look_at_all(garbage);
}

void garbage_free(struct garbage *garbage)
{
	if (!garbage)
		return;
	work_queue_free(garbage->queue);
	event_recorder_free(garbage->events);
	owner_graph_close(&garbage->graph);
	free(garbage);
}
