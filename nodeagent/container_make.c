#include "nodeagent/container_make.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "nodeagent/container_record.h"
#include "nodeagent/pod_store.h"

struct pod_env_opts container_make_env_opts(const struct pod_context *pod, const struct json_object *spec,
					    const struct image *image)
{
	return (struct pod_env_opts){
		.pod = pod->pod,
		.container = spec,
		.image_config = image ? image->config : NULL,
		.hostname = pod->hostname,
		.pod_ip = pod->sandbox.address,
		.host_ip = pod->agent->node_ip,
		.node_name = pod->agent->node_name,
		.node_millicpu = pod->agent->capacity_millicpu,
		.node_memory_bytes = pod->agent->capacity_memory_bytes,
		.lookup = pod->lookup,
		.services = pod->agent->services,
	};
}

/* A member of the container's security context, else of the pod's. */
static struct json_object *security(const struct container_make *make, const char *key)
{
	struct json_object *own = json_get(json_get(make->spec, "securityContext"), key);

	return own ? own : json_get(json_path(make->pod->pod, "spec", "securityContext", NULL), key);
}

static int check_non_root(const struct container_make *make, struct err *err)
{
	struct json_object *non_root = security(make, "runAsNonRoot"), *user = security(make, "runAsUser");
	const char *name = json_str_or_empty(make->spec, "name");

	if (!non_root || !json_object_get_boolean(non_root))
		return 0;
	if (user)
		return json_object_get_int64(user) != 0
			   ? 0
			   : err_set(err, ERR_INVALID,
				     "container's runAsUser breaks non-root policy (pod: \"%s_%s(%s)\", "
				     "container: %s)",
				     make->pod->name, make->pod->namespace_, make->pod->uid, name);
	const char *image_user = json_str(json_get(make->image->config, "config"), "User");
	if (!image_user || image_user[0] == '\0' || strcmp(image_user, "0") == 0 ||
	    strncmp(image_user, "0:", 2) == 0 || strcmp(image_user, "root") == 0 ||
	    strncmp(image_user, "root:", 5) == 0)
		return err_set(err, ERR_INVALID,
			       "container has runAsNonRoot and image will run as root (pod: \"%s_%s(%s)\", "
			       "container: %s)",
			       make->pod->name, make->pod->namespace_, make->pod->uid, name);
	if (image_user[strspn(image_user, "0123456789:")] != '\0')
		return err_set(
		    err, ERR_INVALID,
		    "container has runAsNonRoot and image has non-numeric user (%s), cannot verify "
		    "user is non-root (pod: \"%s_%s(%s)\", container: %s)",
		    image_user, make->pod->name, make->pod->namespace_, make->pod->uid, name);
	return 0;
}

/* The pod's files of /etc, unless a volume is mounted there. */
static void add_etc(const struct container_make *make, struct volume_mounts *mounts)
{
	static const char *const files[] = { "hosts", "hostname", "resolv.conf" };
	size_t own = mounts->n;

	for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
		CLEANUP(mem_freep) char *source = mem_printf("%s/etc/%s", make->pod->dir, files[f]);
		CLEANUP(mem_freep) char *to = mem_printf("/etc/%s", files[f]);
		bool taken = false;
		for (size_t i = 0; i < own; i++)
			if (strcmp(mounts->mounts[i].destination, to) == 0)
				taken = true;
		if (!taken)
			volumes_mounts_add(mounts, source, to, false, NULL);
	}
}

int container_make_prepare(struct container_make *make, struct err *err)
{
	struct pod_env_opts env = container_make_env_opts(make->pod, make->spec, make->image);
	struct volumes_opts volumes = { .pod_dir = make->pod->dir, .env = &env };

	if (check_non_root(make, err) < 0 || pod_env_build(&env, &make->env, err) < 0 ||
	    volumes_mounts(&volumes, make->spec, &make->env, &make->mounts, err) < 0)
		return -1;
	add_etc(make, &make->mounts);
	return 0;
}

void container_make_run(const struct container_make *make)
{
	const struct pod_context *pod = make->pod;
	CLEANUP(mem_freep)
	char *pid_ns =
	    make->target ? mem_printf("/proc/%d/ns/pid", (int)container_state(make->target)->pid) : NULL;
	struct container_spec spec = {
		.pod_dir = pod->dir,
		.pod_uid = pod->uid,
		.pod_name = pod->name,
		.pod_namespace = pod->namespace_,
		.hostname = pod->hostname,
		.name = json_str_or_empty(make->spec, "name"),
		.attempt = make->attempt,
		.cgroup = pod->cgroup,
		.image = make->image,
		.sandbox = &pod->sandbox,
		.pid_ns = pid_ns,
		.pod_spec = json_get(pod->pod, "spec"),
		.container = make->spec,
		.env = make->env.vars,
		.mounts = make->mounts.mounts,
		.n_mounts = make->mounts.n,
		.tty = json_boolean(make->spec, "tty", false),
		.stdin_open = json_boolean(make->spec, "stdin", false),
		.stdin_once = json_boolean(make->spec, "stdinOnce", false),
	};

	runtime_run(pod->agent->runtime, &spec, make->done, make->exited, make->arg);
}

void container_make_close(struct container_make *make)
{
	pod_env_close(&make->env);
	volumes_mounts_close(&make->mounts);
}

void container_make_discard_old(const struct pod_context *pod, const char *name, unsigned attempts)
{
	if (attempts < 3)
		return;
	CLEANUP(mem_freep) char *dir = mem_printf("%s/containers/%s/%u", pod->dir, name, attempts - 3);
	pod_store_discard_path(pod->agent->loop, dir);
}

unsigned container_make_attempts_on_disk(const struct pod_context *pod, const char *name)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/containers/%s", pod->dir, name);
	DIR *d = opendir(path);
	unsigned n = 0;

	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));)
		if (isdigit((unsigned char)e->d_name[0]) && strtoul(e->d_name, NULL, 10) + 1 > n)
			n = (unsigned)strtoul(e->d_name, NULL, 10) + 1;
	closedir(d);
	return n;
}

char *container_make_id(const struct container *container)
{
	return mem_printf("runc://%s", container_state(container)->id);
}

char *container_make_id_on_disk(const struct pod_context *pod, const char *name, unsigned attempt)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/containers/%s/%u", pod->dir, name, attempt);
	struct container_record record;

	if (container_record_read(dir, &record, NULL) != 0)
		return NULL;
	return mem_printf("runc://%s", record.id);
}

struct termination container_make_termination(const struct container *container,
					      const struct json_object *spec, const char *container_id)
{
	const struct container_state *state = container_state(container);
	bool from_logs =
	    strcmp(json_str_or_empty(spec, "terminationMessagePolicy"), "FallbackToLogsOnError") == 0;
	const char *reason = state->oom_killed ? "OOMKilled" : state->exit_code == 0 ? "Completed" : "Error";

	return (struct termination){
		.set = true,
		.exit_code = state->exit_code,
		.started_us = state->started_us,
		.finished_us = state->finished_us,
		.reason = mem_dup(reason),
		.message = container_termination_message(container, from_logs && state->exit_code != 0),
		.container_id = mem_dup(container_id),
	};
}
