/* Where a request ends. Two parties that read a request's length differently let a client slip one request
 * past the other inside the body of another, so what is open to two readings is refused and its connection
 * closed. libmicrohttpd takes such requests in one of the ways: we look at their header before anything else.
 * https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 */
#pragma once

#include <microhttpd.h>

/* NULL when the header leaves no doubt, else what is wrong with it, for the client. */
const char *framing_fault(struct MHD_Connection *connection);
