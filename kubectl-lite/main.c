/* kubectl-lite: finds the command that the words name and runs it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/suggest.h"

/* clang-format off */
const struct command *const commands[] = {
	&command_annotate,
	&command_api_resources,
	&command_api_versions,
	&command_apply,
	&command_attach,
	&command_auth,
	&command_autoscale,
	&command_cluster_info,
	&command_completion,
	&command_config,
	&command_convert,
	&command_cordon,
	&command_cp,
	&command_create,
	&command_delete,
	&command_describe,
	&command_diff,
	&command_drain,
	&command_edit,
	&command_events,
	&command_exec,
	&command_explain,
	&command_expose,
	&command_get,
	&command_label,
	&command_logs,
	&command_patch,
	&command_port_forward,
	&command_replace,
	&command_rollout,
	&command_run,
	&command_scale,
	&command_set,
	&command_taint,
	&command_uncordon,
	&command_version,
	&command_wait,
	NULL,
};
/* clang-format on */

/* Where --help shows a command. */
static const struct {
	const char *title;
	const char *names[8];
} groups[] = {
	{ "Basic Commands", { "apply", "create", "run", "expose", "get", "explain", "edit", "delete" } },
	{ "Deploy Commands", { "rollout", "scale", "autoscale", "set" } },
	{ "Cluster Management Commands", { "cluster-info", "cordon", "uncordon", "drain", "taint" } },
	{ "Troubleshooting and Debugging Commands",
	  { "describe", "logs", "attach", "exec", "port-forward", "cp", "auth", "events" } },
	{ "Advanced Commands", { "diff", "patch", "replace", "wait" } },
	{ "Settings Commands", { "label", "annotate", "config", "completion" } },
	{ "Other Commands", { "api-resources", "api-versions", "convert", "version" } },
};

static const struct command *find(const struct command *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp((*list)->name, name) == 0 || ((*list)->alias && strcmp((*list)->alias, name) == 0))
			return *list;
	return NULL;
}

static void print_overview(void)
{
	puts("kubectl-lite controls a cluster that speaks the Kubernetes API: kubectl's words in one small "
	     "program.");
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		printf("\n%s:\n", groups[g].title);
		for (size_t i = 0; i < ARRAY_SIZE(groups[g].names) && groups[g].names[i]; i++) {
			const struct command *command = find(commands, groups[g].names[i]);
			if (command)
				printf("  %-15s %s\n", command->name, command->about);
		}
	}
	puts("\nA first walk:\n"
	     "  kubectl-lite apply -f manifests/market-data\n"
	     "  kubectl-lite rollout status deployment/market-data\n"
	     "  kubectl-lite get pods -o wide\n"
	     "  kubectl-lite describe deployment market-data\n"
	     "\n"
	     "Usage:\n"
	     "  kubectl-lite [flags] COMMAND [arguments]\n"
	     "\n"
	     "Use \"kubectl-lite COMMAND --help\" for more about a command.\n"
	     "Use \"kubectl-lite options\" for the flags that all commands take.");
}

static int unknown_command(const struct command *const *list, const char *path, const char *name)
{
	struct suggestion s = suggest_for(name);

	for (; *list; list++)
		suggest_offer(&s, (*list)->name);
	fprintf(stderr, "error: unknown command \"%s\" for \"kubectl-lite%s%s\"\n", name, *path ? " " : "",
		path);
	suggest_print(&s, "");
	return 1;
}

/* Takes the first word that is neither flag nor the value of a flag, be it of all commands or one of FLAGS,
 * out of ARGV; NULL when there is none. Flags may stand before a command. */
static char *take_command(const struct flag *flags, int *argc, char **argv)
{
	for (int i = 0; i < *argc; i++) {
		char *word = argv[i];
		if (strcmp(word, "--") == 0)
			break;
		if (word[0] == '-' && word[1]) {
			if (command_flag_takes_word(session_flags, word) ||
			    (flags && command_flag_takes_word(flags, word)))
				i++;
			continue;
		}
		memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i - 1) * sizeof(*argv));
		(*argc)--;
		return word;
	}
	return NULL;
}

static bool wants_help(int argc, char **argv)
{
	/* What follows "--" is for somebody else. */
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* Runs COMMAND, or the one below it that ARGV names. */
static int run(const struct command *command, int argc, char **argv)
{
	char path[128];
	char **args = NULL;
	size_t n_args = 0;

	snprintf(path, sizeof(path), "%s", command->name);
	while (command->subcommands) {
		char *name = take_command(command->flags, &argc, argv);
		if (!name && command->run)
			break;
		if (!name) {
			command_print_help(command, path);
			return wants_help(argc, argv) ? 0 : 1;
		}
		const struct command *sub = find(command->subcommands, name);
		if (!sub && command->run)
			return command_usage_error(path, "Unexpected args: [%s]", name);
		if (!sub)
			return unknown_command(command->subcommands, path, name);
		size_t len = strlen(path);
		snprintf(path + len, sizeof(path) - len, " %s", sub->name);
		command = sub;
	}
	command_parse(command, path, argc, argv, &args, &n_args);
	int code = command->run(args, n_args);
	free(args);
	return code;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	argc--;
	argv++;
	char *name = take_command(NULL, &argc, argv);
	bool help = name && strcmp(name, "help") == 0;
	if (help)
		name = take_command(NULL, &argc, argv);
	if (!name) {
		print_overview();
		return 0;
	}
	if (strcmp(name, "options") == 0) {
		command_print_flags("The following options can be passed to any command", session_flags);
		return 0;
	}
	const struct command *command = find(commands, name);
	if (!command)
		return unknown_command(commands, "", name);
	char *help_words[] = { NULL, (char[]){ "--help" }, NULL };
	if (help) {
		help_words[0] = take_command(NULL, &argc, argv);
		argc = help_words[0] ? 2 : 1;
		argv = help_words[0] ? help_words : help_words + 1;
	}
	int code = run(command, argc, argv);
	/* Nothing written may be lost in silence: a full disk is an error, a reader that went away is not our
	 * fault but no success. */
	if (fflush(stdout) != 0 && code == 0)
		code = 1;
	/* The session ends with the process: what it holds is not worth giving back piece by piece. */
	return code;
}
