/* Whom a program trusts and who it is, as GnuTLS wants it. Shared by all connections of a client.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "lib/err.h"

struct tls_identity {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priorities;
	bool has_ca;        /* else the system's certificates are trusted */
	bool system_loaded; /* which are read when the first peer is to be verified: there are many */
};

/* Knows nobody and is nobody, which is enough for a session's hello: certificates are looked at when the
 * server has answered it. HAS_CA: an authority is to be read, and the system's are not trusted. TLS 1.2 and
 * 1.3. On failure nothing is to be closed. */
int tls_identity_init(struct tls_identity *identity, bool has_ca, struct err *err);
/* Reads PEM texts; all may be NULL, a certificate needs its key. Once. */
int tls_identity_read(struct tls_identity *identity, const char *ca_pem, const char *cert_pem,
		      const char *key_pem, struct err *err);
void tls_identity_close(struct tls_identity *identity); /* all zero is fine */
/* A client session, not blocking, that will verify the peer as NAME (a host name or an address) when VERIFY.
 * The caller sets its transport and ends it with gnutls_deinit. NULL and *err on failure. */
gnutls_session_t tls_identity_session(struct tls_identity *identity, const char *name, bool verify,
				      struct err *err);
/* What a failed call of GnuTLS means: the verification's own words, the alert that the peer sent, or the
 * error's text. ERR_CONNECTION. Returns -1. */
int tls_identity_explain(gnutls_session_t session, int code, struct err *err);
