#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "launcher/cluster.h"
#include "launcher/commands.h"
#include "launcher/encryption_key.h"
#include "launcher/supervisor.h"
#include "launcher/token_key.h"

struct rotate {
	const char *dir;
	bool forget;
};

static void set_flag(int option, const char *value, void *arg)
{
	struct rotate *rotate = arg;

	if (option == 'D')
		rotate->dir = value;
	else if (option == 'F')
		rotate->forget = true;
}

static int rotate_token_key(const struct cluster *cluster, const struct rotate *rotate, struct err *err)
{
	if (token_key_rotate(cluster, rotate->forget, err) < 0)
		return -1;
	printf("A new key signs service account tokens; %s.\n",
	       rotate->forget
		   ? "tokens signed before are refused, and pods get new ones when theirs are renewed"
		   : "tokens signed before stay good");
	return 0;
}

/* It is started again by knarr up, and reads the new configuration. */
static void restart_server(const struct cluster *cluster)
{
	int pid = supervisor_program_pid(cluster, "knarr-apiserver");

	if (pid && kill(pid, SIGTERM) == 0)
		printf("The API server starts again, and encrypts all Secrets with it before it serves.\n");
}

static int rotate_encryption_key(const struct cluster *cluster, const struct rotate *rotate, struct err *err)
{
	(void)rotate;
	if (encryption_key_rotate(cluster, err) < 0)
		return -1;
	printf("Secrets are stored encrypted with a new key: %s/pki/encryption.yaml. Keep a copy of that "
	       "file with "
	       "each copy of the store.\n",
	       cluster->dir);
	restart_server(cluster);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const struct cluster *cluster, const struct rotate *rotate, struct err *err);
} things[] = {
	{ "token-key", rotate_token_key },
	{ "encryption-key", rotate_encryption_key },
};

int command_rotate(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'D' },
		{ "forget-old", no_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct rotate rotate = { .dir = CLUSTER_DEFAULT_DIR };
	struct cluster cluster;
	struct err err = ERR_INIT;
	int at = command_flags(command, argc, argv, options, set_flag, &rotate), result = -1;

	for (size_t i = 0; at == argc - 1 && i < ARRAY_SIZE(things); i++) {
		if (strcmp(argv[at], things[i].name) != 0)
			continue;
		if (cluster_load(rotate.dir, &cluster, &err) < 0)
			return command_failed(err.msg);
		result = things[i].run(&cluster, &rotate, &err);
		cluster_close(&cluster);
		return result < 0 ? command_failed(err.msg) : 0;
	}
	fprintf(stderr,
		"error: what to rotate is missing or unknown\nSee 'knarr rotate --help' for usage.\n");
	return 2;
}
