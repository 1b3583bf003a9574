/* knarr-nodeagent: runs the pods bound to this node. (README and docs/ARCHITECTURE.md say how it fits in.) */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/api_client.h"
#include "lib/kubeconfig.h"
#include "lib/log.h"
#include "lib/own_address.h"
#include "lib/program.h"
#include "lib/timefmt.h"
#include "nodeagent/agent.h"
#include "nodeagent/config_objects.h"
#include "nodeagent/image_command.h"
#include "nodeagent/image_store.h"
#include "nodeagent/lease.h"
#include "nodeagent/log_server.h"
#include "nodeagent/network.h"
#include "nodeagent/node_info.h"
#include "nodeagent/node_status.h"
#include "nodeagent/pod_manager.h"
#include "nodeagent/pod_store.h"
#include "nodeagent/purge_command.h"
#include "nodeagent/runtime.h"
#include "nodeagent/service_env.h"
#include "nodeagent/start_slots.h"
#include "nodeagent/status_writer.h"
#include "nodeagent/tree.h"

#define LOG_MAX_BYTES     (10 * 1024 * 1024)
#define LOG_MAX_FILES     5
#define FLUSH_MS          1000
#define LOCK_WAIT_MS      5000
#define LOCK_LOOK_MS      5
#define STARTS_PER_CPU    2
#define PROBE_CONNECTIONS 128

struct options {
	const char *kubeconfig, *data_dir, *node_name, *listen, *tls_cert, *tls_key, *client_ca, *node_ip,
	    *runtime, *shim;
	const char *bridge, *cluster_cidr, *pod_cidr, *cgroup_parent, *max_pods;
};

struct node_agent {
	struct agent agent;
	const struct options *opts;
	char *node_name, *node_ip, *shim, *pod_cidr;
	int lock_fd;
	struct pod_manager *pods;
	struct node_status *node;
	struct lease *lease;
	struct log_server *server;
};

static char *file_in(const struct node_agent *a, const char *name)
{
	return mem_printf("%s/%s", a->agent.data_dir, name);
}

/* One agent per data folder: two would adopt each other's containers. */
static int take_data_dir(struct node_agent *a, struct err *err)
{
	CLEANUP(mem_freep) char *lock = file_in(a, "agent.lock");

	if (tree_make(a->agent.data_dir, 0711, err) < 0)
		return err_wrap(err, "data folder");
	a->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock_fd < 0)
		return err_set_errno(err, errno, "data folder: %s", lock);
	/* An agent that was killed leaves children that make or remove a pod's sandbox or files. They hold
	 * its lock until they are done, which is soon; going on before would have two work on one pod. */
	for (int64_t until_ms = time_mono_ms() + LOCK_WAIT_MS; flock(a->lock_fd, LOCK_EX | LOCK_NB) < 0;) {
		if (time_mono_ms() > until_ms) {
			mem_closep(&a->lock_fd);
			a->lock_fd = -1;
			return err_set(err, ERR_CONFLICT, "data folder %s is used by another knarr-nodeagent",
				       a->agent.data_dir);
		}
		poll(NULL, 0, LOCK_LOOK_MS);
	}
	return pod_store_open(a->agent.data_dir, err) < 0 ? err_wrap(err, "data folder") : 0;
}

/* The program beside our own, unless told otherwise. */
static char *shim_path(const char *given)
{
	char own[PATH_MAX];
	ssize_t n;

	if (given)
		return mem_dup(given);
	n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (n <= 0)
		return mem_dup("knarr-shim");
	own[n] = '\0';
	return mem_printf("%s/knarr-shim", dirname(own));
}

static void on_images_changed(void *arg)
{
	struct node_agent *a = arg;

	if (a->pods)
		pod_manager_images_changed(a->pods);
	if (a->node)
		node_status_images_changed(a->node);
}

static int open_runtime(struct node_agent *a, struct err *err)
{
	CLEANUP(mem_freep) char *images = file_in(a, "images");
	CLEANUP(mem_freep) char *state = file_in(a, "runc");
	const struct runtime_opts opts = {
		.runtime = a->opts->runtime,
		.shim = a->shim,
		.state_dir = state,
		.cgroup_parent = a->opts->cgroup_parent,
		.log_max_bytes = LOG_MAX_BYTES,
		.log_max_files = LOG_MAX_FILES,
	};

	a->agent.images = image_store_open(a->agent.loop, images, on_images_changed, a, err);
	if (!a->agent.images)
		return err_wrap(err, "image store");
	a->agent.runtime = runtime_open(a->agent.loop, &opts, err);
	return a->agent.runtime ? 0 : err_wrap(err, "runtime");
}

/* Containers are told of the Services that there are: pods come after them. */
static void watch_pods(void *arg)
{
	struct node_agent *a = arg;

	if (a->agent.network && a->pods && service_env_synced(a->agent.services))
		pod_manager_watch(a->pods);
}

static int open_api(struct node_agent *a, struct err *err)
{
	const struct kubeconfig_overrides overrides = { .path = a->opts->kubeconfig };
	const struct http_identity nobody = { 0 };
	struct kubeconfig config = { 0 };

	if (kubeconfig_load(&overrides, &config, err) < 0)
		return -1;
	a->agent.api = api_client_new(a->agent.loop, &config, "knarr-nodeagent/" KNARR_VERSION, err);
	if (a->agent.api)
		a->agent.services = service_env_new(&a->agent, config.server, watch_pods, a);
	kubeconfig_close(&config);
	if (!a->agent.api)
		return -1;
	a->agent.probe_http =
	    http_client_new(a->agent.loop, &nobody, PROBE_CONNECTIONS, "kube-probe/1.36", err);
	if (!a->agent.probe_http)
		return -1;
	a->agent.events = event_recorder_new(a->agent.loop, a->agent.api, "kubelet", a->agent.node_name);
	a->agent.configs = config_objects_new(a->agent.loop, a->agent.api);
	a->agent.writer = status_writer_new(a->agent.loop, a->agent.api);
	return 0;
}

static int open_network(struct node_agent *a, const char *pod_cidr, struct err *err)
{
	CLEANUP(mem_freep) char *state = file_in(a, "network");
	const struct network_opts opts = {
		.state_dir = state,
		.bridge = a->opts->bridge,
		.pod_cidr = pod_cidr,
		.cluster_cidr = a->opts->cluster_cidr ? a->opts->cluster_cidr : pod_cidr,
	};

	a->agent.network = network_open(&opts, err);
	if (!a->agent.network)
		return err_wrap(err, "pod network %s", pod_cidr);
	a->pod_cidr = mem_dup(pod_cidr);
	return 0;
}

/* The range is remembered: after a restart pods can be ended and begun before the API answers. */
static int open_known_network(struct node_agent *a, struct err *err)
{
	CLEANUP(mem_freep) char *path = file_in(a, "pod-cidr");
	CLEANUP(buf_close) struct buf known = BUF_INIT;

	if (a->opts->pod_cidr)
		return open_network(a, a->opts->pod_cidr, err);
	if (buf_read_file(&known, path, 64, NULL) < 0 || known.len == 0)
		return 0;
	return open_network(a, known.data, err);
}

static void on_pod_cidr(const char *cidr, void *arg)
{
	struct node_agent *a = arg;
	CLEANUP(mem_freep) char *path = file_in(a, "pod-cidr");
	struct err err = ERR_INIT;

	if (a->agent.network) {
		if (!a->opts->pod_cidr && strcmp(cidr, a->pod_cidr) != 0)
			log_error("the node's pod CIDR changed while its pods have addresses of the old one; "
				  "it is kept",
				  "old", a->pod_cidr, "new", cidr, NULL);
		return;
	}
	if (open_network(a, cidr, &err) < 0) {
		log_error("no pod network", "error", err.msg, NULL);
		return;
	}
	if (buf_write_file_atomic(path, cidr, strlen(cidr), 0644, &err) < 0)
		log_warn("pod CIDR not remembered", "error", err.msg, NULL);
	node_status_set_ready(a->node);
	pod_manager_network_ready(a->pods);
	watch_pods(a);
}

static int read_pem(const char *path, struct buf *ret, struct err *err)
{
	return path ? buf_read_file(ret, path, 1024 * 1024, err) : 0;
}

static int open_server(struct node_agent *a, struct err *err)
{
	CLEANUP(buf_close) struct buf cert = BUF_INIT;
	CLEANUP(buf_close) struct buf key = BUF_INIT;
	CLEANUP(buf_close) struct buf ca = BUF_INIT;
	const char *colon = strrchr(a->opts->listen, ':');
	char *end;

	if (!a->opts->tls_cert || !a->opts->tls_key || !a->opts->client_ca)
		return err_set(err, ERR_BAD_REQUEST, "--tls-cert, --tls-key and --client-ca are needed");
	if (!colon)
		return err_set(err, ERR_BAD_REQUEST, "--listen is ADDRESS:PORT");
	long port = strtol(colon + 1, &end, 10);
	if (*end || port < 0 || port > 65535)
		return err_set(err, ERR_BAD_REQUEST, "--listen: %s is no port", colon + 1);
	if (read_pem(a->opts->tls_cert, &cert, err) < 0 || read_pem(a->opts->tls_key, &key, err) < 0 ||
	    read_pem(a->opts->client_ca, &ca, err) < 0)
		return -1;
	CLEANUP(mem_freep) char *address = mem_dupn(a->opts->listen, (size_t)(colon - a->opts->listen));
	const struct http_routes_opts opts = {
		.address = address,
		.port = (uint16_t)port,
		.cert_pem = cert.data,
		.key_pem = key.data,
		.client_ca_pem = ca.data,
	};
	a->server = log_server_new(&a->agent, a->pods, &opts, err);
	return a->server ? 0 : err_wrap(err, "listen on %s", a->opts->listen);
}

static int start(struct node_agent *a, struct err *err)
{
	if (take_data_dir(a, err) < 0 || open_api(a, err) < 0 || open_runtime(a, err) < 0)
		return -1;
	pod_store_empty_trash(a->agent.loop, a->agent.data_dir);
	a->pods = pod_manager_new(&a->agent);
	if (open_known_network(a, err) < 0 || open_server(a, err) < 0)
		return -1;
	pod_manager_adopt(a->pods);
	const struct node_status_opts opts = {
		.max_pods = strtoll(a->opts->max_pods, NULL, 10),
		.port = log_server_port(a->server),
		.runtime_version = runtime_version(a->agent.runtime),
		.pod_cidr = on_pod_cidr,
		.arg = a,
	};
	a->node = node_status_new(&a->agent, &opts);
	a->lease = lease_new(a->agent.loop, a->agent.api, a->node_name);
	if (a->agent.network) {
		node_status_set_ready(a->node);
		watch_pods(a);
	}
	return 0;
}

static void stop(struct node_agent *a)
{
	a->agent.stopping = true;
	if (a->agent.events)
		event_recorder_flush(a->agent.events, FLUSH_MS);
	log_server_free(a->server);
	lease_free(a->lease);
	node_status_free(a->node);
	pod_manager_free(a->pods);
	start_slots_free(a->agent.starts);
	status_writer_free(a->agent.writer);
	config_objects_free(a->agent.configs);
	service_env_free(a->agent.services);
	event_recorder_free(a->agent.events);
	runtime_close(a->agent.runtime);
	image_store_close(a->agent.images);
	network_close(a->agent.network);
	http_client_free(a->agent.probe_http);
	api_client_free(a->agent.api);
	loop_free(a->agent.loop);
	if (a->lock_fd >= 0) {
		pod_store_close(a->agent.data_dir);
		close(a->lock_fd);
	}
	free(a->node_name);
	free(a->node_ip);
	free(a->shim);
	free(a->pod_cidr);
}

static char *own_name(const char *given)
{
	char name[256] = "localhost";

	if (given)
		return mem_dup(given);
	gethostname(name, sizeof(name) - 1);
	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return mem_dup(name);
}

static int run(const struct options *opts, struct err *err)
{
	struct node_agent a = { .opts = opts, .lock_fd = -1 };
	int rc = -1;

	if (geteuid() != 0)
		return err_set(err, ERR_FORBIDDEN, "knarr-nodeagent starts containers and must run as root");
	a.node_name = own_name(opts->node_name);
	a.node_ip = opts->node_ip ? mem_dup(opts->node_ip) : own_address();
	a.shim = shim_path(opts->shim);
	a.agent.node_name = a.node_name;
	a.agent.node_ip = a.node_ip;
	a.agent.data_dir = opts->data_dir;
	a.agent.capacity_millicpu = node_info_millicpu();
	a.agent.capacity_memory_bytes = node_info_memory_bytes();
	a.agent.starts = start_slots_new((size_t)(STARTS_PER_CPU * a.agent.capacity_millicpu / 1000));
	a.agent.loop = loop_new(err);
	if (a.agent.loop && program_stop_on_signals(a.agent.loop, err) == 0 && start(&a, err) == 0) {
		program_ready();
		loop_run(a.agent.loop);
		rc = 0;
	}
	stop(&a);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = {
		.listen = "0.0.0.0:10250",
		.runtime = "runc",
		.bridge = "knarr0",
		.cgroup_parent = "knarr",
		.max_pods = "110",
	};
	const struct program_flag flags[] = {
		{ "kubeconfig", "FILE", "how to reach the API", &o.kubeconfig, NULL, true },
		{ "data-dir", "DIR", "images, pods and logs lie here", &o.data_dir, NULL, true },
		{ "node-name", "NAME", "name of the Node (default: the host's name)", &o.node_name, NULL,
		  false },
		{ "listen", "ADDR:PORT", "for logs and metrics (default 0.0.0.0:10250)", &o.listen, NULL,
		  false },
		{ "tls-cert", "FILE", "certificate to serve with", &o.tls_cert, NULL, true },
		{ "tls-key", "FILE", "its key", &o.tls_key, NULL, true },
		{ "client-ca", "FILE", "who signs the certificates of clients", &o.client_ca, NULL, true },
		{ "node-ip", "ADDRESS", "address of this node (default: of the default route)", &o.node_ip,
		  NULL, false },
		{ "runtime", "PROGRAM", "OCI runtime (default runc)", &o.runtime, NULL, false },
		{ "shim", "FILE", "knarr-shim (default: beside this program)", &o.shim, NULL, false },
		{ "bridge", "NAME", "network device of the pods (default knarr0)", &o.bridge, NULL, false },
		{ "cluster-cidr", "CIDR", "addresses of all pods: not masqueraded", &o.cluster_cidr, NULL,
		  false },
		{ "pod-cidr", "CIDR", "this node's part (default: the Node's spec.podCIDR)", &o.pod_cidr,
		  NULL, false },
		{ "cgroup-parent", "NAME", "cgroup of all pods (default knarr)", &o.cgroup_parent, NULL,
		  false },
		{ "max-pods", "N", "pods that fit on this node (default 110)", &o.max_pods, NULL, false },
		{ NULL, NULL, NULL, NULL, NULL, false },
	};
	struct err err = ERR_INIT;

	if (argc > 1 && strcmp(argv[1], "image") == 0)
		return image_command(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "purge") == 0)
		return purge_command(argc - 1, argv + 1);
	int operand =
	    program_flags("knarr-nodeagent", "Runs the pods that are bound to this node.", flags, argc, argv);
	if (operand < argc) {
		fprintf(stderr, "knarr-nodeagent: unexpected argument: %s\nTry knarr-nodeagent --help.\n",
			argv[operand]);
		return 2;
	}
	if (run(&o, &err) < 0) {
		fprintf(stderr, "knarr-nodeagent: %s\n", err.msg);
		return 1;
	}
	return 0;
}
