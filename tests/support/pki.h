/* Throw-away certificates for tests: a CA and what it signs. EC keys, valid for a day. Aborts when GnuTLS
 * fails: a test cannot go on without.
 */
#pragma once

#include <gnutls/x509.h>

struct pki_pair {
	char *cert_pem;
	char *key_pem;
};

struct pki_ca {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t cert;
	struct pki_pair pem;
};

void pki_ca_init(struct pki_ca *ca, const char *name);
void pki_ca_close(struct pki_ca *ca);
/* For 127.0.0.1, ::1 and localhost, and NAME when it is not NULL. */
struct pki_pair pki_server(const struct pki_ca *ca, const char *name);
/* A client USER (common name) of GROUP (organisation, or NULL). */
struct pki_pair pki_client(const struct pki_ca *ca, const char *user, const char *group);
void pki_pair_close(struct pki_pair *pair);
