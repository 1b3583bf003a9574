#include "nodeagent/adopt.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "nodeagent/pod_store.h"
#include "nodeagent/runtime.h"
#include "nodeagent/sandbox.h"
#include "nodeagent/tree.h"

#define RETRY_MS 5000

static void on_removed(const struct err *err, void *arg)
{
	(void)arg;
	if (err)
		log_warn("container's remains not removed", "error", err->msg, NULL);
}

static void on_exited(struct container *container, void *arg)
{
	container_remove(container, on_removed, arg);
}

/* runtime_adopt takes down by itself what was only half made. */
static void end_attempt(struct agent *agent, const char *pod_dir, const char *name, unsigned attempt)
{
	struct container *container = NULL;

	if (runtime_adopt(agent->runtime, pod_dir, name, attempt, &container, on_exited, NULL, NULL) < 0)
		return;
	if (container_state(container)->phase == CONTAINER_EXITED)
		on_exited(container, NULL);
	else
		container_kill_all(container, NULL);
}

static void end_attempts(struct agent *agent, const char *pod_dir, const char *name)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/containers/%s", pod_dir, name);
	DIR *d = opendir(path);

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));)
		if (isdigit((unsigned char)e->d_name[0]))
			end_attempt(agent, pod_dir, name, (unsigned)strtoul(e->d_name, NULL, 10));
	closedir(d);
}

void adopt_end_containers(struct agent *agent, const char *pod_dir)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/containers", pod_dir);
	DIR *d = opendir(path);

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			end_attempts(agent, pod_dir, e->d_name);
	closedir(d);
}

struct removal {
	struct agent *agent;
	char *pod_dir, *uid;
	struct loop_timer again;
};

static void on_torn_down(const struct err *err, void *arg)
{
	struct removal *r = arg;
	struct err other = ERR_INIT;

	if (err || tree_unmount(r->pod_dir, &other) < 0) {
		/* Its folder stays where it is, and so it is found again. */
		log_warn("sandbox not removed", "uid", r->uid, "error", err ? err->msg : other.msg, NULL);
		loop_timer_arm(&r->again, RETRY_MS);
		return;
	}
	pod_store_discard(r->agent->loop, r->agent->data_dir, r->uid);
	free(r->pod_dir);
	free(r->uid);
	free(r);
}

static void on_again(struct loop_timer *timer, void *arg)
{
	struct removal *r = arg;

	(void)timer;
	sandbox_destroy(r->agent->loop, r->agent->network, r->pod_dir, r->uid, on_torn_down, r);
}

void adopt_remove(struct agent *agent, const char *pod_dir, const char *uid)
{
	struct removal *r = mem_zalloc(sizeof(*r));

	r->agent = agent;
	r->pod_dir = mem_dup(pod_dir);
	r->uid = mem_dup(uid);
	loop_timer_init(&r->again, agent->loop, on_again, r);
	on_again(&r->again, r);
}
