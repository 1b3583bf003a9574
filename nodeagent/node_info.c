#include "nodeagent/node_info.h"

#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/program.h"
#include "lib/timefmt.h"

/* What the kubelet keeps free before it evicts: not given to pods. */
#define MEMORY_KEPT_BYTES    (100LL * 1024 * 1024)
#define STORAGE_KEPT_PERCENT 10
#define IMAGES_SHOWN         50

static int64_t memory_total(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 ? (int64_t)info.totalram * info.mem_unit : 0;
}

int64_t node_info_memory_bytes(void)
{
	int64_t total = memory_total();

	return total > 2 * MEMORY_KEPT_BYTES ? total - MEMORY_KEPT_BYTES : total;
}

int64_t node_info_millicpu(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) * 1000 : 1000;
}

const char *node_info_architecture(void)
{
	static const struct {
		const char *machine, *go;
	} names[] = {
		{ "x86_64", "amd64" },    { "aarch64", "arm64" },   { "armv7l", "arm" },
		{ "riscv64", "riscv64" }, { "ppc64le", "ppc64le" }, { "s390x", "s390x" },
	};
	struct utsname u;

	if (uname(&u) < 0)
		return "amd64";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].machine, u.machine) == 0)
			return names[i].go;
	return "amd64";
}

/* First line of a file, "" when it cannot be read. Caller frees. */
static char *first_line(const char *path)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	if (buf_read_file(&b, path, 65536, NULL) < 0 || !b.data)
		return mem_dup("");
	return mem_dupn(b.data, strcspn(b.data, "\n"));
}

static void set_file(struct json_object *obj, const char *key, const char *path)
{
	CLEANUP(mem_freep) char *line = first_line(path);

	json_set_str(obj, key, line);
}

/* PRETTY_NAME of os-release. */
static void set_os_image(struct json_object *obj)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const char *name = NULL;

	if (buf_read_file(&b, "/etc/os-release", 65536, NULL) == 0 && b.data)
		name = strstr(b.data, "PRETTY_NAME=\"");
	name = name ? name + strlen("PRETTY_NAME=\"") : "Linux\"";
	CLEANUP(mem_freep) char *value = mem_dupn(name, strcspn(name, "\"\n"));
	json_set_str(obj, "osImage", value);
}

static struct json_object *info_json(const struct node_info_opts *opts)
{
	struct json_object *obj = json_object_new_object();
	struct utsname u = { 0 };

	uname(&u);
	set_file(obj, "machineID", "/etc/machine-id");
	set_file(obj, "systemUUID", "/sys/class/dmi/id/product_uuid");
	set_file(obj, "bootID", "/proc/sys/kernel/random/boot_id");
	json_set_str(obj, "kernelVersion", u.release);
	set_os_image(obj);
	json_set_str(obj, "containerRuntimeVersion", opts->runtime_version);
	json_set_str(obj, "kubeletVersion", KNARR_VERSION);
	json_set_str(obj, "kubeProxyVersion", "");
	json_set_str(obj, "operatingSystem", "linux");
	json_set_str(obj, "architecture", node_info_architecture());
	return obj;
}

static void set_ki(struct json_object *obj, const char *key, int64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64 "Ki", bytes / 1024);
	json_set_str(obj, key, text);
}

/* Huge pages by size, from /sys: "hugepages-2Mi". All of them belong to pods. */
static void set_huge_pages(struct json_object *obj)
{
	DIR *d = opendir("/sys/kernel/mm/hugepages");
	int64_t kib;

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		if (sscanf(e->d_name, "hugepages-%" SCNd64 "kB", &kib) != 1)
			continue;
		CLEANUP(mem_freep)
		char *path = mem_printf("/sys/kernel/mm/hugepages/%s/nr_hugepages", e->d_name);
		CLEANUP(mem_freep) char *count = first_line(path);
		CLEANUP(mem_freep)
		char *key = kib >= 1024 * 1024 ? mem_printf("hugepages-%" PRId64 "Gi", kib / 1024 / 1024)
			    : kib >= 1024      ? mem_printf("hugepages-%" PRId64 "Mi", kib / 1024)
					       : mem_printf("hugepages-%" PRId64 "Ki", kib);
		int64_t total = strtoll(count, NULL, 10) * kib * 1024;
		if (total > 0)
			set_ki(obj, key, total);
		else
			json_set_str(obj, key, "0");
	}
	closedir(d);
}

static struct json_object *resources_json(const struct node_info_opts *opts, bool allocatable)
{
	struct json_object *obj = json_object_new_object();
	struct statvfs fs = { 0 };
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, node_info_millicpu() / 1000);
	json_set_str(obj, "cpu", text);
	if (statvfs(opts->data_dir, &fs) == 0) {
		int64_t total = (int64_t)(fs.f_blocks * fs.f_frsize);
		if (allocatable) {
			snprintf(text, sizeof(text), "%" PRId64, total / 100 * (100 - STORAGE_KEPT_PERCENT));
			json_set_str(obj, "ephemeral-storage", text);
		} else {
			set_ki(obj, "ephemeral-storage", total);
		}
	}
	set_huge_pages(obj);
	set_ki(obj, "memory", allocatable ? node_info_memory_bytes() : memory_total());
	snprintf(text, sizeof(text), "%" PRId64, opts->max_pods);
	json_set_str(obj, "pods", text);
	return obj;
}

static const struct json_object *previous_condition(const struct node_info_opts *opts, const char *type)
{
	const struct json_object *list = json_get(opts->previous, "conditions");

	for (size_t i = 0; i < json_len(list); i++)
		if (strcmp(json_str_or_empty(json_at(list, i), "type"), type) == 0)
			return json_at(list, i);
	return NULL;
}

static void add_condition(const struct node_info_opts *opts, struct json_object *list, const char *type,
			  bool value, const char *reason, const char *message)
{
	struct json_object *obj = json_object_new_object();
	const struct json_object *old = previous_condition(opts, type);
	const char *status = value ? "True" : "False";
	char now[TIMEFMT_SIZE];

	time_format(opts->now_us, now);
	json_set_str(obj, "type", type);
	json_set_str(obj, "status", status);
	json_set_str(obj, "lastHeartbeatTime", now);
	json_set_str(obj, "lastTransitionTime",
		     old && strcmp(json_str_or_empty(old, "status"), status) == 0
			 ? json_str_or_empty(old, "lastTransitionTime")
			 : now);
	json_set_str(obj, "reason", reason);
	json_set_str(obj, "message", message);
	json_object_array_add(list, obj);
}

static struct json_object *conditions_json(const struct node_info_opts *opts)
{
	struct json_object *list = json_object_new_array();

	add_condition(opts, list, "MemoryPressure", false, "KubeletHasSufficientMemory",
		      "kubelet has sufficient memory available");
	add_condition(opts, list, "DiskPressure", false, "KubeletHasNoDiskPressure",
		      "kubelet has no disk pressure");
	add_condition(opts, list, "PIDPressure", false, "KubeletHasSufficientPID",
		      "kubelet has sufficient PID available");
	add_condition(opts, list, "Ready", opts->ready, opts->ready ? "KubeletReady" : "KubeletNotReady",
		      opts->ready ? "kubelet is posting ready status" : opts->not_ready_message);
	return list;
}

static struct json_object *addresses_json(const struct node_info_opts *opts)
{
	struct json_object *list = json_object_new_array();
	const char *const pairs[][2] = { { "InternalIP", opts->node_ip }, { "Hostname", opts->node_name } };

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct json_object *obj = json_object_new_object();
		json_set_str(obj, "type", pairs[i][0]);
		json_set_str(obj, "address", pairs[i][1]);
		json_object_array_add(list, obj);
	}
	return list;
}

/* "docker.io/library/web" of "docker.io/library/web:1", with the digest: the name that never changes. */
static char *name_with_digest(const struct json_object *image)
{
	const char *reference = json_str_or_empty(image, "reference"), *slash = strrchr(reference, '/');
	size_t len = (slash ? (size_t)(slash - reference) : 0) + strcspn(slash ? slash : reference, ":@");

	return mem_printf("%.*s@%s", (int)len, reference, json_str_or_empty(image, "digest"));
}

static struct json_object *images_json(const struct node_info_opts *opts)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < json_len(opts->images) && i < IMAGES_SHOWN; i++) {
		const struct json_object *image = json_at(opts->images, i);
		struct json_object *obj = json_object_new_object(), *names = json_object_new_array();
		CLEANUP(mem_freep) char *fixed = name_with_digest(image);
		json_object_array_add(names, json_object_new_string(fixed));
		json_object_array_add(names, json_object_new_string(json_str_or_empty(image, "reference")));
		json_set(obj, "names", names);
		json_set_int(obj, "sizeBytes", json_int(image, "size", 0));
		json_object_array_add(list, obj);
	}
	return list;
}

struct json_object *node_info_status(const struct node_info_opts *opts)
{
	struct json_object *status = json_object_new_object(), *endpoint = json_object_new_object();

	json_set(status, "capacity", resources_json(opts, false));
	json_set(status, "allocatable", resources_json(opts, true));
	json_set(status, "conditions", conditions_json(opts));
	json_set(status, "addresses", addresses_json(opts));
	json_set_int(endpoint, "Port", opts->port);
	json_set(json_ensure_object(status, "daemonEndpoints"), "kubeletEndpoint", endpoint);
	json_set(status, "nodeInfo", info_json(opts));
	json_set(status, "images", images_json(opts));
	return status;
}
