/* What a pod's containers need before they begin: ConfigMaps, Secrets and tokens, volumes, sandbox, cgroup,
 * the files of /etc. */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "nodeagent/container_make.h"
#include "nodeagent/hosts_files.h"
#include "nodeagent/network.h"
#include "nodeagent/pod_cgroup.h"
#include "nodeagent/pod_worker_private.h"
#include "nodeagent/runtime.h"
#include "nodeagent/volumes.h"

#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS   122000

void pod_worker_drop_objects(struct pod_worker *w)
{
	pod_tokens_free(TAKE(w->tokens));
	for (size_t i = 0; i < w->n_configs; i++)
		config_objects_drop(w->configs[i]);
	free(TAKE(w->configs));
	w->n_configs = 0;
}

enum config_presence pod_worker_lookup(enum config_kind kind, const char *name,
				       const struct json_object **ret, void *arg)
{
	const struct pod_worker *w = arg;

	for (size_t i = 0; i < w->n_configs; i++)
		if (config_use_is(w->configs[i], kind, name))
			return config_use_get(w->configs[i], ret);
	return CONFIG_MISSING;
}

static void update_volumes(struct pod_worker *w)
{
	struct pod_env_opts env = container_make_env_opts(&w->ctx, NULL, NULL);
	struct volumes_opts opts = { .pod_dir = w->ctx.dir, .env = &env, .tokens = w->tokens };
	struct err err = ERR_INIT;

	/* What is gone leaves the files as they were. */
	if (volumes_setup(&opts, &err) < 0)
		log_debug("volumes not updated", "pod", w->key, "error", err.msg, NULL);
}

/* Something that volumes hold has changed, or is there at last. */
static void on_content_changed(struct pod_worker *w)
{
	if (w->state == POD_VOLUMES) {
		loop_timer_disarm(&w->retry);
		pod_worker_advance_soon(w);
	} else if (w->state == POD_ACTIVE) {
		update_volumes(w);
	}
}

static void on_config_changed(void *arg)
{
	struct pod_worker *w = arg;

	on_content_changed(w);
	for (size_t i = 0; w->state == POD_ACTIVE && i < w->n_containers; i++)
		container_worker_config_changed(w->containers[i]);
}

static void hold_config(enum config_kind kind, const char *name, void *arg)
{
	struct pod_worker *w = arg;

	for (size_t i = 0; i < w->n_configs; i++)
		if (config_use_is(w->configs[i], kind, name))
			return;
	w->configs = mem_realloc_array(w->configs, w->n_configs + 1, sizeof(*w->configs));
	w->configs[w->n_configs++] =
	    config_objects_use(w->ctx.agent->configs, kind, w->ctx.namespace_, name, on_config_changed, w);
}

static void on_token_changed(void *arg)
{
	on_content_changed(arg);
}

void pod_worker_hold_configs(struct pod_worker *w)
{
	volumes_each_reference(pod_worker_spec(w), hold_config, w);
}

void pod_worker_hold_objects(struct pod_worker *w)
{
	const struct agent *agent = w->ctx.agent;

	pod_worker_hold_configs(w);
	w->tokens = pod_tokens_new(agent->loop, agent->api, w->ctx.pod, on_token_changed, w);
}

void pod_worker_retry_later(struct pod_worker *w)
{
	w->retry_ms = w->retry_ms ? w->retry_ms * 2 : RETRY_FIRST_MS;
	if (w->retry_ms > RETRY_MAX_MS)
		w->retry_ms = RETRY_MAX_MS;
	loop_timer_arm(&w->retry, w->retry_ms);
}

void pod_worker_on_retry(struct loop_timer *timer, void *arg)
{
	(void)timer;
	pod_worker_advance_soon(arg);
}

static void on_sandbox(const struct sandbox *sandbox, const struct err *err, void *arg);

void pod_worker_make_sandbox(struct pod_worker *w)
{
	const struct json_object *spec = pod_worker_spec(w);
	bool host_network = json_boolean(spec, "hostNetwork", false);
	struct sandbox_spec sandbox = {
		.pod_dir = w->ctx.dir,
		.pod_uid = w->ctx.uid,
		.hostname = w->ctx.hostname,
		.host_network = host_network,
		.host_ipc = json_boolean(spec, "hostIPC", false),
		.share_processes = json_boolean(spec, "shareProcessNamespace", false),
		.shim = runtime_shim(w->ctx.agent->runtime),
		.sysctls = json_get(json_get(spec, "securityContext"), "sysctls"),
	};

	if (w->sandbox_op || loop_timer_armed(&w->retry) || (!w->ctx.agent->network && !host_network))
		return;
	w->sandbox_op = sandbox_create(w->ctx.agent->loop, w->ctx.agent->network, &sandbox, on_sandbox, w);
}

void pod_worker_advance_volumes(struct pod_worker *w)
{
	struct pod_env_opts env = container_make_env_opts(&w->ctx, NULL, NULL);
	struct volumes_opts opts = { .pod_dir = w->ctx.dir, .env = &env, .tokens = w->tokens };
	struct err err = ERR_INIT;

	if (loop_timer_armed(&w->retry))
		return;
	for (size_t i = 0; i < w->n_configs; i++)
		if (config_use_get(w->configs[i], NULL) == CONFIG_UNKNOWN)
			return;
	if (!pod_tokens_settled(w->tokens))
		return;
	if (volumes_setup(&opts, &err) < 0) {
		pod_worker_event(w, "Warning", "FailedMount", err.msg);
		pod_worker_retry_later(w);
		return;
	}
	w->retry_ms = 0;
	pod_worker_set_state(w, POD_SANDBOX);
	pod_worker_make_sandbox(w);
}

static void sandbox_failed(struct pod_worker *w, const struct err *err)
{
	CLEANUP(mem_freep) char *message = mem_printf("Failed to create pod sandbox: %s", err->msg);

	pod_worker_event(w, "Warning", "FailedCreatePodSandBox", message);
	pod_worker_retry_later(w);
}

void pod_worker_take_sandbox(struct pod_worker *w, const struct sandbox *sandbox)
{
	sandbox_close(&w->ctx.sandbox);
	w->ctx.sandbox = (struct sandbox){
		.address =
		    mem_dup(json_boolean(pod_worker_spec(w), "hostNetwork", false) ? w->ctx.agent->node_ip
										   : sandbox->address),
		.net_ns = mem_dup(sandbox->net_ns),
		.ipc_ns = mem_dup(sandbox->ipc_ns),
		.uts_ns = mem_dup(sandbox->uts_ns),
		.pid_ns = mem_dup(sandbox->pid_ns),
	};
}

static void on_sandbox(const struct sandbox *sandbox, const struct err *err, void *arg)
{
	struct pod_worker *w = arg;
	struct err failure = ERR_INIT;

	w->sandbox_op = NULL;
	if (!sandbox) {
		sandbox_failed(w, err);
		return;
	}
	pod_worker_take_sandbox(w, sandbox);
	struct hosts_files_opts files = {
		.pod_dir = w->ctx.dir,
		.pod = w->ctx.pod,
		.hostname = w->ctx.hostname,
		.address = w->ctx.sandbox.address,
		.host_hosts = "/etc/hosts",
		.host_resolv_conf = "/etc/resolv.conf",
	};
	if (pod_cgroup_make(w->ctx.agent->runtime, w->ctx.cgroup, pod_worker_spec(w), &failure) < 0 ||
	    hosts_files_write(&files, &failure) < 0) {
		sandbox_failed(w, &failure);
		return;
	}
	w->sandbox_ready = true;
	w->retry_ms = 0;
	pod_worker_set_state(w, POD_ACTIVE);
	pod_worker_publish(w, false);
	pod_worker_advance_soon(w);
}
