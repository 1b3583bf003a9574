/* The connection that a command works through, opened when first asked for, and how its errors are told: in
 * kubectl's words, on stderr.
 */
#pragma once

#include "api/resource.h"
#include "kubectl-lite/command.h"
#include "lib/api_client.h"

extern const struct flag session_flags[]; /* those that all commands take: --kubeconfig, --context, -n ... */

struct session {
	struct loop *loop;
	struct kubeconfig config;
	struct api_client *client;
};

/* The one session, which ends with the process; on failure tells the error and exits with 1. */
struct session *session_open(void);
/* Namespace for namespaced resources: -n, else the context's, else "default". */
const char *session_namespace(void);
bool session_namespace_given(void);
/* This command speaks to no server: no kubeconfig is needed for session_namespace. */
void session_offline(void);
bool session_is_offline(void);
/* Overrides from the flags: for `config view`. */
const struct kubeconfig_overrides *session_overrides(void);

/* "/api/v1/namespaces/NS/pods/NAME/log?QUERY"; NULL parts are left out. Appends. */
void session_path(struct buf *b, const struct resource *resource, const char *namespace_, const char *name,
		  const char *subresource, const char *query);
/* One exchange; see api_client_do. Warnings of the server go to stderr. */
int session_do(const char *method, const char *path, const char *accept, const char *content_type,
	       const struct buf *body, struct buf *ret, struct err *err);
/* GET as JSON. */
int session_get(const char *path, struct json_object **ret, struct err *err);

/* Tells an error: "Error from server (NotFound): pods \"x\" not found" when the server said it, "error: ..."
 * for our own, "The connection to the server 127.0.0.1:6443 was refused - ..." when it was not reached.
 * Returns 1. */
int session_failed(const struct err *err);
/* "error: TEXT"; returns 1. */
int command_error(const char *format, ...) PRINTF_LIKE(1, 2);
