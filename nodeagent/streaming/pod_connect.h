/* A TCP connection to a port of a pod, as a program within the pod would make it: to 127.0.0.1, else to ::1.
 * The socket is made while this thread is in the pod's network namespace, for some microseconds, and belongs
 * to it from then on.
 */
#pragma once

#include "lib/loop.h"

struct pod_connect;
/* NET_NS: path, or NULL for the node's own. DONE: FD, connected and the receiver's, or -1 and FAILURE; once,
 * from the loop; then it is gone. */
struct pod_connect *pod_connect_begin(struct loop *loop, const char *net_ns, uint16_t port,
				      void (*done)(int fd, const struct err *failure, void *arg), void *arg,
				      struct err *err);
void pod_connect_cancel(struct pod_connect *connect); /* DONE is not called. NULL is fine */
