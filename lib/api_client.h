/* Client of the Kubernetes API: http_client with a server, an identity and Status answers turned into
 * errors. Used by every program but the apiserver.
 */
#pragma once

#include "lib/http_client.h"
#include "lib/kubeconfig.h"

struct api_client;
/* USER_AGENT: "knarr-scheduler/1.0". CONFIG is copied. */
struct api_client *api_client_new(struct loop *loop, const struct kubeconfig *config, const char *user_agent,
				  struct err *err);
/* The same for command line tools, as http_client_new_ahead. */
struct api_client *api_client_new_ahead(struct loop *loop, const struct kubeconfig *config,
					const char *user_agent, struct err *err);
void api_client_free(struct api_client *client);
struct http_client *api_client_http(struct api_client *client);
const char *api_client_server(const struct api_client *client);

struct api_response {
	int code;         /* HTTP status; 0: no answer */
	const char *data; /* body as it came */
	size_t len;
	const char *content_type;
	const char *warning;
	struct err err;     /* ERR_NONE for 2xx; else kind and message from the Status answer
			       ("pods \"x\" not found"), or what failed on the way */
	long retry_after_s; /* or -1 */
};

/* PATH begins with "/" and has its query with it. BODY is copied; content_type NULL: application/json.
 * timeout 30 s. DONE as in http_client_send. */
struct http_call *api_client_call(struct api_client *client, const char *method, const char *path,
				  const char *content_type, const char *body, size_t body_len,
				  void (*done)(const struct api_response *response, void *arg), void *arg);
/* With ACCEPT and a stream: DATA gets 2xx bytes as they come, no timeout. */
struct http_call *api_client_stream(struct api_client *client, const char *path, const char *accept,
				    bool (*data)(const char *data, size_t len, void *arg),
				    void (*done)(const struct api_response *response, void *arg), void *arg);

/* One exchange, running the client's loop until it is done: for command line tools. accept NULL:
 * application/json. On a 2xx *ret_body (to be freed; may be NULL) is the answer; else -1 and *err. */
int api_client_do(struct api_client *client, const char *method, const char *path, const char *accept,
		  const char *content_type, const char *body, size_t body_len, struct buf *ret_body,
		  char **ret_warning, struct err *err);
/* What an answer that is no success says: the Status' kind and message, or the code and the text's beginning.
 */
void api_client_status_error(const struct http_response *http, struct err *err);
