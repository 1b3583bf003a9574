#include "lib/tls_identity.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <string.h>

/* X25519 comes first: it takes half the time of the others, and of the first one only a key is made before
 * the server is heard (GNUTLS_KEY_SHARE_TOP). */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519:+GROUP-ALL"

enum { KEY_ID_MAX = 64 };

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)text, (unsigned)strlen(text) };
}

/* GnuTLS would find it out by signing something and verifying that, which is a sixth of what a short-lived
 * client computes. */
static int check_pair(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key)
{
	unsigned char ids[2][KEY_ID_MAX];
	size_t lens[2] = { KEY_ID_MAX, KEY_ID_MAX };
	int code = gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA256, ids[0], &lens[0]);

	if (code >= 0)
		code = gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, ids[1], &lens[1]);
	if (code >= 0 && (lens[0] != lens[1] || memcmp(ids[0], ids[1], lens[0]) != 0))
		code = GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
	return code;
}

static int load_pair(struct tls_identity *identity, const char *cert_pem, const char *key_pem)
{
	gnutls_datum_t cert = datum(cert_pem), key = datum(key_pem);
	gnutls_x509_crt_t *chain = NULL;
	gnutls_x509_privkey_t own = NULL;
	unsigned n = 0;
	int code = gnutls_x509_crt_list_import2(&chain, &n, &cert, GNUTLS_X509_FMT_PEM, 0);

	if (code >= 0)
		code = gnutls_x509_privkey_init(&own);
	if (code >= 0)
		code = gnutls_x509_privkey_import2(own, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (code >= 0)
		code = check_pair(chain[0], own);
	if (code >= 0) {
		gnutls_certificate_set_flags(identity->credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
		code = gnutls_certificate_set_x509_key(identity->credentials, chain, (int)n, own);
	}
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	if (own)
		gnutls_x509_privkey_deinit(own);
	return code;
}

int tls_identity_read(struct tls_identity *identity, const char *ca_pem, const char *cert_pem,
		      const char *key_pem, struct err *err)
{
	int code;

	if (ca_pem) {
		gnutls_datum_t ca = datum(ca_pem);

		code = gnutls_certificate_set_x509_trust_mem(identity->credentials, &ca, GNUTLS_X509_FMT_PEM);
		if (code <= 0)
			return err_set(err, ERR_INTERNAL, "certificate authority: %s",
				       code < 0 ? gnutls_strerror(code) : "no certificate in it");
	}
	if (cert_pem && key_pem) {
		code = load_pair(identity, cert_pem, key_pem);
		if (code < 0)
			return err_set(err, ERR_INTERNAL, "client certificate and key: %s",
				       gnutls_strerror(code));
	}
	return 0;
}

int tls_identity_init(struct tls_identity *identity, bool has_ca, struct err *err)
{
	int code;

	*identity = (struct tls_identity){ .has_ca = has_ca };
	code = gnutls_certificate_allocate_credentials(&identity->credentials);
	if (code >= 0)
		code = gnutls_priority_init(&identity->priorities, PRIORITIES, NULL);
	if (code >= 0)
		return 0;
	tls_identity_close(identity);
	return err_set(err, ERR_INTERNAL, "TLS: %s", gnutls_strerror(code));
}

void tls_identity_close(struct tls_identity *identity)
{
	if (identity->priorities)
		gnutls_priority_deinit(identity->priorities);
	if (identity->credentials)
		gnutls_certificate_free_credentials(identity->credentials);
	*identity = (struct tls_identity){ 0 };
}

static bool is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

gnutls_session_t tls_identity_session(struct tls_identity *identity, const char *name, bool verify,
				      struct err *err)
{
	gnutls_session_t session = NULL;
	int code;

	if (verify && !identity->has_ca && !identity->system_loaded) {
		gnutls_certificate_set_x509_system_trust(identity->credentials);
		identity->system_loaded = true;
	}
	code =
	    gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_KEY_SHARE_TOP);
	if (code < 0)
		goto fail;
	code = gnutls_priority_set(session, identity->priorities);
	if (code < 0)
		goto fail;
	code = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity->credentials);
	if (code < 0)
		goto fail;
	if (!is_address(name)) { /* RFC 6066 section 3: addresses are not sent */
		code = gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, strlen(name));
		if (code < 0)
			goto fail;
	}
	if (verify)
		gnutls_session_set_verify_cert(session, name, 0);
	return session;
fail:
	err_set(err, ERR_INTERNAL, "TLS: %s", gnutls_strerror(code));
	if (session)
		gnutls_deinit(session);
	return NULL;
}

int tls_identity_explain(gnutls_session_t session, int code, struct err *err)
{
	gnutls_datum_t text = { 0 };

	if (code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
	    gnutls_certificate_verification_status_print(
		gnutls_session_get_verify_cert_status(session),
		gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS), &text, 0) == 0) {
		size_t len = text.size;

		while (len > 0 && (text.data[len - 1] == ' ' || text.data[len - 1] == '\0'))
			len--;
		err_set(err, ERR_CONNECTION, "the server's certificate is not trusted: %.*s", (int)len,
			text.data);
		gnutls_free(text.data);
		return -1;
	}
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		const char *alert = gnutls_alert_get_name(gnutls_alert_get(session));

		return err_set(err, ERR_CONNECTION, "the server ended the TLS session: %s",
			       alert ? alert : "unknown alert");
	}
	return err_set(err, ERR_CONNECTION, "TLS: %s", gnutls_strerror(code));
}
