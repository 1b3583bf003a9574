#include "apiserver/service/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apiserver/core/call.h"
#include "apiserver/service/allocate.h"
#include "apiserver/service/kubernetes_service.h"
#include "lib/log.h"
#include "lib/timefmt.h"

#define PAUSE_MS     1000
#define RETRY_MAX_MS 16000

/* An object that is watched by its name. */
struct kept {
	const struct resource *resource;
	struct watch *watch; /* NULL: not now */
};

struct service_keeper {
	struct core *core;
	struct service_allocator *allocator;
	const struct resource *services, *addresses;
	struct kept kept[4];
	char *address;
	uint16_t port;
	pthread_t thread;
	bool started;
	sem_t work, stop;
};

static void call_to_work(void *arg)
{
	struct service_keeper *keeper = arg;

	sem_post(&keeper->work);
}

/* --- addresses --- */

static enum err_kind create_address(struct service_keeper *keeper, const struct ip_address *address,
				    const char *namespace_, const char *name)
{
	struct core_command command = { .op = CORE_CREATE,
					.resource = keeper->addresses,
					.namespace_ = "",
					.object = service_ip_address(address, namespace_, name) };
	command.name = object_name(command.object);
	enum err_kind kind = core_call(keeper->core, &command);

	core_command_close(&command);
	return kind;
}

/* SERVICE has an IPAddress for each of its addresses. */
static bool ensure_addresses(struct service_keeper *keeper, const struct object *service)
{
	CLEANUP(json_putp) struct json_object *obj = object_json(service);
	const struct json_object *ips = json_path(obj, "spec", "clusterIPs", NULL);
	struct ip_address address;
	bool done = true;

	for (size_t i = 0; i < json_len(ips); i++) {
		CLEANUP(object_unrefp) struct object *there = NULL;
		char text[INET6_ADDRSTRLEN];
		if (!ip_address_parse(json_object_get_string(json_at(ips, i)), &address) ||
		    core_get(keeper->core, keeper->addresses, "", ip_address_text(&address, text), &there,
			     NULL) == 0)
			continue;
		enum err_kind kind =
		    create_address(keeper, &address, object_namespace(service), object_name(service));
		done &= kind == ERR_NONE || kind == ERR_ALREADY_EXISTS;
	}
	return done;
}

/* Whoever deletes an IPAddress does not take the address from the Service that has it. */
static bool restore(struct service_keeper *keeper, const struct object *lost)
{
	CLEANUP(json_putp) struct json_object *obj = object_json(lost);
	CLEANUP(object_unrefp) struct object *service = NULL;
	const struct json_object *ref = json_path(obj, "spec", "parentRef", NULL);

	if (strcmp(json_str_or_empty(ref, "resource"), "services") != 0 || *json_str_or_empty(ref, "group") ||
	    core_get(keeper->core, keeper->services, json_str_or_empty(ref, "namespace"),
		     json_str_or_empty(ref, "name"), &service, NULL) < 0)
		return true;
	return ensure_addresses(keeper, service);
}

static bool restore_lost(struct service_keeper *keeper)
{
	struct object *lost;
	bool done = true;

	for (size_t i = 0; (lost = service_allocator_lost(keeper->allocator, &i));) {
		done &= restore(keeper, lost);
		service_allocator_forget(keeper->allocator, lost);
		object_unref(lost);
	}
	return done;
}

/* Services of a store that older versions wrote. What their address is tells without a look into them. */
static int adopt(struct service_keeper *keeper, struct err *err)
{
	struct core_command list = { .op = CORE_LIST, .resource = keeper->services };

	if (core_call(keeper->core, &list) != ERR_NONE) {
		if (err)
			*err = list.err;
		core_command_close(&list);
		return err_wrap(err, "list services");
	}
	for (size_t i = 0; i < list.ret_n; i++) {
		CLEANUP(object_unrefp) struct object *there = NULL;
		const char *ip = object_field(list.ret_objects[i], "spec.clusterIP");
		if (ip && *ip && strcmp(ip, "None") != 0 &&
		    core_get(keeper->core, keeper->addresses, "", ip, &there, NULL) < 0)
			ensure_addresses(keeper, list.ret_objects[i]);
	}
	core_command_close(&list);
	return 0;
}

/* --- what is watched --- */

static void open_watch(struct service_keeper *keeper, struct kept *kept)
{
	struct watch *watch = watch_new(call_to_work, keeper);
	struct core_command command = {
		.op = CORE_WATCH,
		.resource = kept->resource,
		.filter = { .namespace_ = kept->resource->namespaced ? KUBERNETES_NAMESPACE : NULL,
			    .name = KUBERNETES_SERVICE },
		.watch = watch,
		.internal = true,
	};

	if (core_call(keeper->core, &command) == ERR_NONE)
		kept->watch = watch;
	else
		watch_close(keeper->core, watch);
	core_command_close(&command);
}

/* What came is looked up afresh: events only wake. False: one is not watched. */
static bool drain(struct service_keeper *keeper)
{
	bool all = true;

	for (size_t i = 0; i < ARRAY_SIZE(keeper->kept); i++) {
		struct kept *kept = &keeper->kept[i];
		struct watch_event event;
		bool closed = false;
		while (kept->watch && !closed && watch_next(kept->watch, &event)) {
			closed = event.type == WATCH_CLOSED;
			object_unref(event.object);
		}
		if (closed)
			watch_close(keeper->core, TAKE(kept->watch));
		if (!kept->watch)
			open_watch(keeper, kept);
		all &= kept->watch != NULL;
	}
	return all;
}

/* --- the thread --- */

/* True: somebody posted SEMAPHORE within MS. */
static bool wait_within(sem_t *semaphore, int64_t ms)
{
	struct timespec until = time_mono_in(ms);
	int result;

	while ((result = sem_clockwait(semaphore, CLOCK_MONOTONIC, &until)) < 0 && errno == EINTR) {
	}
	return result == 0;
}

static bool look(struct service_keeper *keeper)
{
	bool done = drain(keeper);
	struct err err = ERR_INIT;

	if (kubernetes_service_ensure(keeper->core, service_allocator_networks(keeper->allocator),
				      keeper->address, keeper->port, &err) < 0) {
		log_warn("the Service kubernetes is not as it should be; tried again", "error", err.msg,
			 NULL);
		done = false;
	}
	return restore_lost(keeper) && done;
}

static void *run(void *arg)
{
	struct service_keeper *keeper = arg;
	int64_t pause_ms = PAUSE_MS;
	bool done = false;

	/* The pause comes first: many changes are one. */
	while (!wait_within(&keeper->stop, pause_ms)) {
		while (done && sem_wait(&keeper->work) < 0 && errno == EINTR) {
		}
		while (sem_trywait(&keeper->work) == 0) {
		}
		done = look(keeper);
		pause_ms = done ? PAUSE_MS : pause_ms * 2 < RETRY_MAX_MS ? pause_ms * 2 : RETRY_MAX_MS;
	}
	return NULL;
}

struct service_keeper *service_keeper_new(struct core *core, const struct service_networks *networks)
{
	struct service_keeper *keeper = mem_zalloc(sizeof(*keeper));

	keeper->core = core;
	keeper->services = resource_find("", "v1", "services");
	keeper->addresses = resource_find("networking.k8s.io", "v1", "ipaddresses");
	keeper->kept[0].resource = keeper->services;
	keeper->kept[1].resource = resource_find("", "v1", "endpoints");
	keeper->kept[2].resource = resource_find("discovery.k8s.io", "v1", "endpointslices");
	keeper->kept[3].resource = resource_find("networking.k8s.io", "v1", "servicecidrs");
	sem_init(&keeper->work, 0, 0);
	sem_init(&keeper->stop, 0, 0);
	keeper->allocator = service_allocator_new(core, networks);
	service_allocator_on_change(keeper->allocator, call_to_work, keeper);
	return keeper;
}

void service_keeper_free(struct service_keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->started) {
		sem_post(&keeper->stop);
		sem_post(&keeper->work);
		pthread_join(keeper->thread, NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keeper->kept); i++)
		watch_close(keeper->core, keeper->kept[i].watch);
	service_allocator_free(keeper->allocator);
	sem_destroy(&keeper->work);
	sem_destroy(&keeper->stop);
	free(keeper->address);
	free(keeper);
}

struct service_allocator *service_keeper_allocator(struct service_keeper *keeper)
{
	return keeper->allocator;
}

int service_keeper_prepare(struct service_keeper *keeper, struct err *err)
{
	return kubernetes_service_cidr(keeper->core, service_allocator_networks(keeper->allocator), err) < 0
		   ? -1
		   : adopt(keeper, err);
}

int service_keeper_start(struct service_keeper *keeper, const char *address, uint16_t port, struct err *err)
{
	sigset_t all, before;

	keeper->address = mem_dup(address);
	keeper->port = port;
	look(keeper);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&keeper->thread, NULL, run, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return err_set_errno(err, error, "starting the thread that keeps the Service kubernetes");
	pthread_setname_np(keeper->thread, "services");
	keeper->started = true;
	return 0;
}
