/* A byte pipe over a server's upgraded connection (http_upgrade.h).
 */
#pragma once

#include "lib/byte_pipe.h"
#include "lib/http_upgrade.h"

/* Answers EXCHANGE with 101 and the headers that were added to it. NULL: that cannot be; it must still be
 * answered. The user is set by whoever is given the pipe. */
struct byte_pipe *upgrade_pipe_new(struct http_exchange *exchange);
