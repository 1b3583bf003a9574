#include "kubectl-lite/attach.h"

#include <stdio.h>
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

static const struct flag attach_flags[] = {
	{ "container", 'c', FLAG_STRING, &flags.container, "NAME", "to this container", NULL, NULL },
	{ "stdin", 'i', FLAG_BOOL, &flags.in, NULL, "with our standard input", NULL, NULL },
	{ "tty", 't', FLAG_BOOL, &flags.tty, NULL, "on our terminal", NULL, NULL },
	{ "quiet", 'q', FLAG_BOOL, &flags.quiet, NULL, "say nothing of our own", NULL, NULL },
	{ 0 },
};

static bool container_has_terminal(const struct json_object *pod, const char *name)
{
	const struct json_object *containers = json_path(pod, "spec", "containers", NULL);

	for (size_t i = 0; i < json_len(containers); i++)
		if (strcmp(json_str_or_empty(json_at(containers, i), "name"), name) == 0)
			return json_boolean(json_at(containers, i), "tty", false);
	return false;
}

int attach_to(const struct json_object *pod, const char *container, bool in, bool tty, bool quiet,
	      struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;
	bool its = container_has_terminal(pod, container);
	struct remote_command streams = { .in = in ? STDIN_FILENO : -1,
					  .out = STDOUT_FILENO,
					  .err = its ? -1 : STDERR_FILENO,
					  .tty = tty && in && its && isatty(STDIN_FILENO) };
	int code = 0;

	if (tty && !its)
		fprintf(stderr, "error: Unable to use a TTY - container %s did not allocate one\n",
			container);
	exec_path(&path, pod, "attach", container, NULL, &streams);
	streams.path = path.data;
	if (in && !quiet)
		fputs("If you don't see a command prompt, try pressing enter.\n", stderr);
	return remote_command_run(&streams, &code, err);
}

static int run_attach(char **args, size_t n_args)
{
	CLEANUP(pods_close) struct pods pods = { 0 };
	struct err err = ERR_INIT;

	if (n_args != 1)
		return command_usage_error("attach", n_args ? "expected POD, TYPE/NAME, or TYPE NAME"
							    : "at least 1 argument is required for attach");
	if (pods_find(args, n_args, NULL, &pods, &err) < 0)
		return session_failed(&err);
	const struct json_object *pod = pods.items[0];
	const char *phase = json_str_or_empty(json_get(pod, "status"), "phase");
	if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0)
		return command_error("cannot attach a container in a completed pod; current phase is %s",
				     phase);
	const char *container = flags.container ? flags.container : pod_default_container(pod);
	if (!pod_has_container(pod, container)) {
		err_set(&err, ERR_PARSE, "cannot attach to the container: container %s not found in pod %s",
			container, object_meta(pod, "name"));
		pod_no_container(pod, container, &err);
		return session_failed(&err);
	}
	if (attach_to(pod, container, flags.in, flags.tty, flags.quiet, &err) < 0)
		return session_failed(&err);
	if (flags.in && flags.tty && !flags.quiet)
		fprintf(stderr,
			"Session ended, resume using 'kubectl-lite attach %s -c %s -i -t' command when the "
			"pod is "
			"running\n",
			object_meta(pod, "name"), container);
	return 0;
}

const struct command command_attach = {
	.name = "attach",
	.about = "Be attached to what a container runs",
	.usage = "attach (POD | TYPE/NAME) [-c CONTAINER] [-i] [-t]",
	.help = "Its output from now on, and with -i our input to it.\n\nExamples:\n"
		"  kubectl-lite attach web-0\n"
		"  kubectl-lite attach -it shell\n",
	.flags = attach_flags,
	.run = run_attach,
};
