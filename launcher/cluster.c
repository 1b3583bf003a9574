#include "launcher/cluster.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"

enum { FIRST_POD_NET = 244, POD_NETS = 100, SETTINGS_MAX_BYTES = 64 * 1024 };

/* FNV-1a: only names things apart, nothing trusts it. */
static uint32_t path_hash(const char *path)
{
	uint32_t hash = 2166136261U;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619U;
	return hash;
}

/* True when a route of this machine goes into 10.NET.0.0/16. */
static bool pod_net_used(unsigned net)
{
	CLEANUP(mem_fclosep) FILE *f = fopen("/proc/net/route", "re");
	char line[256];
	bool used = false;

	while (f && !used && fgets(line, sizeof(line), f)) {
		unsigned destination, mask;
		/* Addresses stand there as they lie in memory: the first byte is the lowest. */
		if (sscanf(line, "%*s %x %*x %*x %*x %*x %*x %x", &destination, &mask) == 2 && mask != 0)
			used = (destination & 0xffff & mask) == ((10U | net << 8) & mask);
	}
	return used;
}

/* The usual 10.244.0.0/16 for the usual folder; other folders begin elsewhere, so that clusters that start at
 * the same moment do not meet. */
static char *choose_cluster_cidr(const char *dir)
{
	unsigned first = strcmp(dir, CLUSTER_DEFAULT_DIR) == 0 ? 0 : path_hash(dir) % POD_NETS;

	for (unsigned i = 0; i < POD_NETS; i++) {
		unsigned net = FIRST_POD_NET - (first + i) % POD_NETS;
		if (!pod_net_used(net))
			return mem_printf("10.%u.0.0/16", net);
	}
	return mem_printf("10.%u.0.0/16", FIRST_POD_NET - first);
}

/* The host's name as a Node's: lower case, letters, digits, '-' and '.'. */
static char *host_node_name(void)
{
	char host[HOST_NAME_MAX + 1] = "";

	if (gethostname(host, sizeof(host) - 1) < 0 || !host[0])
		return mem_dup("node-1");
	for (char *p = host; *p; p++)
		*p = isalnum((unsigned char)*p) || *p == '.' ? (char)tolower((unsigned char)*p) : '-';
	size_t len = strlen(host);
	while (len > 0 && !isalnum((unsigned char)host[len - 1]))
		host[--len] = '\0';
	const char *start = host;
	while (*start && !isalnum((unsigned char)*start))
		start++;
	return mem_dup(*start ? start : "node-1");
}

static int make_dir(const char *path, struct err *err)
{
	CLEANUP(mem_freep) char *partial = mem_dup(path);

	for (char *slash = strchr(partial + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(partial, 0700) < 0 && errno != EEXIST)
			return err_set_errno(err, errno, "cannot make folder %s", partial);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/* "run" alone is what a first start leaves behind that was ended before it wrote the settings. */
static bool dir_is_ours(const char *path)
{
	DIR *d = opendir(path);
	bool ours = d != NULL;

	for (struct dirent *e; d && (e = readdir(d));)
		ours = ours && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
				strcmp(e->d_name, "run") == 0);
	if (d)
		closedir(d);
	return ours;
}

static char *absolute(const char *dir)
{
	char resolved[PATH_MAX], cwd[PATH_MAX];

	if (realpath(dir, resolved))
		return mem_dup(resolved);
	if (dir[0] == '/' || !getcwd(cwd, sizeof(cwd)))
		return mem_dup(dir);
	return mem_printf("%s/%s", cwd, dir);
}

static int save(const struct cluster *cluster, struct err *err)
{
	CLEANUP(mem_freep) char *path = cluster_path(cluster, "cluster.json");
	CLEANUP(json_putp) struct json_object *settings = json_object_new_object();
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	json_set_str(settings, "address", cluster->address);
	json_set_int(settings, "port", cluster->port);
	json_set_str(settings, "nodeName", cluster->node_name);
	json_set_str(settings, "clusterCIDR", cluster->cluster_cidr);
	json_set_str(settings, "runtime", cluster->runtime);
	json_set_str(settings, "serviceCIDR", cluster->service_cidr);
	json_set_str(settings, "nodePorts", cluster->node_ports);
	json_write_pretty(&text, settings);
	buf_char(&text, '\n');
	return buf_write_file_atomic(path, text.data, text.len, 0600, err);
}

int cluster_load(const char *dir, struct cluster *ret, struct err *err)
{
	CLEANUP(mem_freep) char *path = absolute(dir);
	CLEANUP(mem_freep) char *file = mem_printf("%s/cluster.json", path);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(json_putp) struct json_object *settings = NULL;

	if (access(file, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(
		    err, ERR_NOT_FOUND,
		    "no cluster in %s (there is no cluster.json); start one with: knarr up --data %s", path,
		    path);
	if (buf_read_file(&text, file, SETTINGS_MAX_BYTES, err) < 0 ||
	    json_parse(text.data, text.len, &settings, NULL, err) < 0)
		return err_wrap(err, "cannot read the cluster's settings %s", file);

	int64_t port = json_int(settings, "port", 0);
	const char *address = json_str(settings, "address"), *node_name = json_str(settings, "nodeName");
	const char *cidr = json_str(settings, "clusterCIDR"), *runtime = json_str(settings, "runtime");
	if (port <= 0 || port > UINT16_MAX - 3 || !address || !node_name || !cidr || !runtime)
		return err_set(err, ERR_CORRUPT,
			       "%s lacks settings or has wrong ones; restore it from a backup", file);

	*ret = (struct cluster){
		.address = mem_dup(address),
		.port = (uint16_t)port,
		.node_name = mem_dup(node_name),
		.cluster_cidr = mem_dup(cidr),
		.runtime = mem_dup(runtime),
		.service_cidr = mem_dup(json_str(settings, "serviceCIDR")),
		.node_ports = mem_dup(json_str(settings, "nodePorts")),
	};
	snprintf(ret->id, sizeof(ret->id), "%06x", path_hash(path) & 0xffffff);
	ret->dir = TAKE(path);
	return 0;
}

/* The defaults for a folder that holds no cluster yet. */
static int cluster_begin(const char *dir, struct cluster *ret, struct err *err)
{
	CLEANUP(mem_freep) char *wanted = absolute(dir);
	CLEANUP(cluster_close) struct cluster cluster = { 0 };

	if (make_dir(wanted, err) < 0)
		return -1;
	cluster.dir = absolute(wanted); /* links resolve only now that it is there */
	/* Another one that starts right now has made its folders and will write its settings: the lock tells.
	 */
	if (!dir_is_ours(cluster.dir) && !cluster_supervisor(&cluster))
		return err_set(
		    err, ERR_CONFLICT,
		    "%s is not empty and holds no cluster; give an empty or a new folder with --data",
		    cluster.dir);
	snprintf(cluster.id, sizeof(cluster.id), "%06x", path_hash(cluster.dir) & 0xffffff);
	cluster.address = mem_dup("127.0.0.1");
	cluster.port = CLUSTER_DEFAULT_PORT;
	cluster.node_name = host_node_name();
	cluster.cluster_cidr = choose_cluster_cidr(cluster.dir);
	cluster.runtime = mem_dup("runc");
	*ret = cluster;
	cluster = (struct cluster){ 0 };
	return 0;
}

static int make_folder(const struct cluster *cluster, const char *name, struct err *err)
{
	CLEANUP(mem_freep) char *path = cluster_path(cluster, name);

	return make_dir(path, err);
}

static void replace(char **setting, const char *value)
{
	if (!value)
		return;
	free(*setting);
	*setting = mem_dup(value);
}

int cluster_open(const char *dir, const struct cluster_settings *given, struct cluster *ret, int *ret_lock,
		 struct err *err)
{
	static const struct cluster_settings nothing = { 0 };
	static const char *const folders[] = { "pki", "auth", "apiserver", "agent", "log" };
	CLEANUP(cluster_close) struct cluster cluster = { 0 };
	CLEANUP(mem_closep) int lock = -1;
	struct err load_err = ERR_INIT;

	if (cluster_load(dir, &cluster, &load_err) < 0) {
		if (load_err.kind != ERR_NOT_FOUND) {
			*err = load_err;
			return -1;
		}
		if (cluster_begin(dir, &cluster, err) < 0)
			return -1;
	}
	/* The lock first: settings of a cluster that runs must stay what it runs with. */
	if (make_folder(&cluster, "run", err) < 0 || cluster_lock(&cluster, &lock, err) < 0)
		return -1;
	if (!given)
		given = &nothing;
	replace(&cluster.address, given->address);
	replace(&cluster.runtime, given->runtime);
	replace(&cluster.service_cidr, given->service_cidr);
	replace(&cluster.node_ports, given->node_ports);
	if (given->port)
		cluster.port = given->port;
	if (save(&cluster, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (make_folder(&cluster, folders[i], err) < 0)
			return -1;
	*ret_lock = lock;
	lock = -1;
	*ret = cluster;
	cluster = (struct cluster){ 0 };
	return 0;
}

void cluster_close(struct cluster *cluster)
{
	free(cluster->dir);
	free(cluster->address);
	free(cluster->node_name);
	free(cluster->cluster_cidr);
	free(cluster->runtime);
	free(cluster->service_cidr);
	free(cluster->node_ports);
	*cluster = (struct cluster){ 0 };
}

char *cluster_path(const struct cluster *cluster, const char *name)
{
	return mem_printf("%s/%s", cluster->dir, name);
}

const char *cluster_bridge(const struct cluster *cluster, char *buf, size_t size)
{
	snprintf(buf, size, "knarr%s", cluster->id);
	return buf;
}

const char *cluster_cgroup(const struct cluster *cluster, char *buf, size_t size)
{
	snprintf(buf, size, "knarr-%s", cluster->id);
	return buf;
}

/* A POSIX record lock: the kernel can be asked who holds it, and it goes with the process. */
int cluster_lock(const struct cluster *cluster, int *ret_fd, struct err *err)
{
	CLEANUP(mem_freep) char *path = cluster_path(cluster, "run/lock");
	CLEANUP(mem_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return err_set_errno(err, errno, "cannot open %s", path);
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		if (errno != EACCES && errno != EAGAIN)
			return err_set_errno(err, errno, "cannot lock %s", path);
		return err_set(
		    err, ERR_CONFLICT,
		    "a cluster runs in %s already (process %d); stop it with: knarr down --data %s",
		    cluster->dir, cluster_supervisor(cluster), cluster->dir);
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int cluster_supervisor(const struct cluster *cluster)
{
	CLEANUP(mem_freep) char *path = cluster_path(cluster, "run/lock");
	CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}
