/* What `make bench` measures, a subcommand each: they are clients of a running cluster and print one number.
 */
#pragma once

#include <stdint.h>

#include "lib/api_client.h"

/* Each gets the arguments after its name; prints the figure alone on a line; 0, or 1 with the reason on
 * stderr. */
int bench_api_ready(int argc, char **argv); /* DIR BIN PORT: milliseconds from the start of a server with an
					       empty store to its first answer */
int bench_bind(int argc, char **argv);      /* KUBECONFIG NODES PODS: pods created and bound per second */
int bench_pod_ready(int argc, char **argv); /* KUBECONFIG RUNS: median milliseconds from creation to Ready */
int bench_burst(int argc,
		char **argv); /* KUBECONFIG PODS: milliseconds until all are Ready, and until all are gone */

/* A client of the cluster that KUBECONFIG names; tells the error and exits on failure. */
struct api_client *bench_client(struct loop *loop, const char *kubeconfig);
/* Sends N requests made by MAKE (method, path and body of request I), IN_FLIGHT at once; FINISHED when all
 * are answered. Failures are told and end the program: a figure with errors in it is none. */
struct bench_sender;
struct bench_sender *bench_send(struct api_client *client, size_t n, size_t in_flight,
				void (*make)(size_t i, struct buf *path, struct buf *body, void *arg),
				const char *method, void (*finished)(void *arg), void *arg);
void bench_sender_free(struct bench_sender *sender);
double bench_median(double *values, size_t n); /* sorts */
