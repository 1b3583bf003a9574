/* Containers on this node: OCI bundle, cgroup, shim and runc behind a few asynchronous calls. Knows nothing
 * of pods' lives: pod_worker.h does.
 *
 * On disk, per attempt, under POD_DIR/containers/NAME/ATTEMPT/:
 *     config.json, rootfs (overlay)  the bundle
 *     container.json, shim.json, state.json, exit.json   see container_record.h
 *     log                            CRI format, by the shim, rotated (log, log.1 ...)
 *     termination-log                the file bound to terminationMessagePath
 *
 *        run ──ok──▶ RUNNING ──ends──▶ EXITED ──remove──▶ (gone)
 *         └─fails─▶ (gone, error)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/spawn.h"
#include "nodeagent/image_store.h"
#include "nodeagent/sandbox.h"

struct runtime;

struct runtime_opts {
	const char *runtime;       /* "runc": any OCI runtime */
	const char *shim;          /* path of knarr-shim */
	const char *state_dir;     /* --root of the runtime: DIR/runc */
	const char *cgroup_parent; /* "knarr-1a2b3c": all pods' cgroups lie under it */
	uint64_t log_max_bytes;    /* 10 MiB */
	unsigned log_max_files;    /* 5 */
	bool seccomp_default; /* RuntimeDefault where a pod names no profile (the kubelet's --seccomp-default)
			       */
	const char *seccomp_dir; /* Localhost profiles: DIR/seccomp; NULL: none */
};

/* OPTS is copied. NULL: the shim or the runtime is not there, or does not say its version. */
struct runtime *runtime_open(struct loop *loop, const struct runtime_opts *opts, struct err *err);
void runtime_close(struct runtime *runtime); /* containers run on */
/* "runc://1.1.5", for node info and container IDs. */
const char *runtime_version(const struct runtime *runtime);

const char *runtime_shim(const struct runtime *runtime); /* path of knarr-shim */

struct container_spec {
	const char *pod_dir, *pod_uid, *pod_name, *pod_namespace;
	const char *hostname;
	const char *name;
	unsigned attempt;
	const char *cgroup; /* below cgroup_parent: "burstable/podUID" */
	const struct image *image;
	const struct sandbox *sandbox;
	const char *pid_ns; /* path of the PID namespace to join; NULL: one of its own, the SANDBOX's, or as
			       POD_SPEC says */
	const struct json_object *pod_spec;  /* PodSpec: security context, host flags */
	const struct json_object *container; /* Container, with env resolved: see env */
	char *const *env; /* NULL-terminated "K=V": image's, then services', then the container's */
	const struct runtime_mount *mounts; /* volumes and the files of /etc */
	size_t n_mounts;
	bool tty, stdin_open, stdin_once;
	int oom_score_adj; /* by quality of service; raised to what the machine grants */
};

struct runtime_mount {
	const char *source, *destination;
	bool read_only;
	const char *type;    /* NULL: bind; "tmpfs" */
	const char *options; /* further mount options, comma separated, or NULL */
};

enum container_phase { CONTAINER_RUNNING, CONTAINER_EXITED };

/* How a container stands; from memory. */
struct container_state {
	enum container_phase phase;
	char id[72]; /* 64 hex characters, also the runtime's name for it */
	pid_t pid;
	int64_t started_us, finished_us; /* wall clock */
	int exit_code;                   /* 128 + signal when killed */
	int signal;
	bool oom_killed;
};

struct container;

/* Makes bundle, shim and container and runs it. DONE: the container or NULL and an error whose message is the
 * runtime's
 * ("exec: \"nosuch\": executable file not found in $PATH"), with Kubernetes' wording for the pod's
 * status where it has one. ERR_INVALID: the container's description is at fault (CreateContainerConfigError).
 * EXITED is called once when it ends, at any time after DONE. */
void runtime_run(struct runtime *runtime, const struct container_spec *spec,
		 void (*done)(struct container *container, const struct err *err, void *arg),
		 void (*exited)(struct container *container, void *arg), void *arg);
const struct container_state *container_state(const struct container *container);
const char *container_log_path(const struct container *container);
/* Last bytes of the termination message file (at most 4096), or of the log (2048 bytes, 80 lines) when empty
 * and FALLBACK; "" when there is none. Caller frees. */
char *container_termination_message(const struct container *container, bool fallback_to_logs);
/* Signals the container's init (SIGTERM, or the image's StopSignal for signo 0). */
int container_kill(struct container *container, int signo, struct err *err);
/* Kills every process of it: SIGKILL to all in its cgroup. */
int container_kill_all(struct container *container, struct err *err);
/* Removes an exited container's runtime state, mounts, cgroup. Its log and exit record stay until
 * runtime_forget(). Frees CONTAINER. */
void container_remove(struct container *container, void (*done)(const struct err *err, void *arg), void *arg);
/* Runs argv inside (exec probe, hooks); at most 10 KiB of output is kept. As spawn_start; whatever still runs
 * inside after the timeout is killed. Runs under way end with container_remove, without FN being called. */
struct spawn *container_exec(struct container *container, const char *const *argv, int64_t timeout_ms,
			     void (*fn)(struct spawn_result *result, void *arg), void *arg, struct err *err);
/* Ends such a run, FN is not called. (spawn_cancel would leave the process in the container.) */
void container_exec_cancel(struct container *container, struct spawn *run);

/* After a restart of the agent: takes over attempt ATTEMPT of container NAME from its files. The shim is
 * known by pid and start time; a shim that is gone without an exit record gives exit code 137, as
 * killed. ERR_NOT_FOUND when nothing was made, or not to the end: what there was is then gone. A container
 * that has ended by now is EXITED in its state already and EXITED may not be called; else it is, as
 * runtime_create's. */
int runtime_adopt(struct runtime *runtime, const char *pod_dir, const char *name, unsigned attempt,
		  struct container **ret, void (*exited)(struct container *container, void *arg), void *arg,
		  struct err *err);
/* Memory and CPU now: working set bytes, CPU nanoseconds. */
int container_usage(const struct container *container, uint64_t *ret_memory_bytes, uint64_t *ret_cpu_ns,
		    struct err *err);
/* Makes and removes the pod's cgroup with its limits (sums of the containers'); both idempotent. When removal
 * fails because something lives there, that is killed: it succeeds soon after. */
int runtime_pod_cgroup_make(struct runtime *runtime, const char *cgroup, int64_t cpu_shares_millicpu,
			    int64_t cpu_limit_millicpu, int64_t memory_limit_bytes, struct err *err);
int runtime_pod_cgroup_remove(struct runtime *runtime, const char *cgroup, struct err *err);
/* Removes the folder of a removed container: its log and records. */
int runtime_forget(const char *pod_dir, const char *name, unsigned attempt, struct err *err);
/* Kills all that runs under CGROUP_PARENT and removes the cgroups: for `knarr down --purge`. Shims end by
 * themselves. */
int runtime_purge(const char *cgroup_parent, struct err *err);
