/* A WebSocket connection to the API server, for what is not over with one answer.
 */
#pragma once

#include "lib/byte_pipe.h"
#include "lib/err.h"

/* Asks for PATH (with its query) with the subprotocols PROTOCOLS ("a, b") and runs the loop until the server
 * has answered. The connection, and in *RET_PROTOCOL, to be freed, which one it chose; its user is set before
 * the loop runs again. NULL and *err: the server's Status, or what failed. */
struct byte_pipe *upgrade_open(const char *path, const char *protocols, char **ret_protocol, struct err *err);
