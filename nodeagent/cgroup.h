/* Control groups of pods and containers, version 1 (one hierarchy per controller, also the hybrid of systemd)
 * and version 2. Paths here are below the hierarchies' roots, without a leading slash:
 * "knarr-1a2b3c/burstable/podUID". The container's own group is made by the runtime; the pod's and those
 * above it here. https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

enum cgroup_version { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

/* What is mounted at /sys/fs/cgroup; found once. */
enum cgroup_version cgroup_version(void);
/* Whether a controller of version 1 ("cpu", "memory", "pids") or 2 can be used. */
bool cgroup_has(const char *controller);

struct cgroup_limits {
	int64_t cpu_shares;         /* version 1's measure, 2 to 262144; 0: none */
	int64_t cpu_quota_us;       /* per 100 ms; 0: none */
	int64_t memory_limit_bytes; /* 0: none */
};

/* Makes it and the groups above it in all hierarchies that limits need, and sets LIMITS. Idempotent. */
int cgroup_make(const char *path, const struct cgroup_limits *limits, struct err *err);
/* Removes it and all groups below it, which must hold no process; not there is fine. */
int cgroup_remove(const char *path, struct err *err);
/* SIGKILL to every process in it and below it, also such that fork meanwhile. Not there is fine. */
int cgroup_kill(const char *path, struct err *err);
/* Both: kills what is in it until it can be removed. Blocks while killed processes are still being reaped,
 * five seconds at most: for what a crash has left. */
int cgroup_end(const char *path, struct err *err);
/* Working set (usage less inactive file pages) and CPU time used. */
int cgroup_usage(const char *path, uint64_t *ret_memory_bytes, uint64_t *ret_cpu_ns, struct err *err);
/* The file whose line "oom_kill N" counts kills by memory's end. Caller frees. */
char *cgroup_oom_file(const char *path);
/* Milli CPUs to shares and to a quota, as the kubelet does (MilliCPUToShares, MilliCPUToQuota). */
int64_t cgroup_shares_of_millicpu(int64_t millicpu);
int64_t cgroup_quota_of_millicpu(int64_t millicpu);
