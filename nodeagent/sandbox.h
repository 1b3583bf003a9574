/* A pod's sandbox: the namespaces its containers share and its address.
 *
 * There is no pause container: network, IPC and UTS namespaces are held by bind mounts under
 * DIR/pods/UID/ns/{net,ipc,uts} (made by a short-lived child). A PID namespace lives only as long as its
 * first process: where the containers share one there is a `knarr-shim pause`, which outlives the agent, as
 * DIR/pods/UID/ns/pause tells ("PID START"), and ns/pid. Shared memory is a tmpfs at DIR/pods/UID/shm,
 * the network namespace is joined to the node's bridge by a veth pair over netlink, the address comes from
 * the node's podCIDR and is recorded in DIR/pods/UID/sandbox.json before it is used. After a restart of the
 * agent the record is enough to go on.
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"
#include "lib/loop.h"

struct network; /* network.h: the node's bridge and addresses */

struct sandbox_spec {
	const char *pod_dir; /* DIR/pods/UID, exists */
	const char *pod_uid;
	const char *hostname;
	bool host_network,
	    host_ipc; /* then the node's own namespaces are used; the hostname is host_network's too */
	bool share_processes; /* the containers have one PID namespace */
	const char *shim;     /* program of its first process */
	const struct json_object
	    *sysctls; /* securityContext.sysctls or NULL; one that is not the pod's own is ERR_FORBIDDEN */
};

struct sandbox {
	char *address;                  /* "10.244.0.5"; the node's own with hostNetwork */
	char *net_ns, *ipc_ns, *uts_ns; /* paths for the OCI config; NULL: the node's own */
	char *pid_ns;                   /* the same; NULL: not shared */
};

/* Makes it, idempotently: a sandbox that is half there is completed or made anew. DONE gets the sandbox
 * (valid during the call; copy) or NULL and the error. Returns a handle for sandbox_cancel. */
struct sandbox_op;
struct sandbox_op *
sandbox_create(struct loop *loop, struct network *network, const struct sandbox_spec *spec,
	       void (*done)(const struct sandbox *sandbox, const struct err *err, void *arg), void *arg);
/* Takes it down: veth, address, mounts. Idempotent; DONE gets the error or NULL. */
struct sandbox_op *sandbox_destroy(struct loop *loop, struct network *network, const char *pod_dir,
				   const char *pod_uid, void (*done)(const struct err *err, void *arg),
				   void *arg);
void sandbox_cancel(struct sandbox_op *op);
/* Reads DIR/pods/UID/sandbox.json and checks that the namespaces are still there: adoption after a restart.
 * ERR_NOT_FOUND when there is none. Close with sandbox_close. */
int sandbox_load(const char *pod_dir, struct sandbox *ret, struct err *err);
void sandbox_close(struct sandbox *sandbox);
/* Unmounts what all pods under PODS_DIR hold, their volumes in memory as well, and PODS_DIR itself, after a
 * purge of containers and network: for `knarr down
 * --purge`. */
int sandbox_purge(const char *pods_dir, struct err *err);
