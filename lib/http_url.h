/* The parts of an absolute http or https URL (RFC 3986), as a client needs them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct http_url {
	bool tls;
	char *host; /* without the brackets of an IPv6 address */
	uint16_t port;
	char *authority;    /* for the Host header: as written */
	const char *target; /* path and query within the URL given; "" means "/". Ends at END. */
	const char *end;
};

/* User information, control characters and spaces are refused: ERR_BAD_REQUEST. */
int http_url_parse(const char *url, struct http_url *ret, struct err *err);
void http_url_close(struct http_url *url); /* all zero is fine */
