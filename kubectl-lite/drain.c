/* drain: a node gives up its pods, one eviction each, which disruption budgets may delay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/cordon.h"
#include "kubectl-lite/session.h"
#include "lib/timefmt.h"

enum { TRY_AGAIN_MS = 5000 };

static struct {
	const char *labels, *pod_labels, *dry_run;
	bool force, ignore_daemon_sets, delete_empty_dirs, disable_eviction;
	int64_t grace_s, timeout_us;
} flags = { .grace_s = -1 };

static const struct flag drain_flags[] = {
	{ "force", 0, FLAG_BOOL, &flags.force, NULL, "also pods that no controller will make again", NULL,
	  NULL },
	{ "ignore-daemonsets", 0, FLAG_BOOL, &flags.ignore_daemon_sets, NULL,
	  "leave pods of DaemonSets there", NULL, NULL },
	{ "delete-emptydir-data", 0, FLAG_BOOL, &flags.delete_empty_dirs, NULL,
	  "also pods whose data in emptyDir is lost", NULL, NULL },
	{ "disable-eviction", 0, FLAG_BOOL, &flags.disable_eviction, NULL,
	  "delete, whatever disruption budgets say", NULL, NULL },
	{ "grace-period", 0, FLAG_INT, &flags.grace_s, "SECONDS",
	  "time for pods to end; -1: what they say themselves", NULL, NULL },
	{ "timeout", 0, FLAG_DURATION, &flags.timeout_us, "DURATION", "how long at most; 0: no limit", NULL,
	  NULL },
	{ "pod-selector", 0, FLAG_STRING, &flags.pod_labels, "LABELS", "only pods with these labels", NULL,
	  NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "nodes with these labels", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but store nothing)", "unchanged", NULL },
	{ 0 },
};

struct draining {
	struct objects pods;         /* those that are to go */
	struct buf errors, warnings; /* what stands against it: names by reason */
};

static const struct json_object *controller_of(const struct json_object *pod)
{
	const struct json_object *owners = json_path(pod, "metadata", "ownerReferences", NULL);

	for (size_t i = 0; i < json_len(owners); i++)
		if (json_boolean(json_at(owners, i), "controller", false))
			return json_at(owners, i);
	return NULL;
}

static bool has_empty_dir(const struct json_object *pod)
{
	const struct json_object *volumes = json_path(pod, "spec", "volumes", NULL);

	for (size_t i = 0; i < json_len(volumes); i++)
		if (json_get(json_at(volumes, i), "emptyDir"))
			return true;
	return false;
}

static bool is_over(const struct json_object *pod)
{
	const char *phase = json_str_or_empty(json_get(pod, "status"), "phase");

	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

/* What keeps POD from being drained, or is worth a word: *ret_fatal says which. NULL: nothing. */
static const char *objection(const struct json_object *pod, bool *ret_stays, bool *ret_fatal)
{
	const struct json_object *controller = controller_of(pod);
	const char *mirror =
	    json_str(json_path(pod, "metadata", "annotations", NULL), "kubernetes.io/config.mirror");

	*ret_stays = *ret_fatal = false;
	if (mirror) {
		*ret_stays = true;
		return NULL;
	}
	if (controller && strcmp(json_str_or_empty(controller, "kind"), "DaemonSet") == 0 && !is_over(pod)) {
		*ret_stays = true;
		*ret_fatal = !flags.ignore_daemon_sets;
		return flags.ignore_daemon_sets
			   ? "ignoring DaemonSet-managed Pods"
			   : "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)";
	}
	if (is_over(pod))
		return NULL;
	if (has_empty_dir(pod) && !flags.delete_empty_dirs) {
		*ret_fatal = true;
		return "cannot delete Pods with local storage (use --delete-emptydir-data to override)";
	}
	if (!controller) {
		*ret_fatal = !flags.force;
		return flags.force
			   ? "deleting Pods that declare no controller"
			   : "cannot delete Pods that declare no controller (use --force to override)";
	}
	return NULL;
}

static bool add_pod(struct json_object *pod, void *arg)
{
	struct draining *d = arg;
	const char *name = object_meta(pod, "name"), *namespace_ = object_meta(pod, "namespace");
	bool stays, fatal;
	const char *why = objection(pod, &stays, &fatal);

	if (why)
		buf_printf(fatal ? &d->errors : &d->warnings, "%s: %s/%s\n", why, namespace_, name);
	if (stays || fatal)
		return true;
	d->pods.items = mem_realloc_array(d->pods.items, d->pods.n + 1, sizeof(*d->pods.items));
	d->pods.items[d->pods.n++] = (struct object){ .resource = resource_find("", "v1", "pods"),
						      .namespace_ = mem_dup(namespace_),
						      .name = mem_dup(name),
						      .value = json_object_get(pod) };
	return true;
}

static int list_pods(const char *node, struct draining *d, struct err *err)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;

	buf_str(&query, "fieldSelector=spec.nodeName%3D");
	buf_url_encode(&query, node);
	if (flags.pod_labels) {
		buf_str(&query, "&labelSelector=");
		buf_url_encode(&query, flags.pod_labels);
	}
	return object_list(resource_find("", "v1", "pods"), NULL, query.data, add_pod, d, err);
}

static void print_lines(const char *head, struct buf *lines)
{
	for (char *rest = lines->data, *line; rest && (line = strsep(&rest, "\n")) != NULL;)
		if (*line)
			fprintf(stderr, "%s%s\n", head, line);
}

/* Asks for POD's end. ERR_TOO_MANY_REQUESTS: a budget says not now. */
static int evict(const struct object *pod, struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT, answer = BUF_INIT;

	session_path(&path, pod->resource, pod->namespace_, pod->name,
		     flags.disable_eviction ? NULL : "eviction", NULL);
	buf_printf(&body, "{\"apiVersion\":\"%s\",\"kind\":\"%s\"",
		   flags.disable_eviction ? "v1" : "policy/v1",
		   flags.disable_eviction ? "DeleteOptions" : "Eviction");
	if (!flags.disable_eviction) {
		buf_str(&body, ",\"metadata\":{\"name\":");
		buf_json_string(&body, pod->name);
		buf_str(&body, ",\"namespace\":");
		buf_json_string(&body, pod->namespace_);
		buf_str(&body, "},\"deleteOptions\":{");
	} else if (flags.grace_s >= 0) {
		buf_char(&body, ',');
	}
	if (flags.grace_s >= 0)
		buf_printf(&body, "\"gracePeriodSeconds\":%lld", (long long)flags.grace_s);
	buf_str(&body, flags.disable_eviction ? "}" : "}}");
	return session_do(flags.disable_eviction ? "DELETE" : "POST", path.data, NULL, "application/json",
			  &body, &answer, err);
}

static void pause_ms(int64_t ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static bool until_gone(const char *type, struct json_object *obj, void *arg)
{
	const struct object *pod = arg;

	(void)type;
	return strcmp(type, "DELETED") != 0 &&
	       strcmp(object_meta(obj, "uid"), object_meta(pod->value, "uid")) == 0;
}

static int64_t left_us(int64_t until_us)
{
	int64_t left = until_us - time_mono_us();

	return until_us == INT64_MAX ? 0 : left > 0 ? left : 1;
}

static int wait_gone(struct object *pod, int64_t until_us, struct err *err)
{
	if (object_watch(pod->resource, pod->namespace_, pod->name,
			 object_meta(pod->value, "resourceVersion"), until_gone, pod, left_us(until_us),
			 err) < 0)
		return -1;
	printf("pod/%s %s\n", pod->name, flags.disable_eviction ? "deleted" : "evicted");
	return 0;
}

/* Asks for the end of all of PODS that DONE does not mark yet, and waits for those that were granted it.
 * *ret_refused counts those whose budgets say not now. */
static int drain_round(const struct objects *pods, bool *done, int64_t until_us, size_t *ret_refused,
		       struct err *err)
{
	CLEANUP(mem_freep) bool *granted = mem_zalloc(pods->n + 1);

	*ret_refused = 0;
	for (size_t i = 0; i < pods->n; i++) {
		const struct object *pod = &pods->items[i];
		if (done[i])
			continue;
		printf("evicting pod %s/%s\n", pod->namespace_, pod->name);
		granted[i] = evict(pod, err) == 0;
		done[i] = granted[i] || err->kind == ERR_NOT_FOUND;
		if (!done[i] && err->kind != ERR_TOO_MANY_REQUESTS)
			return err_wrap(err, "error when evicting pods/\"%s\" -n \"%s\"", pod->name,
					pod->namespace_);
		if (!done[i]) {
			fprintf(stderr,
				"error when evicting pods/\"%s\" -n \"%s\" (will retry after 5s): %s\n",
				pod->name, pod->namespace_, err->msg);
			++*ret_refused;
		}
		*err = ERR_INIT;
	}
	for (size_t i = 0; i < pods->n; i++)
		if (granted[i] && wait_gone(&pods->items[i], until_us, err) < 0)
			return -1;
	return 0;
}

static int drain_pods(const struct objects *pods, struct err *err)
{
	CLEANUP(mem_freep) bool *done = mem_zalloc(pods->n + 1);
	int64_t until_us = flags.timeout_us ? time_mono_us() + flags.timeout_us : INT64_MAX;
	size_t refused;

	while (drain_round(pods, done, until_us, &refused, err) == 0) {
		if (!refused)
			return 0;
		if (time_mono_us() > until_us)
			return err_set(err, ERR_TIMEOUT, "global timeout reached: %zu pods are still there",
				       refused);
		pause_ms(TRY_AGAIN_MS);
	}
	return -1;
}

static int drain(const struct object *node, enum dry_run dry_run, struct err *err)
{
	struct draining d = { 0 };
	int failed = cordon_node(node, true, dry_run, err) < 0 || list_pods(node->name, &d, err) < 0 ? -1 : 0;

	print_lines("Warning: ", &d.warnings);
	if (!failed && d.errors.len) {
		print_lines("", &d.errors);
		failed = err_set(err, ERR_PARSE, "unable to drain node \"%s\"", node->name);
	}
	if (!failed && dry_run == DRY_RUN_NONE)
		failed = drain_pods(&d.pods, err);
	for (size_t i = 0; !failed && dry_run != DRY_RUN_NONE && i < d.pods.n; i++)
		printf("evicting pod %s/%s%s\n", d.pods.items[i].namespace_, d.pods.items[i].name,
		       dry_run_suffix(dry_run));
	if (!failed)
		printf("node/%s drained%s\n", node->name, dry_run_suffix(dry_run));
	objects_close(&d.pods);
	buf_close(&d.errors);
	buf_close(&d.warnings);
	return failed;
}

static int run_drain(char **args, size_t n_args)
{
	struct objects nodes;
	enum dry_run dry_run;
	struct err err = ERR_INIT;

	if (!n_args && !flags.labels)
		return command_usage_error("drain", "USAGE: drain NODE [flags]");
	if (dry_run_parse(flags.dry_run, &dry_run, &err) < 0 ||
	    cordon_find_nodes(args, n_args, flags.labels, &nodes, &err) < 0)
		return session_failed(&err);
	int code = nodes.bad > 0;
	for (size_t i = 0; i < nodes.n; i++) {
		err = ERR_INIT;
		if (drain(&nodes.items[i], dry_run, &err) < 0)
			code = session_failed(&err);
	}
	objects_close(&nodes);
	return code;
}

const struct command command_drain = {
	.name = "drain",
	.about = "Make a node give up its pods, for its maintenance",
	.usage = "drain NODE... [flags]",
	.help = "Examples:\n"
		"  kubectl-lite drain n1 --ignore-daemonsets\n"
		"  kubectl-lite drain n1 --force --grace-period=10   # also pods that nobody makes again\n",
	.flags = drain_flags,
	.run = run_drain,
};
