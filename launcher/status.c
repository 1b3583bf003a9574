#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/cluster.h"
#include "launcher/commands.h"
#include "launcher/supervisor.h"
#include "lib/api_client.h"
#include "lib/json.h"

enum { EXIT_NOT_RUNNING = 3, SMAPS_MAX_BYTES = 64 * 1024 };

static void set_flag(int option, const char *value, void *arg)
{
	if (option == 'D')
		*(const char **)arg = value;
}

/* Proportional set size in KiB: what the process costs, shared pages divided among their users. */
static long pss_kib(int pid)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	if (buf_read_file(&text, path, SMAPS_MAX_BYTES, NULL) < 0 || text.len == 0)
		return -1;
	const char *line = strstr(text.data, "\nPss:");
	return line ? strtol(line + 5, NULL, 10) : -1;
}

static void print_program(const struct cluster *cluster, const char *name)
{
	int pid = supervisor_program_pid(cluster, name);
	long kib = pid ? pss_kib(pid) : -1;

	if (!pid)
		printf("  %-18s not running\n", name);
	else if (kib < 0)
		printf("  %-18s running   pid %d\n", name, pid);
	else
		printf("  %-18s running   pid %-8d %ld.%ld MB\n", name, pid, kib / 1024,
		       kib % 1024 * 10 / 1024);
}

static int get_list(struct api_client *client, const char *path, struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	if (api_client_do(client, "GET", path, NULL, NULL, NULL, 0, &body, NULL, err) < 0)
		return -1;
	return json_parse(body.data, body.len, ret, NULL, err);
}

static bool condition_is_true(const struct json_object *obj, const char *type)
{
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);
		if (strcmp(json_str_or_empty(c, "type"), type) == 0)
			return strcmp(json_str_or_empty(c, "status"), "True") == 0;
	}
	return false;
}

static void print_ready(const struct json_object *list, const char *what)
{
	const struct json_object *items = json_get(list, "items");
	size_t ready = 0;

	for (size_t i = 0; i < json_len(items); i++)
		ready += condition_is_true(json_at(items, i), "Ready");
	printf("  %-18s %zu, %zu ready\n", what, json_len(items), ready);
}

static int print_api(const struct cluster *cluster, struct err *err)
{
	CLEANUP(mem_freep) char *path = cluster_path(cluster, "kubeconfig");
	CLEANUP(json_putp) struct json_object *nodes = NULL, *pods = NULL;
	struct kubeconfig_overrides overrides = { .path = path };
	struct kubeconfig config = { 0 };
	int failed = -1;

	struct loop *loop = loop_new(err);
	if (!loop)
		return -1;
	if (kubeconfig_load(&overrides, &config, err) == 0) {
		struct api_client *client = api_client_new(loop, &config, "knarr", err);
		if (client && get_list(client, "/api/v1/nodes", &nodes, err) == 0 &&
		    get_list(client, "/api/v1/pods", &pods, err) == 0) {
			print_ready(nodes, "nodes");
			print_ready(pods, "pods");
			failed = 0;
		}
		api_client_free(client);
		kubeconfig_close(&config);
	}
	loop_free(loop);
	return failed;
}

int command_status(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'D' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *dir = CLUSTER_DEFAULT_DIR;
	struct cluster cluster = { 0 };
	struct err err = ERR_INIT;

	if (command_flags(command, argc, argv, options, set_flag, &dir) != argc) {
		fprintf(stderr, "error: unexpected argument: %s\nSee 'knarr status --help' for usage.\n",
			argv[optind]);
		return 2;
	}
	if (cluster_load(dir, &cluster, &err) < 0) {
		command_failed(err.msg);
		return EXIT_NOT_RUNNING;
	}
	int pid = cluster_supervisor(&cluster);
	printf("Cluster in %s: %s\n", cluster.dir, pid ? "running" : "not running");
	printf("  %-18s https://%s:%u\n", "API server", cluster.address, cluster.port);
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS; i++)
		print_program(&cluster, supervisor_program(i));
	int code = pid ? 0 : EXIT_NOT_RUNNING;
	if (pid && print_api(&cluster, &err) < 0)
		code = command_failed(err.msg);
	cluster_close(&cluster);
	return code;
}
