#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/attach.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/watch.h"

#define SECOND_US INT64_C(1000000)
#define ENDED_US  (2 * SECOND_US) /* for what ended to be shown as such */

static struct {
	const char *image, *restart, *labels, *pull, *port;
	struct string_list env;
	bool in, tty, rm, attach, attach_given, command, quiet;
	int64_t timeout_us;
} flags = { .restart = "Always", .timeout_us = 60 * SECOND_US };

static const struct flag run_flags[] = {
	{ "image", 0, FLAG_STRING, &flags.image, "IMAGE", "what the container is made of", NULL, NULL },
	{ "stdin", 'i', FLAG_BOOL, &flags.in, NULL, "with a standard input: ours, as long as we are attached",
	  NULL, NULL },
	{ "tty", 't', FLAG_BOOL, &flags.tty, NULL, "on a terminal", NULL, NULL },
	{ "attach", 0, FLAG_BOOL, &flags.attach, NULL, "be attached to it (default with -i)", NULL,
	  &flags.attach_given },
	{ "rm", 0, FLAG_BOOL, &flags.rm, NULL, "delete the pod when we are not attached any more", NULL,
	  NULL },
	{ "restart", 0, FLAG_STRING, &flags.restart, "POLICY", "Always, OnFailure or Never (default Always)",
	  NULL, NULL },
	{ "command", 0, FLAG_BOOL, &flags.command, NULL, "what follows -- is the command, not its arguments",
	  NULL, NULL },
	{ "env", 0, FLAG_LIST, &flags.env, "NAME=VALUE", "in its environment", NULL, NULL },
	{ "labels", 'l', FLAG_STRING, &flags.labels, "LABELS", "of the pod (default run=NAME)", NULL, NULL },
	{ "port", 0, FLAG_STRING, &flags.port, "PORT", "that the container serves", NULL, NULL },
	{ "image-pull-policy", 0, FLAG_STRING, &flags.pull, "POLICY", "Always, IfNotPresent or Never", NULL,
	  NULL },
	{ "quiet", 'q', FLAG_BOOL, &flags.quiet, NULL, "say nothing of our own", NULL, NULL },
	{ "pod-running-timeout", 0, FLAG_DURATION, &flags.timeout_us, "DURATION",
	  "how long to wait until it runs (default 1m)", NULL, NULL },
	{ 0 },
};

/* --- the pod --- */

static void set_string(struct json_object *obj, const char *key, const char *value)
{
	json_set(obj, key, json_object_new_string(value));
}

/* "a=b,c=d"; false: it is no such list. */
static bool set_labels(struct json_object *metadata, const char *name)
{
	struct json_object *labels = json_object_new_object();

	json_set(metadata, "labels", labels);
	if (!flags.labels) {
		set_string(labels, "run", name);
		return true;
	}
	CLEANUP(mem_freep) char *copy = mem_dup(flags.labels);
	for (char *rest = copy, *label; (label = strsep(&rest, ","));) {
		char *value = strchr(label, '=');
		if (!value)
			return false;
		*value++ = '\0';
		set_string(labels, label, value);
	}
	return true;
}

static bool set_env(struct json_object *container)
{
	for (size_t i = 0; i < flags.env.n; i++) {
		const char *value = strchr(flags.env.items[i], '=');
		if (!value)
			return false;
		CLEANUP(mem_freep)
		char *name = mem_dupn(flags.env.items[i], (size_t)(value - flags.env.items[i]));
		struct json_object *variable = json_object_new_object();
		set_string(variable, "name", name);
		set_string(variable, "value", value + 1);
		json_object_array_add(json_ensure_array(container, "env"), variable);
	}
	return true;
}

static struct json_object *make_container(const char *name, char **args, size_t n_args)
{
	struct json_object *container = json_object_new_object();

	set_string(container, "name", name);
	set_string(container, "image", flags.image);
	if (flags.pull)
		set_string(container, "imagePullPolicy", flags.pull);
	for (size_t i = 0; i < n_args; i++)
		json_object_array_add(json_ensure_array(container, flags.command ? "command" : "args"),
				      json_object_new_string(args[i]));
	if (flags.port) {
		struct json_object *port = json_object_new_object();
		json_set(port, "containerPort", json_object_new_int64(strtoll(flags.port, NULL, 10)));
		json_object_array_add(json_ensure_array(container, "ports"), port);
	}
	if (flags.in) {
		json_set_bool(container, "stdin", true);
		json_set_bool(container, "stdinOnce", true);
	}
	if (flags.tty)
		json_set_bool(container, "tty", true);
	return container;
}

static int create(const char *name, char **args, size_t n_args, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *pod = json_object_new_object();
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT, answer = BUF_INIT;
	struct json_object *metadata = json_object_new_object(), *spec = json_object_new_object();
	struct json_object *container = make_container(name, args, n_args);

	set_string(pod, "apiVersion", "v1");
	set_string(pod, "kind", "Pod");
	json_set(pod, "metadata", metadata);
	json_set(pod, "spec", spec);
	json_object_array_add(json_ensure_array(spec, "containers"), container);
	set_string(metadata, "name", name);
	set_string(spec, "restartPolicy", flags.restart);
	if (!set_labels(metadata, name))
		return err_set(err, ERR_PARSE, "unexpected label spec: %s", flags.labels);
	if (!set_env(container))
		return err_set(err, ERR_PARSE, "invalid env: NAME=VALUE is expected");
	session_path(&path, resource_find("", "v1", "pods"), session_namespace(), NULL, NULL,
		     "fieldManager=kubectl-run");
	json_write(&body, pod);
	if (session_do("POST", path.data, NULL, NULL, &body, &answer, err) < 0)
		return -1;
	return json_parse(answer.data, answer.len, ret, NULL, err);
}

/* --- its end --- */

struct waiting {
	bool for_end;
	bool running, ended;
	int code;
};

static bool on_event(const char *type, struct json_object *pod, void *arg)
{
	struct waiting *w = arg;
	const struct json_object *status = json_get(pod, "status");
	const struct json_object *state =
	    json_get(json_at(json_get(status, "containerStatuses"), 0), "state");
	const struct json_object *terminated = json_get(state, "terminated");
	const char *phase = json_str_or_empty(status, "phase");

	w->ended = strcmp(type, "DELETED") == 0 || strcmp(phase, "Succeeded") == 0 ||
		   strcmp(phase, "Failed") == 0 || (w->for_end && terminated);
	w->running = json_get(state, "running") != NULL;
	if (terminated)
		w->code = (int)json_int(terminated, "exitCode", 0);
	return !w->ended && (w->for_end || !w->running);
}

static int wait_for(const struct json_object *pod, struct waiting *w, int64_t timeout_us, struct err *err)
{
	return object_watch(resource_find("", "v1", "pods"), object_meta(pod, "namespace"),
			    object_meta(pod, "name"), "0", on_event, w, timeout_us, err);
}

/* What it wrote before it could be attached to, or all when it had ended by then. */
static void print_log(const struct json_object *pod)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, log = BUF_INIT;

	session_path(&path, resource_find("", "v1", "pods"), object_meta(pod, "namespace"),
		     object_meta(pod, "name"), "log", NULL);
	if (session_do("GET", path.data, "*/*", NULL, NULL, &log, NULL) == 0 && log.len > 0)
		fwrite(log.data, 1, log.len, stdout);
	fflush(stdout);
}

static void delete_pod(const struct json_object *pod)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, answer = BUF_INIT;
	struct err err = ERR_INIT;

	session_path(&path, resource_find("", "v1", "pods"), object_meta(pod, "namespace"),
		     object_meta(pod, "name"), NULL, NULL);
	if (session_do("DELETE", path.data, NULL, NULL, NULL, &answer, &err) < 0)
		session_failed(&err);
	else if (!flags.quiet)
		printf("pod \"%s\" deleted\n", object_meta(pod, "name"));
}

/* The exit code of what ran, as kubectl gives it with --restart=Never; else 0. */
static int be_attached(const struct json_object *pod, struct err *err)
{
	struct waiting begin = { 0 }, end = { .for_end = true };
	const char *container =
	    json_str_or_empty(json_at(json_path(pod, "spec", "containers", NULL), 0), "name");

	if (wait_for(pod, &begin, flags.timeout_us, err) < 0)
		return -1;
	if (!begin.running) {
		print_log(pod);
		return begin.code;
	}
	if (attach_to(pod, container, flags.in, flags.tty, flags.quiet, err) < 0) {
		/* It may have ended meanwhile: then there is its log. */
		if (wait_for(pod, &end, ENDED_US, NULL) < 0)
			return -1;
		print_log(pod);
		return end.code;
	}
	if (strcmp(flags.restart, "Always") == 0)
		return 0;
	return wait_for(pod, &end, flags.timeout_us, err) < 0 ? -1 : end.code;
}

static int check(size_t n_args)
{
	if (n_args < 1)
		return command_usage_error("run", "NAME is required for run");
	if (!flags.image)
		return command_error("required flag(s) \"image\" not set");
	if (flags.tty && !flags.in)
		return command_error("-i/--stdin is required for containers with -t/--tty=true");
	if (strcmp(flags.restart, "Always") != 0 && strcmp(flags.restart, "OnFailure") != 0 &&
	    strcmp(flags.restart, "Never") != 0)
		return command_error("invalid restart policy: %s", flags.restart);
	flags.attach = flags.attach_given ? flags.attach : flags.in;
	if (flags.rm && !flags.attach)
		return command_error("--rm should only be used for attached containers");
	return 0;
}

static int run_run(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *pod = NULL;
	struct err err = ERR_INIT;

	if (check(n_args))
		return 1;
	if (create(args[0], args + 1, n_args - 1, &pod, &err) < 0)
		return session_failed(&err);
	if (!flags.attach) {
		printf("pod/%s created\n", args[0]);
		return 0;
	}
	int code = be_attached(pod, &err);
	if (flags.rm)
		delete_pod(pod);
	if (code < 0)
		return session_failed(&err);
	if (code)
		fprintf(stderr, "pod %s/%s terminated (Error)\n", object_meta(pod, "namespace"), args[0]);
	return code;
}

const struct command command_run = {
	.name = "run",
	.about = "Run an image in a pod",
	.usage = "run NAME --image=IMAGE [-i] [-t] [--rm] [--restart=POLICY] [-- ARGS...]",
	.help = "Examples:\n"
		"  kubectl-lite run web --image=market-data:v1 --port=8080\n"
		"  kubectl-lite run -it --rm shell --image=busybox --restart=Never -- sh\n",
	.flags = run_flags,
	.run = run_run,
};
