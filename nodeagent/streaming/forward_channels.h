/* port-forward over WebSocket channels, as client libraries do it: for each port that the request names, in
 * its order, a channel of data and one of errors, each with the port first, two bytes, little-endian. A port
 * is one TCP connection within the pod's network namespace. (The kubelet's portforward/websocket.go.)
 */
#pragma once

#include <stdint.h>

#include "lib/byte_pipe.h"
#include "nodeagent/streaming/session.h"

#define FORWARD_CHANNELS_PORTS 64 /* at most */
#define FORWARD_CHANNELS       "v4.channel.k8s.io"

/* PIPE is taken, and speaks WebSocket from here on. NET_NS: as for forward_session_new. */
void forward_channels_new(struct streaming *streaming, struct byte_pipe *pipe, const char *pod,
			  const char *net_ns, const uint16_t *ports, size_t n_ports);
