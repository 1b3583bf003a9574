/* Where a request ends and what follows it, by its headers (RFC 9112 sections 3.2, 6 and 9.3): part of
 * http_request.h, which says what is refused.
 */
#pragma once

#include "lib/http_request.h"

/* Sets keep_alive, expects, upgrades, chunked and length of REQUEST, whose headers are all there. NULL, or
 * what is wrong with them; *ret_code is changed when it is not 400. */
const char *http_framing_read(struct http_request_reader *request, int *ret_code);
