/* What a program that only watches and writes through the API begins with: loop, signals, client, and its
 * server for metrics and health.
 */
#pragma once

#include "lib/api_client.h"
#include "lib/program_server.h"

/* The row of a program's flag table. */
#define PROGRAM_CLIENT_FLAG(path_)                                                                           \
	{                                                                                                    \
		"kubeconfig", "FILE", "how to reach the API server, and as whom", &(path_), NULL, true       \
	}

/* Sets all up and calls RUN, which runs the loop until it is stopped; then takes all down. NAME is the
 * program's, for the user agent. Returns the program's exit code: 1 when it could not start, which has been
 * logged. */
int program_client_main(const char *name, const char *kubeconfig_path,
			const struct program_server_flags *server_flags,
			void (*run)(struct loop *loop, struct api_client *client, void *arg), void *arg);
