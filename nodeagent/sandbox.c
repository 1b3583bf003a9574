#include "nodeagent/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nodeagent/container_record.h"
#include "nodeagent/network.h"
#include "nodeagent/sandbox_child.h"
#include "nodeagent/sandbox_pause.h"
#include "nodeagent/tree.h"

#define RECORD "sandbox.json"

/*  create:   address ─▶ record ─▶ child (namespaces, link) ─▶ DONE
 *  destroy:  child (link, namespaces) ─▶ record ─▶ address ─▶ DONE
 * so that an address is recorded as long as anything may use it, and free only when nothing does. */
struct sandbox_op {
	struct loop *loop;
	struct network *network;
	char *pod_dir, *pod_uid;
	struct sandbox sandbox;
	void (*created)(const struct sandbox *sandbox, const struct err *err, void *arg);
	void (*destroyed)(const struct err *err, void *arg);
	void *arg;
	struct loop_task task; /* for what failed before there was a child */
	struct loop_child *child;
	pid_t pid;
	int pipe; /* the child's error comes here */
	struct err failure;
};

void sandbox_close(struct sandbox *s)
{
	free(s->address);
	free(s->net_ns);
	free(s->ipc_ns);
	free(s->uts_ns);
	free(s->pid_ns);
	*s = (struct sandbox){ 0 };
}

static void op_free(struct sandbox_op *op)
{
	loop_unpost(op->loop, &op->task);
	sandbox_close(&op->sandbox);
	mem_closep(&op->pipe);
	free(op->pod_dir);
	free(op->pod_uid);
	free(op);
}

static void set_paths(struct sandbox *s, const char *pod_dir, bool host_network, bool host_ipc,
		      bool share_processes)
{
	s->net_ns = host_network ? NULL : mem_printf("%s/ns/net", pod_dir);
	s->uts_ns = host_network ? NULL : mem_printf("%s/ns/uts", pod_dir);
	s->ipc_ns = host_ipc ? NULL : mem_printf("%s/ns/ipc", pod_dir);
	s->pid_ns = share_processes ? mem_printf("%s/ns/pid", pod_dir) : NULL;
}

/* --- the record --- */

static int write_record(const struct sandbox_op *op, struct err *err)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	buf_str(&b, "{\"address\":");
	buf_json_string(&b, op->sandbox.address);
	buf_printf(&b, ",\"host_network\":%s,\"host_ipc\":%s,\"share_processes\":%s}\n",
		   op->sandbox.net_ns ? "false" : "true", op->sandbox.ipc_ns ? "false" : "true",
		   op->sandbox.pid_ns ? "true" : "false");
	return container_record_write_file(op->pod_dir, RECORD, b.data, b.len, err);
}

static void remove_record(const struct sandbox_op *op)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/" RECORD, op->pod_dir);
	unlink(path);
}

int sandbox_load(const char *pod_dir, struct sandbox *ret, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/" RECORD, pod_dir);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(json_putp) struct json_object *record = NULL;
	if (access(path, F_OK))
		return err_set(err, ERR_NOT_FOUND, "no sandbox in %s", pod_dir);
	if (buf_read_file(&b, path, 4096, err) || json_parse(b.data ? b.data : "", b.len, &record, NULL, err))
		return err_wrap(err, "%s", path);
	bool host_network = json_boolean(record, "host_network", false),
	     host_ipc = json_boolean(record, "host_ipc", false),
	     share_processes = json_boolean(record, "share_processes", false);
	if (!json_str(record, "address"))
		return err_set(err, ERR_CORRUPT, "%s has no address", path);
	/* After a reboot the record is there and the namespaces are not. */
	if ((!host_network &&
	     (!sandbox_child_holds(pod_dir, "net") || !sandbox_child_holds(pod_dir, "uts"))) ||
	    (!host_ipc && !sandbox_child_holds(pod_dir, "ipc")) ||
	    (share_processes && !sandbox_pause_runs(pod_dir)))
		return err_set(err, ERR_NOT_FOUND, "the namespaces of %s are gone", pod_dir);
	*ret = (struct sandbox){ .address = mem_dup(json_str(record, "address")) };
	set_paths(ret, pod_dir, host_network, host_ipc, share_processes);
	return 0;
}

/* --- steps --- */

static void finish(struct sandbox_op *op)
{
	const struct err *err = op->failure.kind ? &op->failure : NULL;
	if (op->created)
		op->created(err ? NULL : &op->sandbox, err, op->arg);
	else if (op->destroyed)
		op->destroyed(err, op->arg);
	op_free(op);
}

static void on_task(struct loop_task *task, void *arg)
{
	(void)task;
	finish(arg);
}

static void on_child(pid_t pid, int status, void *arg)
{
	struct sandbox_op *op = arg;
	struct err err;
	(void)pid;
	op->child = NULL;
	if (read(op->pipe, &err, sizeof(err)) == sizeof(err))
		op->failure = err;
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		err_set(&op->failure, ERR_INTERNAL, "the sandbox's child died");
	if (op->destroyed && !op->failure.kind) {
		remove_record(op);
		network_address_put(op->network, op->pod_uid, &op->failure);
	}
	finish(op);
}

/* Forks; SPEC is NULL for taking down. */
static int start_child(struct sandbox_op *op, const struct sandbox_spec *spec, struct err *err)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK))
		return err_set_errno(err, errno, "pipe");
	op->pipe = fd[0];
	op->pid = fork();
	if (op->pid == 0) {
		struct err e = ERR_INIT;
		int rc = spec ? sandbox_child_make(op->network, spec, op->sandbox.address, &e)
			      : sandbox_child_unmake(op->network, op->pod_dir, op->pod_uid, &e);
		/* A whole error fits the pipe's buffer: never a part of it. */
		_exit(rc && write(fd[1], &e, sizeof(e)) < 0 ? 2 : rc ? 1 : 0);
	}
	close(fd[1]);
	if (op->pid < 0)
		return err_set_errno(err, errno, "fork");
	op->child = loop_child_new(op->loop, op->pid, on_child, op, err);
	return op->child ? 0 : -1;
}

static struct sandbox_op *op_new(struct loop *loop, struct network *network, const char *pod_dir,
				 const char *pod_uid, void *arg)
{
	struct sandbox_op *op = mem_zalloc(sizeof(*op));
	*op = (struct sandbox_op){ .loop = loop,
				   .network = network,
				   .pod_dir = mem_dup(pod_dir),
				   .pod_uid = mem_dup(pod_uid),
				   .arg = arg,
				   .pipe = -1 };
	op->task = (struct loop_task){ .fn = on_task, .arg = op };
	return op;
}

static int reserve(struct sandbox_op *op, const struct sandbox_spec *spec, struct err *err)
{
	char address[16];
	set_paths(&op->sandbox, spec->pod_dir, spec->host_network, spec->host_ipc, spec->share_processes);
	if (spec->host_network)
		op->sandbox.address = mem_dup(network_node_address(op->network));
	else if (network_address_get(op->network, spec->pod_uid, address, err))
		return -1;
	else
		op->sandbox.address = mem_dup(address);
	return write_record(op, err);
}

struct sandbox_op *
sandbox_create(struct loop *loop, struct network *network, const struct sandbox_spec *spec,
	       void (*done)(const struct sandbox *sandbox, const struct err *err, void *arg), void *arg)
{
	struct sandbox_op *op = op_new(loop, network, spec->pod_dir, spec->pod_uid, arg);
	op->created = done;
	if (reserve(op, spec, &op->failure) || start_child(op, spec, &op->failure))
		loop_post(loop, &op->task);
	return op;
}

struct sandbox_op *sandbox_destroy(struct loop *loop, struct network *network, const char *pod_dir,
				   const char *pod_uid, void (*done)(const struct err *err, void *arg),
				   void *arg)
{
	struct sandbox_op *op = op_new(loop, network, pod_dir, pod_uid, arg);
	op->destroyed = done;
	if (start_child(op, NULL, &op->failure))
		loop_post(loop, &op->task);
	return op;
}

void sandbox_cancel(struct sandbox_op *op)
{
	if (op->child) {
		loop_child_free(op->child);
		kill(op->pid, SIGKILL);
		while (waitpid(op->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	op_free(op);
}

int sandbox_purge(const char *pods_dir, struct err *err)
{
	DIR *d = opendir(pods_dir);
	int rc = 0;
	if (!d)
		return errno == ENOENT ? 0 : err_set_errno(err, errno, "open %s", pods_dir);
	for (struct dirent *entry; (entry = readdir(d));) {
		CLEANUP(mem_freep) char *pod_dir = mem_printf("%s/%s", pods_dir, entry->d_name);
		if (entry->d_name[0] != '.' && sandbox_child_unmake(NULL, pod_dir, entry->d_name, err))
			rc = -1;
	}
	closedir(d);
	/* And the rest: volumes in memory, which the pod's worker would have unmounted, and the folder
	 * itself. */
	return rc || tree_unmount(pods_dir, err) < 0 ? -1 : 0;
}
