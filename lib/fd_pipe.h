/* A byte pipe over file descriptors: a socket, a terminal, or the two ends of pipes to a process.
 */
#pragma once

#include "lib/byte_pipe.h"
#include "lib/loop.h"

/* IN is read, OUT is written; they may be one; -1: that direction does not exist. Both are taken, also on
 * failure. OUT becomes non-blocking; IN stays as it is, since it may be somebody else's as well, and is read
 * only when there is something. A terminal whose other side is closed (EIO) is at its end. The
 * program must ignore SIGPIPE when anything is written to others than its own children. */
struct byte_pipe *fd_pipe_new(struct loop *loop, int in, int out, const struct byte_pipe_user *user,
			      void *arg, struct err *err);
/* Takes what can be read now without waiting, up to the end: for a process that has ended, while others may
 * hold its output open. Calls `received`; true: all that there was. A callback must not close the pipe. */
void fd_pipe_drain(struct byte_pipe *pipe);
/* The descriptor that is read, for ioctl(2). */
int fd_pipe_fd(const struct byte_pipe *pipe);
