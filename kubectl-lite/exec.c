#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/exec.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/pod_choice.h"
#include "kubectl-lite/session.h"

static struct {
	const char *container;
	bool in, tty, quiet;
} flags;

static const struct flag exec_flags[] = {
	{ "container", 'c', FLAG_STRING, &flags.container, "NAME", "in this container", NULL, NULL },
	{ "stdin", 'i', FLAG_BOOL, &flags.in, NULL, "with our standard input", NULL, NULL },
	{ "tty", 't', FLAG_BOOL, &flags.tty, NULL, "on a terminal: ours", NULL, NULL },
	{ "quiet", 'q', FLAG_BOOL, &flags.quiet, NULL, "say nothing of our own", NULL, NULL },
	{ 0 },
};

static void add(struct buf *query, const char *name, const char *value)
{
	buf_printf(query, "%s%s=", query->len ? "&" : "", name);
	buf_url_encode(query, value);
}

void exec_path(struct buf *path, const struct json_object *pod, const char *subresource,
	       const char *container, char *const *command, const struct remote_command *streams)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;

	for (; command && *command; command++)
		add(&query, "command", *command);
	add(&query, "container", container);
	if (streams->in >= 0)
		add(&query, "stdin", "true");
	if (streams->out >= 0)
		add(&query, "stdout", "true");
	if (streams->err >= 0)
		add(&query, "stderr", "true");
	if (streams->tty)
		add(&query, "tty", "true");
	session_path(path, resource_find("", "v1", "pods"), object_meta(pod, "namespace"),
		     object_meta(pod, "name"), subresource, query.data);
}

int exec_run_command(const struct json_object *pod, const char *container, char *const *command,
		     struct remote_command *streams, int *ret_code, struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	exec_path(&path, pod, "exec", container, command, streams);
	streams->path = path.data;
	if (remote_command_run(streams, ret_code, err) == 0)
		return 0;
	return pod_has_container(pod, container) ? -1 : pod_no_container(pod, container, err);
}

/* As kubectl: what is asked of a terminal that is not there, is told and left. */
static bool has_terminal(void)
{
	if (isatty(STDIN_FILENO))
		return true;
	fputs("Unable to use a TTY - input is not a terminal or the right kind of file\n", stderr);
	return false;
}

static int check(const struct pods *pods)
{
	const char *phase = json_str_or_empty(json_get(pods->items[0], "status"), "phase");

	if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0)
		return command_error("cannot exec into a container in a completed pod; current phase is %s",
				     phase);
	return 0;
}

static int run_exec(char **args, size_t n_args)
{
	CLEANUP(pods_close) struct pods pods = { 0 };
	CLEANUP(mem_freep) char **command = NULL;
	struct err err = ERR_INIT;
	int code = 0;

	if (n_args < 1)
		return command_usage_error("exec", "pod, type/name or --filename must be specified");
	if (n_args < 2)
		return command_usage_error("exec", "you must specify at least one command for the container");
	if (pods_find(args, 1, NULL, &pods, &err) < 0)
		return session_failed(&err);
	if (check(&pods))
		return 1;
	const char *container = flags.container ? flags.container : pod_default_container(pods.items[0]);
	struct remote_command streams = { .in = -1, .out = STDOUT_FILENO, .err = STDERR_FILENO };
	if (flags.in)
		streams.in = STDIN_FILENO;
	streams.tty = flags.tty && flags.in && has_terminal();
	if (streams.tty)
		streams.err = -1;
	command = mem_zalloc(n_args * sizeof(*command));
	memcpy(command, args + 1, (n_args - 1) * sizeof(*command));
	if (exec_run_command(pods.items[0], container, command, &streams, &code, &err) < 0)
		return session_failed(&err);
	if (code)
		fprintf(stderr, "command terminated with exit code %d\n", code);
	return code;
}

const struct command command_exec = {
	.name = "exec",
	.about = "Run a command in a container",
	.usage = "exec (POD | TYPE/NAME) [-c CONTAINER] [-i] [-t] -- COMMAND [ARGS...]",
	.help = "Ends with the command's exit code.\n\nExamples:\n"
		"  kubectl-lite exec web-0 -- ls /\n"
		"  kubectl-lite exec -it deployment/web -- sh\n"
		"  kubectl-lite exec -i web-0 -c proxy -- cat < file\n",
	.flags = exec_flags,
	.run = run_exec,
};
