/* An http_identity as libcurl with GnuTLS wants it: it takes certificates and keys from files only, so they
 * are files of memory, named by their descriptors.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "lib/err.h"

struct http_identity;

struct http_trust {
	int ca_fd, cert_fd, key_fd; /* -1: none */
};

#define HTTP_TRUST_INIT ((struct http_trust){ -1, -1, -1 })

int http_trust_init(struct http_trust *trust, const struct http_identity *identity, struct err *err);
void http_trust_close(struct http_trust *trust);
/* Sets who we are and whether the peer is verified. May be set again with another VERIFY. */
void http_trust_apply(const struct http_trust *trust, CURL *easy, bool verify);
