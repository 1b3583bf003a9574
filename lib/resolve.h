/* Names to addresses without blocking the loop. Addresses in digits are answered at once; a name is looked up
 * by getaddrinfo(3) in a thread of its own, as it may read files and ask servers.
 */
#pragma once

#include <netdb.h>
#include <stdint.h>

#include "lib/loop.h"

/* The addresses of HOST for a TCP connection to PORT if it is written in digits, else NULL. To be freed with
 * freeaddrinfo. */
struct addrinfo *resolve_digits(const char *host, uint16_t port);

struct resolve;
/* DONE is called once from the loop (never from within) with the addresses, whose owner it becomes, or NULL
 * and *err; then the look-up is gone. NULL and *err when no thread could be started. */
struct resolve *resolve_begin(struct loop *loop, const char *host, uint16_t port,
			      void (*done)(struct addrinfo *addresses, const struct err *err, void *arg),
			      void *arg, struct err *err);
/* DONE is not called any more; the thread ends by itself. NULL is fine. */
void resolve_cancel(struct resolve *resolve);
