/* The API server in this process without sockets to listen on: its edge on a pair of sockets, without TLS, its core, a
 * store that forgets, and node agents that answer at once. What is sent on a connection is answered to the
 * end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apiserver/core/core.h"
#include "lib/buf.h"
#include "lib/json.h"

#define EDGE_TOKEN "t"

/* Starts the edge; once per process. */
void edge_start(void);
/* A new core with the namespaces of a new cluster, in place of the one before. */
void edge_new_core(void);
/* All objects of RESOURCE as the core has them; core_command_close. */
void edge_list(const struct resource *resource, struct core_command *ret);

/* Sends DATA in pieces of PIECE bytes (0: at once), hangs up its half of the connection, and appends all that
 * comes until the server hangs up as well. Aborts when the server still counts anything then. */
void edge_exchange(const void *data, size_t size, size_t piece, struct buf *ret);

struct edge_answer {
	int code;
	bool chunked;     /* its last chunk is there */
	const char *type; /* within the text it was read from, up to the line's end */
	struct buf body;
};
/* Takes one answer off *TEXT, which it advances; aborts when it is no HTTP. HEAD: it has no body. False:
 * *TEXT is at its end. */
bool edge_answer_next(const char **text, const char *end, bool head, struct edge_answer *ret);
void edge_answer_close(struct edge_answer *answer);
/* Aborts when ANSWER is no possible answer to a client, whatever it asked for: a fault of the server's own,
 * JSON that is none, a Status that says another code. *ret_json (or NULL) is the body. */
void edge_answer_check(const struct edge_answer *answer, struct json_object **ret_json);
