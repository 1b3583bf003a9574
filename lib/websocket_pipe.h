/* A byte pipe within a WebSocket connection: what is written goes as binary messages, whose borders mean
 * nothing. So does Kubernetes carry the SPDY of port-forwarding.
 */
#pragma once

#include "lib/byte_pipe.h"

/* OUTER is taken. SERVER: who accepted the connection. The user is set by whoever is given the pipe. */
struct byte_pipe *websocket_pipe_new(struct byte_pipe *outer, bool server);
