#include "controller/deployment_run.h"

#include <stdlib.h>
#include <string.h>

#include "controller/deployment_set.h"
#include "controller/rollout.h"
#include "lib/log.h"

enum call_kind { CALL_CREATE, CALL_SCALE, CALL_ADOPT, CALL_DELETE, CALL_REFRESH, CALL_COLLISION };

/* One call of a run. */
struct call {
	struct deployment_run *run;
	enum call_kind kind;
	char *set_name;
	int64_t from, to; /* of a scaling */
};

struct deployment_run *deployment_run_begin(struct deployments *deployments,
					    const struct cached_deployment *d,
					    void (*answered)(struct deployment_run *run))
{
	struct deployment_run *run = mem_zalloc(sizeof(*run));

	run->deployments = deployments;
	run->key = mem_dup(d->meta.item.key);
	run->namespace_ = mem_dup(d->meta.namespace_);
	run->name = mem_dup(d->meta.name);
	run->uid = mem_dup(d->meta.item.uid);
	run->answered = answered;
	return run;
}

struct cached_deployment *deployment_run_object(const struct deployment_run *run)
{
	struct cached_deployment *d =
	    cache_get(run->deployments->cache, run->deployments->resource, run->key);

	return d && strcmp(d->meta.item.uid, run->uid) == 0 ? d : NULL;
}

static struct event_object about(const struct deployment_run *run)
{
	return (struct event_object){ .api_version = "apps/v1",
				      .kind = "Deployment",
				      .namespace_ = run->namespace_,
				      .name = run->name,
				      .uid = run->uid };
}

void deployment_run_finish(struct deployment_run *run)
{
	work_queue_done(run->deployments->queue, run->key, run->failed ? WORK_RETRY : WORK_OK);
	free(run->key);
	free(run->namespace_);
	free(run->name);
	free(run->uid);
	free(run->created_set);
	free(run->create_error);
	free(run);
}

uint64_t deployment_response_revision(const struct api_response *response)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;

	if (json_parse(response->data, response->len, &obj, NULL, NULL) < 0)
		return 0;
	return strtoull(json_str_or_empty(json_get(obj, "metadata"), "resourceVersion"), NULL, 10);
}

static void tell_scaled(struct deployment_run *run, const char *set, int64_t from, int64_t to)
{
	struct event_object object = about(run);

	event_record(run->deployments->events, &object, "Normal", "ScalingReplicaSet",
		     "Scaled %s replica set %s from %lld to %lld", to > from ? "up" : "down", set,
		     (long long)from, (long long)to);
}

static void call_done(const struct api_response *response, void *arg);

static void send(struct deployment_run *run, enum call_kind kind, const char *method, const struct buf *path,
		 const char *content_type, const struct buf *body, const char *set_name, int64_t from,
		 int64_t to)
{
	struct call *call = mem_zalloc(sizeof(*call));

	*call =
	    (struct call){ .run = run, .kind = kind, .set_name = mem_dup(set_name), .from = from, .to = to };
	run->in_flight++;
	api_client_call(run->deployments->client, method, path->data, content_type, body->data, body->len,
			call_done, call);
}

/* A set of that name is there: ours, and the cache will show it; or another's, then the next hash must
 * differ. */
static void create_collided(struct deployment_run *run)
{
	struct deployments *ds = run->deployments;
	const struct cached_deployment *d = deployment_run_object(run);
	const struct set_list *list = set_index_of(&ds->sets, run->uid);
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	run->failed = true; /* look again, after a pause */
	for (size_t i = 0; d && i < list->n; i++)
		if (list->sets[i]->template_hash == d->template_hash)
			return;
	if (!d)
		return;
	meta_path(&path, ds->resource, run->namespace_, run->name, "status");
	buf_printf(&body, "{\"status\":{\"collisionCount\":%lld}}",
		   (long long)(d->collision_count < 0 ? 1 : d->collision_count + 1));
	send(run, CALL_COLLISION, "PATCH", &path, "application/merge-patch+json", &body, NULL, 0, 0);
}

static void call_failed(struct deployment_run *run, const struct call *call,
			const struct api_response *response)
{
	struct event_object object = about(run);

	if (response->err.kind == ERR_NOT_FOUND || response->err.kind == ERR_CONFLICT)
		return; /* somebody was faster; the watch will tell */
	if (call->kind == CALL_CREATE && response->err.kind == ERR_ALREADY_EXISTS) {
		create_collided(run);
		return;
	}
	run->failed = true;
	if (call->kind == CALL_CREATE) {
		free(run->create_error);
		run->create_error = mem_printf("Failed to create new replica set \"%s\": %s", call->set_name,
					       response->err.msg);
		event_record(run->deployments->events, &object, "Warning", "ReplicaSetCreateError", "%s",
			     run->create_error);
	}
	log_warn("a deployment's write failed", "deployment", run->key, "error", response->err.msg, NULL);
}

static void call_done(const struct api_response *response, void *arg)
{
	struct call *call = arg;
	struct deployment_run *run = call->run;
	struct set_list *list = set_index_of(&run->deployments->sets, run->uid);

	run->in_flight--;
	if (response->err.kind != ERR_NONE) {
		call_failed(run, call, response);
	} else if (call->kind == CALL_COLLISION) {
		list->wait_deployment = deployment_response_revision(response);
	} else if (call->kind != CALL_DELETE) {
		uint64_t revision = deployment_response_revision(response);
		list->wait_sets = revision > list->wait_sets ? revision : list->wait_sets;
	}
	if (response->err.kind == ERR_NONE && call->kind == CALL_CREATE)
		run->created_set = mem_dup(call->set_name);
	if (response->err.kind == ERR_NONE && call->to != call->from)
		tell_scaled(run, call->set_name, call->from, call->to);
	free(call->set_name);
	free(call);
	if (run->in_flight == 0)
		run->answered(run);
}

static int by_age(const void *x, const void *y)
{
	const struct cached_replica_set *a = *(struct cached_replica_set *const *)x,
					*b = *(struct cached_replica_set *const *)y;

	if (a->meta.created_us != b->meta.created_us)
		return a->meta.created_us < b->meta.created_us ? -1 : 1;
	return strcmp(a->meta.name, b->meta.name);
}

void deployment_view_open(const struct deployment_run *run, const struct cached_deployment *d,
			  struct deployment_view *v)
{
	const struct set_list *list = set_index_of(&run->deployments->sets, run->uid);

	*v = (struct deployment_view){ .d = d, .n = list->n };
	v->sets = mem_alloc((list->n + 1) * sizeof(*v->sets));
	if (list->n)
		memcpy(v->sets, list->sets, list->n * sizeof(*v->sets));
	qsort(v->sets, v->n, sizeof(*v->sets), by_age);
	for (size_t i = 0; i < v->n && !v->new_set; i++)
		if (v->sets[i]->template_hash == d->template_hash)
			v->new_set = v->sets[i];
	if (d->recreate)
		v->unavailable = 0;
	else
		rollout_limits(d->max_surge, d->max_unavailable, d->replicas, &v->surge, &v->unavailable);
}

void deployment_view_close(struct deployment_view *v)
{
	free(v->sets);
}

void deployment_run_create(struct deployment_run *run, const struct deployment_view *v, int64_t replicas,
			   int64_t revision)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	CLEANUP(mem_freep) char *name = NULL;
	struct err err = ERR_INIT;

	if (deployment_set_body(v->d, replicas, v->d->replicas + v->surge, revision, &body, &name, &err) <
	    0) {
		log_error("cannot make a replica set", "deployment", run->key, "error", err.msg, NULL);
		return;
	}
	meta_path(&path, run->deployments->set_resource, run->namespace_, NULL, NULL);
	send(run, CALL_CREATE, "POST", &path, NULL, &body, name, 0, replicas);
	run->revision = revision;
}

void deployment_run_scale(struct deployment_run *run, const struct deployment_view *v,
			  const struct cached_replica_set *rs, int64_t replicas)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	meta_path(&path, run->deployments->set_resource, run->namespace_, rs->meta.name, NULL);
	deployment_set_scale_patch(rs, replicas, v->d->replicas, v->d->replicas + v->surge, &body);
	send(run, CALL_SCALE, "PATCH", &path, "application/merge-patch+json", &body, rs->meta.name,
	     rs->replicas, replicas);
}

void deployment_run_delete(struct deployment_run *run, const struct cached_replica_set *rs)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	meta_path(&path, run->deployments->set_resource, run->namespace_, rs->meta.name, NULL);
	buf_str(&body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":"
		       "\"Background\",\"preconditions\":{\"uid\":");
	buf_json_string(&body, rs->meta.item.uid);
	buf_str(&body, "}}");
	send(run, CALL_DELETE, "DELETE", &path, NULL, &body, rs->meta.name, 0, 0);
}

void deployment_run_adopt(struct deployment_run *run, const struct cached_deployment *d,
			  const struct cached_replica_set *rs)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	meta_path(&path, run->deployments->set_resource, run->namespace_, rs->meta.name, NULL);
	buf_str(&body, "{\"metadata\":{\"uid\":");
	buf_json_string(&body, rs->meta.item.uid);
	buf_str(&body, ",\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":");
	buf_json_string(&body, d->meta.name);
	buf_str(&body, ",\"uid\":");
	buf_json_string(&body, d->meta.item.uid);
	buf_str(&body, ",\"controller\":true,\"blockOwnerDeletion\":true}]}}");
	send(run, CALL_ADOPT, "PATCH", &path, "application/strategic-merge-patch+json", &body, rs->meta.name,
	     0, 0);
}

void deployment_run_refresh(struct deployment_run *run, const struct deployment_view *v,
			    const struct cached_replica_set *rs, int64_t revision)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	run->revision = revision;
	if (!deployment_set_update_patch(v->d, rs, revision, &body))
		return;
	meta_path(&path, run->deployments->set_resource, run->namespace_, rs->meta.name, NULL);
	send(run, CALL_REFRESH, "PATCH", &path, "application/merge-patch+json", &body, rs->meta.name, 0, 0);
}
