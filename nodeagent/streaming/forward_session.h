/* port-forward: a SPDY/3.1 connection of which each pair of streams (headers streamType data and error, port,
 * requestID) is one TCP connection to 127.0.0.1, or ::1, within the pod's network namespace.
 */
#pragma once

#include "lib/byte_pipe.h"
#include "nodeagent/streaming/session.h"

/* PIPE is taken. NET_NS: the namespace's path, copied; NULL: the node's own. */
void forward_session_new(struct streaming *streaming, struct byte_pipe *pipe, const char *pod,
			 const char *net_ns);
