/* The HTTPS server that each program but the apiserver has for its metrics and health, and the flags that set
 * it up.
 */
#pragma once

#include "lib/http_routes.h"
#include "lib/program.h"

struct program_server_flags {
	const char *listen;     /* "127.0.0.1:10259"; NULL: no server */
	const char *cert, *key; /* files */
	const char *client_ca;
};

/* Rows of a program's flag table. */
#define PROGRAM_SERVER_FLAGS(f_)                                                                             \
	{ "listen",     "ADDR:PORT", "where to serve metrics and health over HTTPS (default: not at all)",   \
	  &(f_).listen, NULL,        false },                                                                \
	    { "tls-cert", "FILE", "certificate of that server", &(f_).cert, NULL, false },                   \
	    { "tls-key", "FILE", "its key", &(f_).key, NULL, false },                                        \
	{                                                                                                    \
		"client-ca", "FILE", "authority that signs clients' certificates", &(f_).client_ca, NULL,    \
		    false                                                                                    \
	}

/* Starts it as the flags say; *ret is NULL when they name no address. ROUTES as http_routes_new, or NULL for
 * metrics and health only. Errors name the flag or file. */
int program_server_start(struct loop *loop, const struct program_server_flags *flags,
			 const struct http_route *routes, void *arg, struct http_routes **ret,
			 struct err *err);
/* "127.0.0.1:6443", "[::1]:6443" into *ret_address (caller frees) and *ret_port. ERR_BAD_REQUEST. */
int program_parse_listen(const char *text, char **ret_address, uint16_t *ret_port, struct err *err);
