#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/attach.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/go_shape.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/overrides.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/watch.h"
#include "kubectl-lite/write.h"

#define SECOND_US INT64_C(1000000)
#define ENDED_US  (2 * SECOND_US) /* for what ended to be shown as such */

#define MANAGER "kubectl-run"

static struct {
	const char *image, *restart, *labels, *pull, *port;
	struct string_list env, annotations;
	struct overrides_flags overrides;
	bool in, tty, rm, attach, attach_given, command, quiet, expose, privileged, leave_open;
	int64_t timeout_us;
} flags = { .restart = "Always", .timeout_us = 60 * SECOND_US };

static const struct flag run_flags[] = {
	{ "image", 0, FLAG_STRING, &flags.image, "IMAGE", "what the container is made of (needed)", NULL,
	  NULL },
	{ "stdin", 'i', FLAG_BOOL, &flags.in, NULL, "with a standard input: ours, as long as we are attached",
	  NULL, NULL },
	{ "tty", 't', FLAG_BOOL, &flags.tty, NULL, "on a terminal", NULL, NULL },
	{ "leave-stdin-open", 0, FLAG_BOOL, &flags.leave_open, NULL,
	  "its standard input stays open when we leave", NULL, NULL },
	{ "attach", 0, FLAG_BOOL, &flags.attach, NULL, "be attached to it (default with -i)", NULL,
	  &flags.attach_given },
	{ "rm", 0, FLAG_BOOL, &flags.rm, NULL, "delete the pod when we are not attached any more", NULL,
	  NULL },
	{ "restart", 0, FLAG_STRING, &flags.restart, "POLICY", "Always, OnFailure or Never (default Always)",
	  NULL, NULL },
	{ "command", 0, FLAG_BOOL, &flags.command, NULL, "what follows -- is the command, not its arguments",
	  NULL, NULL },
	{ "env", 0, FLAG_ARRAY, &flags.env, "NAME=VALUE", "in its environment", NULL, NULL },
	{ "labels", 'l', FLAG_STRING, &flags.labels, "LABELS", "of the pod (default run=NAME)", NULL, NULL },
	{ "annotations", 0, FLAG_ARRAY, &flags.annotations, "KEY=VALUE", "of the pod", NULL, NULL },
	{ "port", 0, FLAG_STRING, &flags.port, "PORT", "that the container serves", NULL, NULL },
	{ "expose", 0, FLAG_BOOL, &flags.expose, NULL, "also create a Service for --port", NULL, NULL },
	{ "privileged", 0, FLAG_BOOL, &flags.privileged, NULL, "with all rights on the node", NULL, NULL },
	{ "image-pull-policy", 0, FLAG_STRING, &flags.pull, "POLICY", "Always, IfNotPresent or Never", NULL,
	  NULL },
	{ "quiet", 'q', FLAG_BOOL, &flags.quiet, NULL, "say nothing of our own", NULL, NULL },
	{ "pod-running-timeout", 0, FLAG_DURATION, &flags.timeout_us, "DURATION",
	  "how long to wait until it runs (default 1m)", NULL, NULL },
	OVERRIDES_FLAGS(flags.overrides),
	WRITE_CREATE_FLAGS,
	{ 0 },
};

/* --- the pod --- */

static int make_labels(const char *name, struct json_object **ret, struct err *err)
{
	if (flags.labels)
		return generate_pairs(flags.labels, ret, err);
	*ret = generate_pair("run", name);
	return 0;
}

/* WORDS are each KEY=VALUE, called WHAT. Gives them one after the other to ADD, which is about OBJ. */
static int each_pair(const struct string_list *words, const char *what, struct json_object *obj,
		     void (*add)(struct json_object *obj, const char *key, const char *value),
		     struct err *err)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *equals = strchr(words->items[i], '=');
		if (!equals || equals == words->items[i])
			return err_set(err, ERR_PARSE, "invalid %s: %s", what, words->items[i]);
		CLEANUP(mem_freep)
		char *key = mem_dupn(words->items[i], (size_t)(equals - words->items[i]));
		add(obj, key, equals + 1);
	}
	return 0;
}

static void add_variable(struct json_object *container, const char *name, const char *value)
{
	struct json_object *variable = json_object_new_object();

	json_set_str(variable, "name", name);
	json_set_str(variable, "value", value);
	json_object_array_add(json_ensure_array(container, "env"), variable);
}

static void add_annotation(struct json_object *metadata, const char *key, const char *value)
{
	json_set_str(json_ensure_object(metadata, "annotations"), key, value);
}

static int parse_port(int64_t *ret, struct err *err)
{
	char *end;

	*ret = strtoll(flags.port, &end, 10);
	return *flags.port && !*end
		   ? 0
		   : err_set(err, ERR_PARSE, "strconv.Atoi: parsing \"%s\": invalid syntax", flags.port);
}

static int fill_container(struct json_object *container, char **args, size_t n_args, struct err *err)
{
	int64_t number;

	if (flags.pull && *flags.pull)
		json_set_str(container, "imagePullPolicy", flags.pull);
	for (size_t i = 0; i < n_args; i++)
		json_object_array_add(json_ensure_array(container, flags.command ? "command" : "args"),
				      json_object_new_string(args[i]));
	if (flags.port) {
		struct json_object *port = json_object_new_object();
		json_object_array_add(json_ensure_array(container, "ports"), port);
		if (parse_port(&number, err) < 0)
			return -1;
		json_set_int(port, "containerPort", number);
	}
	if (flags.in)
		json_set_bool(container, "stdin", true);
	if (flags.in && !flags.leave_open)
		json_set_bool(container, "stdinOnce", true);
	if (flags.tty)
		json_set_bool(container, "tty", true);
	if (flags.privileged)
		json_set_bool(json_ensure_object(container, "securityContext"), "privileged", true);
	return each_pair(&flags.env, "env", container, add_variable, err);
}

static int make_pod(const char *name, char **args, size_t n_args, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *pod = generate_object("v1", "Pod", name, false);
	struct json_object *metadata = json_get(pod, "metadata"), *spec = json_ensure_object(pod, "spec"),
			   *container = generate_container(name, flags.image, NULL, 0), *labels = NULL;

	json_object_array_add(json_ensure_array(spec, "containers"), container);
	json_set_str(spec, "restartPolicy", flags.restart);
	json_set_str(spec, "dnsPolicy", "ClusterFirst");
	if (make_labels(name, &labels, err) < 0)
		return -1;
	json_set(metadata, "labels", labels);
	if (each_pair(&flags.annotations, "annotation", metadata, add_annotation, err) < 0 ||
	    fill_container(container, args, n_args, err) < 0)
		return -1;
	*ret = TAKE(pod);
	return 0;
}

static int make_service(const char *name, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *service = generate_object("v1", "Service", name, false);
	struct json_object *spec = json_ensure_object(service, "spec"), *port = json_object_new_object(),
			   *labels = NULL;
	int64_t number;

	json_object_array_add(json_ensure_array(spec, "ports"), port);
	if (parse_port(&number, err) < 0 || make_labels(name, &labels, err) < 0)
		return -1;
	json_set(spec, "selector", labels);
	json_set_str(port, "protocol", "TCP");
	json_set_int(port, "port", number);
	json_set_int(port, "targetPort", number);
	*ret = TAKE(service);
	return 0;
}

/* Sends *OBJ, or not; it becomes what the server made of it. */
static int create(const struct write *write, const char *plural, const struct overrides_flags *overrides,
		  struct json_object **obj, struct err *err)
{
	const struct resource *resource = resource_find("", "v1", plural);

	*obj = go_shape(*obj, resource->def);
	if (overrides_apply(overrides, resource->def, obj, err) < 0)
		return -1;
	if (write_flags.save_config)
		write_save_config(*obj, false);
	json_set_str(json_ensure_object(*obj, "metadata"), "namespace", session_namespace());
	return write_create(write, resource, session_namespace(), obj, err);
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

/* As far as it can be told without knowing registries: no spaces, nor letters that no image has. */
static bool is_image(const char *image)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@";

	return *image && image[strspn(image, allowed)] == '\0';
}

static bool is_among(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

static int check(size_t n_args)
{
	static const char *const restarts[] = { "Always", "OnFailure", "Never", NULL };
	static const char *const pulls[] = { "", "Always", "IfNotPresent", "Never", NULL };

	if (!flags.image)
		return command_error("required flag(s) \"image\" not set");
	if (n_args < 1)
		return command_usage_error("run", "NAME is required for run");
	if (!is_image(flags.image))
		return command_error("Invalid image name \"%s\": invalid reference format", flags.image);
	if (flags.tty && !flags.in)
		return command_usage_error("run", "-i/--stdin is required for containers with -t/--tty=true");
	if (flags.expose && !flags.port)
		return command_usage_error("run", "--port must be set when exposing a service");
	if (!is_among(flags.restart, restarts))
		return command_usage_error("run", "invalid restart policy: %s", flags.restart);
	flags.attach = flags.attach_given ? flags.attach : flags.in;
	if (flags.rm && !flags.attach)
		return command_usage_error("run", "--rm should only be used for attached containers");
	if (flags.pull && !is_among(flags.pull, pulls))
		return command_usage_error("run", "invalid image pull policy: %s", flags.pull);
	return 0;
}

/* Attached to POD until it ends. */
static int attend(const struct json_object *pod)
{
	struct err err = ERR_INIT;
	int code = be_attached(pod, &err);

	if (flags.rm)
		delete_pod(pod);
	/* No server said so. */
	if (code < 0 && err.kind == ERR_TIMEOUT)
		return command_error("%s", err.msg);
	if (code < 0)
		return session_failed(&err);
	if (code)
		fprintf(stderr, "pod %s/%s terminated (Error)\n", object_meta(pod, "namespace"),
			object_meta(pod, "name"));
	return code;
}

static int show(struct write *write, const char *plural, struct json_object *obj)
{
	struct err err = ERR_INIT;

	return write_show(write, resource_find("", "v1", plural), obj, "created", &err) < 0
		   ? session_failed(&err)
		   : 0;
}

/* The service of --expose; the pod is there already, and stays when this fails. */
static int expose(struct write *write, const char *name)
{
	static const struct overrides_flags none;
	CLEANUP(json_putp) struct json_object *service = NULL;
	struct err err = ERR_INIT;

	if (make_service(name, &service, &err) < 0 || create(write, "services", &none, &service, &err) < 0)
		return session_failed(&err);
	return show(write, "services", service);
}

static int run_created(struct write *write, char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *pod = NULL;
	struct err err = ERR_INIT;

	if (make_pod(args[0], args + 1, n_args - 1, &pod, &err) < 0 ||
	    create(write, "pods", &flags.overrides, &pod, &err) < 0)
		return session_failed(&err);
	int exposed = flags.expose ? expose(write, args[0]) : 0;
	int code = flags.attach ? attend(pod) : show(write, "pods", pod);
	return code ? code : exposed;
}

static int run_run(char **args, size_t n_args)
{
	struct write write;
	struct err err = ERR_INIT;

	if (check(n_args))
		return 1;
	if (write_begin(&write, MANAGER, &err) < 0)
		return session_failed(&err);
	int code;
	if (flags.attach && write.dry_run != DRY_RUN_NONE)
		code = command_usage_error("run", "--dry-run=[server|client] can't be used with attached "
						  "containers options (--attach, --stdin, or --tty)");
	else
		code = run_created(&write, args, n_args);
	write_end(&write);
	return code;
}

const struct command command_run = {
	.name = "run",
	.about = "Run an image in a pod",
	.usage = "run NAME --image=IMAGE [-i] [-t] [--rm] [--restart=POLICY] [-- ARGS...]",
	.help =
	    "Examples:\n"
	    "  kubectl-lite run web --image=market-data:v1 --port=8080 --expose\n"
	    "  kubectl-lite run job --image=busybox --restart=Never --env=MODE=fast -- sh -c 'echo $MODE'\n"
	    "  kubectl-lite run web --image=market-data:v1 --dry-run=client -o yaml > web.yaml\n"
	    "  kubectl-lite run -it --rm shell --image=busybox --restart=Never -- sh\n",
	.flags = run_flags,
	.run = run_run,
};
