#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/log_streams.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/pod_choice.h"
#include "kubectl-lite/session.h"
#include "lib/timefmt.h"

enum { TAIL_OF_SELECTED = 10 };

static struct {
	bool follow, previous, timestamps, all_containers, prefix, ignore_errors, tail_given;
	const char *container, *since_time, *labels;
	int64_t tail, since_us, limit_bytes, max_streams;
} flags = { .tail = -1, .max_streams = 5 };

static const struct flag logs_flags[] = {
	{ "follow", 'f', FLAG_BOOL, &flags.follow, NULL, "go on with what is written from now on", NULL,
	  NULL },
	{ "tail", 0, FLAG_INT, &flags.tail, "N", "only the last N lines (default all; with -l 10)", NULL,
	  &flags.tail_given },
	{ "container", 'c', FLAG_STRING, &flags.container, "NAME", "of this container", NULL, NULL },
	{ "all-containers", 0, FLAG_BOOL, &flags.all_containers, NULL, "of all containers of the pod", NULL,
	  NULL },
	{ "previous", 'p', FLAG_BOOL, &flags.previous, NULL, "of the container before its last restart", NULL,
	  NULL },
	{ "since", 0, FLAG_DURATION, &flags.since_us, "DURATION", "only what is newer than 5s, 2m, 3h", NULL,
	  NULL },
	{ "since-time", 0, FLAG_STRING, &flags.since_time, "TIME",
	  "only what is newer than this RFC 3339 time", NULL, NULL },
	{ "timestamps", 0, FLAG_BOOL, &flags.timestamps, NULL, "the time before each line", NULL, NULL },
	{ "limit-bytes", 0, FLAG_INT, &flags.limit_bytes, "N", "at most so many bytes of each container",
	  NULL, NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "of all pods with these labels", NULL,
	  NULL },
	{ "prefix", 0, FLAG_BOOL, &flags.prefix, NULL, "pod and container before each line", NULL, NULL },
	{ "ignore-errors", 0, FLAG_BOOL, &flags.ignore_errors, NULL,
	  "when following, go on with the others if one fails", NULL, NULL },
	{ "max-log-requests", 0, FLAG_INT, &flags.max_streams, "N",
	  "how many to follow at once at most (default 5)", NULL, NULL },
	{ 0 },
};

/* --- streams --- */

static void add_stream(struct log_streams *streams, const struct json_object *pod, const char *container)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT, path = BUF_INIT;
	CLEANUP(mem_freep)
	char *prefix = flags.prefix ? mem_printf("[pod/%s/%s] ", object_meta(pod, "name"), container) : NULL;

	buf_str(&query, "container=");
	buf_url_encode(&query, container);
	if (flags.follow)
		buf_str(&query, "&follow=true");
	if (flags.previous)
		buf_str(&query, "&previous=true");
	if (flags.timestamps)
		buf_str(&query, "&timestamps=true");
	if (flags.tail >= 0)
		buf_printf(&query, "&tailLines=%lld", (long long)flags.tail);
	if (flags.since_us > 0)
		buf_printf(&query, "&sinceSeconds=%lld", (long long)((flags.since_us + 999999) / 1000000));
	if (flags.since_time) {
		buf_str(&query, "&sinceTime=");
		buf_url_encode(&query, flags.since_time);
	}
	if (flags.limit_bytes > 0)
		buf_printf(&query, "&limitBytes=%lld", (long long)flags.limit_bytes);
	session_path(&path, resource_find("", "v1", "pods"), object_meta(pod, "namespace"),
		     object_meta(pod, "name"), "log", query.data);
	log_streams_add(streams, path.data, prefix);
}

static int add_streams(struct log_streams *streams, const struct json_object *pod, struct err *err)
{
	static const char *const order[] = { "initContainers", "containers", "ephemeralContainers" };

	if (flags.container && !pod_has_container(pod, flags.container)) {
		err_set(err, ERR_PARSE, "container %s is not valid for pod %s", flags.container,
			object_meta(pod, "name"));
		return pod_no_container(pod, flags.container, err);
	}
	if (!flags.all_containers) {
		add_stream(streams, pod, flags.container ? flags.container : pod_default_container(pod));
		return 0;
	}
	for (size_t l = 0; l < ARRAY_SIZE(order); l++) {
		const struct json_object *list = json_path(pod, "spec", order[l], NULL);
		for (size_t i = 0; i < json_len(list); i++)
			add_stream(streams, pod, json_str_or_empty(json_at(list, i), "name"));
	}
	return 0;
}

static int check_flags(char **args, size_t n_args)
{
	int64_t us;

	if (!flags.labels && n_args == 0)
		return command_usage_error("logs",
					   "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\n"
					   "POD or TYPE/NAME is a required argument for the logs command");
	if (flags.labels && n_args > 0)
		return command_error("only a selector (-l) or a POD name is allowed");
	if (n_args > 2 || (n_args == 2 && flags.container))
		return command_usage_error("logs", "too many arguments: [%s ...]", args[0]);
	if (flags.all_containers && flags.container)
		return command_error("--all-containers=true should not be specified with container name %s",
				     flags.container);
	if (flags.since_us > 0 && flags.since_time)
		return command_error("at most one of `sinceTime` or `sinceSeconds` may be specified");
	if (flags.since_time && !time_parse(flags.since_time, &us))
		return command_error("--since-time: %s is no RFC 3339 time", flags.since_time);
	if (flags.tail < -1)
		return command_error("--tail must be greater than or equal to -1");
	return 0;
}

static int run_logs(char **args, size_t n_args)
{
	CLEANUP(pods_close) struct pods pods = { 0 };
	CLEANUP(log_streams_close) struct log_streams streams = { 0 };
	struct err err = ERR_INIT;

	if (check_flags(args, n_args))
		return 1;
	if (n_args == 2 && !strchr(args[0], '/')) { /* "logs POD CONTAINER" */
		flags.container = args[1];
		n_args = 1;
	}
	if (flags.labels && !flags.tail_given)
		flags.tail = TAIL_OF_SELECTED;
	if (pods_find(args, n_args, flags.labels, &pods, &err) < 0)
		return session_failed(&err);
	for (size_t i = 0; i < pods.n; i++)
		if (add_streams(&streams, pods.items[i], &err) < 0)
			return session_failed(&err);
	if (!streams.n) {
		fprintf(stderr, "No resources found in %s namespace.\n", session_namespace());
		return 0;
	}
	if (flags.follow && streams.n > 1 && (int64_t)streams.n > flags.max_streams)
		return command_error("you are attempting to follow %zu log streams, but maximum allowed "
				     "concurrency is %lld, use "
				     "--max-log-requests to increase the limit",
				     streams.n, (long long)flags.max_streams);
	if (log_streams_run(&streams, flags.follow, flags.ignore_errors, &err) < 0)
		return session_failed(&err);
	return 0;
}

const struct command command_logs = {
	.name = "logs",
	.about = "Print what containers wrote",
	.usage = "logs (POD | TYPE/NAME | -l LABELS) [-c CONTAINER] [flags]",
	.help = "Examples:\n"
		"  kubectl-lite logs -f deployment/web\n"
		"  kubectl-lite logs web-0 -c proxy --tail 20\n"
		"  kubectl-lite logs -l app=web --all-containers --prefix\n",
	.flags = logs_flags,
	.run = run_logs,
};
