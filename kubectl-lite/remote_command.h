/* A program in a container as if it ran here: its streams are ours, its exit code too, its terminal has our
 * window's size.
 */
#pragma once

#include "kubectl-lite/command.h"
#include "lib/err.h"

struct remote_command {
	const char *path; /* of the exec or attach request, with its query */
	int in, out, err; /* descriptors that stay the caller's; -1: not asked for */
	bool tty;         /* IN is a terminal, which becomes raw meanwhile */
};

/* Runs the loop until it is over. 0 and the exit code; -1 and *err. */
int remote_command_run(const struct remote_command *command, int *ret_code, struct err *err);
