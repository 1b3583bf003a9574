#include "nodeagent/pod_manager.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/informer.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "nodeagent/adopt.h"
#include "nodeagent/pod_store.h"

struct pod_item {
	struct informer_item item;
	struct json_object *pod; /* until its worker has it */
};

struct pod_manager {
	struct agent *agent;
	struct map workers; /* by UID */
	char *query;
	struct informer_type type;
	struct informer *informer;
	struct loop_timer
	    tidy; /* some time after the last change memory that is free goes back to the system */
};

#define TIDY_AFTER_MS 2000

static bool decode(void *item, struct json_object *obj, void *arg)
{
	struct pod_item *pod = item;

	(void)arg;
	pod->pod = json_object_get(obj);
	return true;
}

static void close_item(void *item)
{
	json_object_put(((struct pod_item *)item)->pod);
}

static void on_tidy(struct loop_timer *timer, void *arg)
{
	(void)timer;
	(void)arg;
	malloc_trim(0);
}

static void on_gone(struct pod_worker *worker, void *arg)
{
	struct pod_manager *manager = arg;

	map_remove(&manager->workers, pod_worker_uid(worker));
	pod_worker_free(worker);
	loop_timer_arm(&manager->tidy, TIDY_AFTER_MS);
}

static const struct pod_worker_ops worker_ops = { .gone = on_gone };

static void take(struct pod_manager *manager, struct pod_item *item)
{
	struct pod_worker *worker = map_get(&manager->workers, item->item.uid);

	if (worker) {
		pod_worker_update(worker, item->pod);
	} else {
		worker = pod_worker_new(manager->agent, item->pod, &worker_ops, manager);
		if (worker)
			map_put(&manager->workers, pod_worker_uid(worker), worker);
		else
			log_error("pod has an unusable UID", "pod", item->item.key, NULL);
	}
	/* The worker keeps what it needs; twice in memory is once too often. */
	json_object_put(TAKE(item->pod));
	loop_timer_arm(&manager->tidy, TIDY_AFTER_MS);
}

static void lose(struct pod_manager *manager, const struct pod_item *item)
{
	struct pod_worker *worker = map_get(&manager->workers, item->item.uid);

	if (worker)
		pod_worker_deleted(worker);
}

static void on_added(void *item, void *arg)
{
	take(arg, item);
}

static void on_updated(void *old, void *new_, void *arg)
{
	/* Deleted and made again under the same name between two looks. */
	if (strcmp(((struct pod_item *)old)->item.uid, ((struct pod_item *)new_)->item.uid) != 0)
		lose(arg, old);
	take(arg, new_);
}

static void on_deleted(void *item, void *arg)
{
	lose(arg, item);
}

static void remove_unknown(const char *uid, const char *pod_dir, void *arg)
{
	struct pod_manager *manager = arg;

	if (!map_get(&manager->workers, uid))
		adopt_remove(manager->agent, pod_dir, uid);
}

static void on_synced(void *arg)
{
	struct pod_manager *manager = arg;
	void *value;

	for (size_t i = 0; map_next(&manager->workers, &i, NULL, &value);) {
		const struct pod_item *item = informer_get(manager->informer, pod_worker_key(value));
		if (!item || strcmp(item->item.uid, pod_worker_uid(value)) != 0)
			pod_worker_deleted(value);
	}
	pod_store_each(manager->agent->data_dir, remove_unknown, manager);
}

static int64_t count_pods(void *arg)
{
	return (int64_t)((struct pod_manager *)arg)->workers.count;
}

static struct metric pods_metric =
    METRIC_GAUGE("kubelet_running_pods", "Pods that this node has something of.");

struct pod_manager *pod_manager_new(struct agent *agent)
{
	struct pod_manager *manager = mem_zalloc(sizeof(*manager));

	pods_metric.read = count_pods;
	pods_metric.read_arg = manager;
	metrics_register(&pods_metric);
	manager->agent = agent;
	loop_timer_init(&manager->tidy, agent->loop, on_tidy, manager);
	return manager;
}

void pod_manager_free(struct pod_manager *manager)
{
	void *value;

	if (!manager)
		return;
	informer_free(manager->informer);
	loop_timer_disarm(&manager->tidy);
	for (size_t i = 0; map_next(&manager->workers, &i, NULL, &value);)
		pod_worker_free(value);
	map_close(&manager->workers);
	free(manager->query);
	free(manager);
}

static void adopt_one(const char *uid, const char *pod_dir, void *arg)
{
	struct pod_manager *manager = arg;
	CLEANUP(json_putp) struct json_object *record = NULL;
	struct pod_worker *worker = NULL;
	struct err err = ERR_INIT;
	int64_t sequence;

	if (pod_store_load(pod_dir, &record, &sequence, &err) == 0)
		worker = pod_worker_restore(manager->agent, record, sequence, &worker_ops, manager, &err);
	if (worker && strcmp(pod_worker_uid(worker), uid) == 0) {
		map_put(&manager->workers, pod_worker_uid(worker), worker);
		return;
	}
	pod_worker_free(worker);
	/* Without a record nothing of it was begun, or the record was lost: what its containers left says
	 * which. The API tells whether the pod still is to be. */
	if (err.kind != ERR_NOT_FOUND)
		log_warn("pod of an earlier run cannot be taken over, its containers are ended", "uid", uid,
			 "error", err.msg, NULL);
	adopt_end_containers(manager->agent, pod_dir);
}

void pod_manager_adopt(struct pod_manager *manager)
{
	pod_store_each(manager->agent->data_dir, adopt_one, manager);
	log_info("pods taken over", "count", log_num((int64_t)manager->workers.count), NULL);
}

void pod_manager_watch(struct pod_manager *manager)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;

	if (manager->informer)
		return;
	buf_str(&query, "fieldSelector=spec.nodeName%3D");
	buf_url_encode(&query, manager->agent->node_name);
	manager->query = buf_take(&query);
	manager->type = (struct informer_type){
		.path = "/api/v1/pods",
		.query = manager->query,
		.item_size = sizeof(struct pod_item),
		.decode = decode,
		.close = close_item,
		.added = on_added,
		.updated = on_updated,
		.deleted = on_deleted,
		.synced = on_synced,
	};
	manager->informer = informer_new(manager->agent->loop, manager->agent->api, &manager->type, manager);
}

void pod_manager_images_changed(struct pod_manager *manager)
{
	void *value;

	for (size_t i = 0; map_next(&manager->workers, &i, NULL, &value);)
		pod_worker_images_changed(value);
}

void pod_manager_network_ready(struct pod_manager *manager)
{
	void *value;

	for (size_t i = 0; map_next(&manager->workers, &i, NULL, &value);)
		pod_worker_network_ready(value);
}

struct pod_worker *pod_manager_find(const struct pod_manager *manager, const char *namespace_,
				    const char *name)
{
	CLEANUP(mem_freep) char *key = mem_printf("%s/%s", namespace_, name);
	const struct pod_item *item = manager->informer ? informer_get(manager->informer, key) : NULL;
	void *value;

	if (item)
		return map_get(&manager->workers, item->item.uid);
	/* The API has not answered yet: what was taken over counts. */
	for (size_t i = 0; map_next(&manager->workers, &i, NULL, &value);)
		if (strcmp(pod_worker_key(value), key) == 0)
			return value;
	return NULL;
}

struct pod_worker *pod_manager_next(const struct pod_manager *manager, size_t *cursor)
{
	void *value;

	return map_next(&manager->workers, cursor, NULL, &value) ? value : NULL;
}
