/* Clients of the cluster under measure, and many requests at once. */
#pragma once

#include "bench/stats.h"
#include "lib/api_client.h"

/* As many requests as lib/api_client keeps under way are more than a measure of one core's work needs. */
enum { CLIENT_CONNECTIONS = 32 };

/* What the kubeconfig file PATH says; closed by the caller. */
void client_config(const char *path, struct kubeconfig *ret);
/* A client of the cluster that KUBECONFIG names. */
struct api_client *client_new(struct loop *loop, const char *kubeconfig);
/* One request, waited for. RET_BODY may be NULL. BODY NULL: none; content_type NULL: application/json. */
void client_do(struct api_client *client, const char *method, const char *path, const char *content_type,
	       const char *body, struct buf *ret_body);

/* Makes request I of a row. */
typedef void (*client_make_fn)(size_t i, struct buf *path, struct buf *body, void *arg);
/* Sends N requests, CLIENT_CONNECTIONS at a time, and returns at once; the loop does the work. WAITED_MS, or
 * NULL, gets how long each answer took. */
struct client_sender;
struct client_sender *client_send(struct api_client *client, const char *method, size_t n,
				  client_make_fn make, void *arg, struct stats *waited_ms);
/* Runs the loop until all are answered, and frees it. */
void client_sender_finish(struct client_sender *sender, struct loop *loop);
