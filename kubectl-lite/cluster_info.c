/* cluster-info and api-versions: what the server says about itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/session.h"

static int run_cluster_info(char **args, size_t n_args)
{
	CLEANUP(buf_close) struct buf answer = BUF_INIT;
	struct err err = ERR_INIT;

	if (n_args)
		return command_usage_error("cluster-info", "unexpected argument: %s", args[0]);
	/* Saying that it runs, without having asked, would be a guess. */
	if (session_do("GET", "/version", NULL, NULL, NULL, &answer, &err) < 0)
		return session_failed(&err);
	printf("Kubernetes control plane is running at %s\n", session_open()->config.server);
	return 0;
}

const struct command command_cluster_info = {
	.name = "cluster-info",
	.about = "Print where the control plane is, if it answers",
	.usage = "cluster-info",
	.run = run_cluster_info,
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int run_api_versions(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *groups = NULL;
	struct err err = ERR_INIT;
	char **names = NULL;
	size_t n = 0;

	if (n_args)
		return command_usage_error("api-versions", "unexpected argument: %s", args[0]);
	if (session_get("/apis", &groups, &err) < 0)
		return session_failed(&err);
	const struct json_object *list = json_get(groups, "groups");
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json_object *versions = json_get(json_at(list, i), "versions");
		for (size_t k = 0; k < json_len(versions); k++) {
			names = mem_realloc_array(names, n + 2, sizeof(*names));
			names[n++] = mem_dup(json_str_or_empty(json_at(versions, k), "groupVersion"));
		}
	}
	names = mem_realloc_array(names, n + 1, sizeof(*names));
	names[n++] = mem_dup("v1");
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		puts(names[i]);
		free(names[i]);
	}
	free(names);
	return 0;
}

const struct command command_api_versions = {
	.name = "api-versions",
	.about = "List the API's groups with their versions",
	.usage = "api-versions",
	.run = run_api_versions,
};
