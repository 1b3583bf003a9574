/* A listening socket and the servers, each on a loop of its own thread, that share its connections: whoever
 * accepts one hands it to the server that has the fewest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct http_listener;
/* ADDRESS in digits: "127.0.0.1", "::1", "0.0.0.0"; PORT 0: any free. Listens when it returns.
 * ERR_BAD_REQUEST (no address), ERR_SYSTEM: "listen on 127.0.0.1:6443: Address already in use". */
struct http_listener *http_listener_new(const char *address, uint16_t port, struct err *err);
/* After all its servers; NULL is fine. */
void http_listener_free(struct http_listener *listener);
uint16_t http_listener_port(const struct http_listener *listener);
/* Refuses newcomers from now on. Any thread. */
void http_listener_close(struct http_listener *listener);
