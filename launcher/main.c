/* knarr: starts, stops and shows a cluster on this machine. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/commands.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/program.h"

static const struct command commands[] = {
	{ "up",
	  "up [--data DIR] [--port N] [--address IP] [--runtime NAME] [--service-cidr NET] [--node-ports "
	  "RANGE] [--no-agent] [-d]",
	  "Start a cluster on this machine and keep it running",
	  "  --data DIR      the cluster's folder (default /var/lib/knarr), made at the first start\n"
	  "  --port N        the API server's port (default 6443); N+1 to N+3 are used as well\n"
	  "  --address IP    where to listen, and this node's address (default 127.0.0.1: this machine "
	  "only)\n"
	  "  --runtime NAME  OCI runtime for containers (default runc)\n"
	  "  --service-cidr NET  network of the Services' addresses, or one of each family (default "
	  "10.96.0.0/16)\n"
	  "  --node-ports RANGE  node ports of Services (default 30000-32767)\n"
	  "  --no-agent      only the control plane: no containers on this machine\n"
	  "  -d, --detach    return once it runs; without it the cluster ends with this command\n"
	  "\nPort, address, runtime and the Services' ranges are remembered. Needs root, for containers and "
	  "their network.\n"
	  "\nExample:\n  knarr up -d && export KUBECONFIG=/var/lib/knarr/kubeconfig && kubectl-lite get "
	  "nodes\n",
	  command_up },
	{ "down", "down [--data DIR] [--purge]", "Stop a cluster",
	  "  --data DIR      the cluster's folder (default /var/lib/knarr)\n"
	  "  --purge         also end all its containers and remove everything: network, cgroups, all files "
	  "in DIR\n"
	  "\nWithout --purge the pods' containers run on, and the next `knarr up` takes them over again.\n",
	  command_down },
	{ "status", "status [--data DIR]", "Show a cluster's programs, nodes and pods",
	  "  --data DIR      the cluster's folder (default /var/lib/knarr)\n"
	  "\nExits with 3 when the cluster does not run.\n",
	  command_status },
	{ "image", "image import FILE | ls | rm NAME  [--data DIR]", "Load, list and remove container images",
	  "  --data DIR      the cluster's folder (default /var/lib/knarr)\n"
	  "\nFILE is an OCI archive, an OCI layout folder or a docker archive (docker save).\n"
	  "\nExample:\n  knarr image import build/images/market-data-v1.tar\n",
	  command_image },
	{ "rotate", "rotate token-key [--forget-old] | encryption-key  [--data DIR]",
	  "Replace a key of the cluster",
	  "  --data DIR      the cluster's folder (default /var/lib/knarr)\n"
	  "  --forget-old    (token-key) tokens signed by earlier keys are refused\n"
	  "\ntoken-key signs the tokens of service accounts. The API server takes the new one within a "
	  "second, "
	  "without\na restart.\n",
	  command_rotate },
};

static void print_help(FILE *to)
{
	fprintf(to, "knarr runs containers on this machine and speaks the Kubernetes API.\n\nUsage:\n  knarr "
		    "COMMAND [flags]\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].about);
	fprintf(to,
		"  %-8s %s\n\nUse \"knarr COMMAND --help\" for its flags. Work with the cluster by "
		"kubectl-lite, or any kubectl.\n",
		"version", "Print the version");
}

int command_failed(const char *message)
{
	fprintf(stderr, "error: %s\n", message);
	return 1;
}

char *command_bin_dir(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return mem_dup(".");
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	return mem_dup(path);
}

char *command_shell_word(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+@%:,";
	CLEANUP(buf_close) struct buf word = BUF_INIT;

	if (*text && !text[strspn(text, plain)])
		return mem_dup(text);
	buf_char(&word, '\'');
	for (; *text; text++)
		buf_str(&word, *text == '\'' ? "'\\''" : (char[]){ *text, '\0' });
	buf_char(&word, '\'');
	return buf_take(&word);
}

int command_flags(const struct command *command, int argc, char **argv, const struct option *options,
		  void (*set)(int option, const char *value, void *arg), void *arg)
{
	char shorts[2 * 16 + 2] = ":";
	size_t n = 1;

	for (const struct option *o = options; o->name && n + 2 < sizeof(shorts); o++) {
		if (o->val < 'A' || o->val > 'z')
			continue;
		shorts[n++] = (char)o->val;
		if (o->has_arg)
			shorts[n++] = ':';
	}
	opterr = 0;
	optind = 1;
	for (int c; (c = getopt_long(argc, argv, shorts, options, NULL)) != -1;) {
		if (c == 'h') {
			printf("%s.\n\nUsage:\n  knarr %s\n\nFlags:\n%s", command->about, command->usage,
			       command->help);
			exit(0);
		}
		if (c == '?' || c == ':') {
			fprintf(stderr, "error: %s: %s\nSee 'knarr %s --help' for usage.\n",
				c == ':' ? "flag needs an argument" : "unknown flag", argv[optind - 1],
				command->name);
			exit(2);
		}
		set(c, optarg, arg);
	}
	return optind;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return argc > 1 ? 0 : 2;
	}
	if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
		printf("knarr %s\n", KNARR_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(&commands[i], argc - 1, argv + 1);
	fprintf(stderr, "error: unknown command \"%s\" for \"knarr\"\n\n", name);
	print_help(stderr);
	return 2;
}
