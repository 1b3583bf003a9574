/* One cluster's settings and paths, kept in DIR/cluster.json from the first `knarr up` on.
 *
 *     DIR/cluster.json   these settings              DIR/kubeconfig     the administrator's
 *     DIR/pki/           certificates and keys       DIR/auth/          tokens, kubeconfigs, audit policy
 *     DIR/apiserver/     the store                   DIR/agent/         images and pods of this node
 *     DIR/log/           a log per program           DIR/run/lock       locked while a supervisor runs
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define CLUSTER_DEFAULT_DIR  "/var/lib/knarr"
#define CLUSTER_DEFAULT_PORT 6443

struct cluster {
	char *dir;     /* absolute */
	char id[7];    /* six hex digits of the folder's path: names bridge and cgroup */
	char *address; /* where the programs listen, and this node's address */
	uint16_t port; /* API server; scheduler, controller and agent follow: +1, +2, +3 */
	char *node_name;
	char *cluster_cidr; /* "10.244.0.0/16" */
	char *runtime;      /* "runc" */
	char *service_cidr; /* "10.96.0.0/16", or one of each family; NULL: the API server's default */
	char *node_ports;   /* "30000-32767"; the same */
};

/* What a user may give; NULL and 0: as stored, or the default. */
struct cluster_settings {
	const char *address, *runtime, *service_cidr, *node_ports;
	uint16_t port;
};

/* Reads DIR/cluster.json. ERR_NOT_FOUND: "no cluster in DIR". */
int cluster_load(const char *dir, struct cluster *ret, struct err *err);
/* Makes the folder and its settings at the first start, or loads them, and takes the lock of a running
 * supervisor, which closing *ret_lock or the end of this process gives back (so does closing any other
 * descriptor of that file: see cluster_supervisor). What is GIVEN (NULL: nothing) is stored. ERR_CONFLICT: a
 * cluster runs there (its settings stay as they are; its pid is in the message), or the folder is somebody
 * else's: neither empty nor a cluster's. */
int cluster_open(const char *dir, const struct cluster_settings *given, struct cluster *ret, int *ret_lock,
		 struct err *err);
void cluster_close(struct cluster *cluster);

/* DIR/NAME; caller frees. */
char *cluster_path(const struct cluster *cluster, const char *name);
/* "knarr1a2b3c": bridge device, and parent of all cgroups. */
const char *cluster_bridge(const struct cluster *cluster, char *buf, size_t size);
const char *cluster_cgroup(const struct cluster *cluster, char *buf, size_t size);

/* Takes the lock: *ret_fd, or ERR_CONFLICT with the other's pid in the message. */
int cluster_lock(const struct cluster *cluster, int *ret_fd, struct err *err);
/* The pid that holds it, 0 when nobody does. Not for the holder itself: by POSIX it would lose the lock. */
int cluster_supervisor(const struct cluster *cluster);
