#include "apiserver/crd/caretaker.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apiserver/api_services.h"
#include "apiserver/core/call.h"
#include "apiserver/crd/definition_status.h"
#include "apiserver/delete.h"
#include "apiserver/managed.h"
#include "lib/log.h"
#include "lib/timefmt.h"

/* Objects that are held are looked at again, less and less often. */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 10000
#define PAGE         500

struct caretaker {
	struct definitions *definitions;
	struct core *core;
	const struct resource *resource;
	pthread_t thread;
	sem_t work;
	atomic_bool stopping;
	int64_t retry_ms;
};

/* --- commands --- */

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0 && errno == EINTR) {
	}
}

/* The command's error is the answer. */
static enum err_kind call(struct caretaker *caretaker, struct core_command *command)
{
	return core_call(caretaker->core, command);
}

/* Replaces CURRENT by OBJ, or, when GONE, removes it for good. */
static enum err_kind replace(struct caretaker *caretaker, const struct resource *resource,
			     struct object *current, struct object *object, bool gone)
{
	struct core_command command = {
		.op = gone ? CORE_DELETE : CORE_UPDATE,
		.resource = resource,
		.namespace_ = object_namespace(current),
		.name = object_name(current),
		.uid = object_uid(current),
		.revision = object_revision(current),
		.object = object,
	};
	enum err_kind kind = call(caretaker, &command);

	core_command_close(&command);
	return kind;
}

/* --- its status --- */

static void write_status(struct caretaker *caretaker, const struct definition_task *task)
{
	struct object *current = NULL;
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf managed = BUF_INIT;

	if (core_get(caretaker->core, caretaker->resource, "", task->name, &current, NULL) < 0)
		return;
	/* Of a later state the status is worked out anew. */
	if (object_revision(current) == task->revision) {
		obj = object_json(current);
		json_set(obj, "status", json_object_get(task->status));
		managed_own(caretaker->resource, current, "status", obj, &managed);
		replace(caretaker, caretaker->resource, current,
			object_new(caretaker->resource, obj, managed.data, managed.len), false);
	}
	object_unref(current);
}

/* --- its end --- */

static enum err_kind delete_one(struct caretaker *caretaker, const struct resource *holder,
				struct object *object)
{
	CLEANUP(json_putp) struct json_object *obj = object_json(object);
	struct delete_options options = { .propagation = PROPAGATION_BACKGROUND };
	enum delete_action action = delete_decide(holder, obj, &options, time_now_us());
	size_t len;
	const char *managed = object_managed(object, &len);

	if (action == DELETE_KEEP || (action == DELETE_UPDATE && object_deleting(object)))
		return ERR_NONE;
	return replace(caretaker, holder, object, object_new(holder, obj, managed, len),
		       action == DELETE_REMOVE);
}

/* Asks for the deletion of all objects. */
static void delete_objects(struct caretaker *caretaker, const struct resource *holder)
{
	char *after = NULL;
	bool more = true;

	while (more && !atomic_load(&caretaker->stopping)) {
		struct core_command list = {
			.op = CORE_LIST, .resource = holder, .after_key = after, .limit = PAGE
		};

		more = call(caretaker, &list) == ERR_NONE && list.ret_more && list.ret_n;
		for (size_t i = 0; i < list.ret_n; i++)
			delete_one(caretaker, holder, list.ret_objects[i]);
		free(TAKE(after));
		if (more)
			after = mem_dup(object_key(list.ret_objects[list.ret_n - 1]));
		core_command_close(&list);
	}
	free(after);
}

/* Takes the finalizer away: the definition goes, unless another one holds it. */
static enum err_kind release(struct caretaker *caretaker, const char *name)
{
	struct object *current = NULL;
	CLEANUP(json_putp) struct json_object *obj = NULL;
	enum err_kind kind;
	size_t len;

	if (core_get(caretaker->core, caretaker->resource, "", name, &current, NULL) < 0)
		return ERR_NONE;
	obj = object_json(current);
	definition_status_release(obj);
	const char *managed = object_managed(current, &len);
	kind = replace(caretaker, caretaker->resource, current,
		       object_new(caretaker->resource, obj, managed, len),
		       json_len(json_path(obj, "metadata", "finalizers", NULL)) == 0);
	object_unref(current);
	return kind;
}

/* False: it has to be looked at again. */
static bool empty(struct caretaker *caretaker, const struct definition_task *task)
{
	struct core_command retire = { .op = CORE_RETIRE, .resource = task->holder };

	if (task->holder) {
		delete_objects(caretaker, task->holder);
		if (call(caretaker, &retire) != ERR_NONE)
			return false;
	}
	return release(caretaker, task->name) == ERR_NONE;
}

/* --- the thread --- */

static bool do_task(struct caretaker *caretaker, const struct definition_task *task)
{
	struct core_command end = { .op = CORE_END_WATCHES, .resource = task->holder };

	if (task->end_watches && task->holder)
		call(caretaker, &end);
	if (task->status)
		write_status(caretaker, task);
	/* A status that was written is a new state, which comes back with what is left to do. */
	return !task->empty || task->status || empty(caretaker, task);
}

/* Until when to sleep if nobody calls: after what could not be done. */
static void sleep_for_work(struct caretaker *caretaker, bool done)
{
	struct timespec until;

	if (done) {
		caretaker->retry_ms = RETRY_MIN_MS;
		wait_for(&caretaker->work);
	} else {
		until = time_mono_in(caretaker->retry_ms);
		sem_clockwait(&caretaker->work, CLOCK_MONOTONIC, &until);
		caretaker->retry_ms =
		    caretaker->retry_ms * 2 < RETRY_MAX_MS ? caretaker->retry_ms * 2 : RETRY_MAX_MS;
	}
	/* Several calls are one. */
	while (sem_trywait(&caretaker->work) == 0) {
	}
}

static void keep_api_services(struct caretaker *caretaker)
{
	struct err err = ERR_INIT;

	if (api_services_keep(caretaker->core, &err) < 0)
		log_warn("APIServices are not as they should be", "error", err.msg, NULL);
}

static void *run(void *arg)
{
	struct caretaker *caretaker = arg;

	while (!atomic_load(&caretaker->stopping)) {
		struct definition_task *tasks;
		size_t n;
		bool done = true;

		if (definitions_tasks(caretaker->definitions, &tasks, &n, NULL) < 0)
			break; /* the store is in doubt: nothing is done any more */
		for (size_t i = 0; i < n && !atomic_load(&caretaker->stopping); i++)
			done &= do_task(caretaker, &tasks[i]);
		definition_tasks_free(tasks, n);
		if (!atomic_load(&caretaker->stopping))
			keep_api_services(caretaker);
		if (!atomic_load(&caretaker->stopping))
			sleep_for_work(caretaker, done);
	}
	return NULL;
}

static void call_to_work(void *arg)
{
	struct caretaker *caretaker = arg;

	sem_post(&caretaker->work);
}

int caretaker_new(struct definitions *definitions, struct core *core, struct caretaker **ret, struct err *err)
{
	struct caretaker *caretaker = mem_zalloc(sizeof(*caretaker));
	sigset_t all, before;
	int error;

	caretaker->definitions = definitions;
	caretaker->core = core;
	caretaker->resource = resource_find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
	caretaker->retry_ms = RETRY_MIN_MS;
	sem_init(&caretaker->work, 0, 0);
	definitions_begin(definitions, core, call_to_work, caretaker);
	keep_api_services(caretaker);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&caretaker->thread, NULL, run, caretaker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		sem_destroy(&caretaker->work);
		free(caretaker);
		return err_set_errno(err, error, "starting the thread for custom resource definitions");
	}
	pthread_setname_np(caretaker->thread, "definitions");
	*ret = caretaker;
	return 0;
}

void caretaker_free(struct caretaker *caretaker)
{
	if (!caretaker)
		return;
	atomic_store(&caretaker->stopping, true);
	sem_post(&caretaker->work);
	pthread_join(caretaker->thread, NULL);
	definitions_end(caretaker->definitions);
	sem_destroy(&caretaker->work);
	free(caretaker);
}
