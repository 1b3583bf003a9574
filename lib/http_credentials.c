#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/http_connection.h"

/* Forward secrecy and authenticated encryption, nothing else: no RSA key exchange, no CBC. X25519 comes first
 * since that is what clients send a share for: with a group they do not, the handshake begins anew. */
#define PRIORITIES                                                                                           \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-MAC-ALL:+AEAD:"         \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"                                          \
	"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:%SERVER_PRECEDENCE"

struct http_credentials {
	_Atomic unsigned refs;
	gnutls_certificate_credentials_t certificates;
	gnutls_priority_t priorities;
	bool asks; /* for the client's certificate */
};

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)text, (unsigned)strlen(text) };
}

static int load(struct http_credentials *credentials, const char *cert_pem, const char *key_pem,
		const char *client_ca_pem, struct err *err)
{
	gnutls_datum_t cert = datum(cert_pem), key = datum(key_pem);
	int code =
	    gnutls_certificate_set_x509_key_mem(credentials->certificates, &cert, &key, GNUTLS_X509_FMT_PEM);

	if (code < 0)
		return err_set(err, ERR_BAD_REQUEST, "certificate and key of the server: %s",
			       gnutls_strerror(code));
	if (!client_ca_pem)
		return 0;
	gnutls_datum_t ca = datum(client_ca_pem);
	code = gnutls_certificate_set_x509_trust_mem(credentials->certificates, &ca, GNUTLS_X509_FMT_PEM);
	if (code <= 0)
		return err_set(err, ERR_BAD_REQUEST, "authority of client certificates: %s",
			       code ? gnutls_strerror(code) : "no certificate in it");
	credentials->asks = true;
	return 0;
}

struct http_credentials *http_credentials_new(const char *cert_pem, const char *key_pem,
					      const char *client_ca_pem, struct err *err)
{
	struct http_credentials *credentials = mem_zalloc(sizeof(*credentials));
	int code = gnutls_certificate_allocate_credentials(&credentials->certificates);

	credentials->refs = 1;
	if (code >= 0)
		code = gnutls_priority_init(&credentials->priorities, PRIORITIES, NULL);
	if (code < 0)
		err_set(err, ERR_INTERNAL, "TLS: %s", gnutls_strerror(code));
	if (code < 0 || load(credentials, cert_pem, key_pem, client_ca_pem, err) < 0)
		http_credentials_unref(TAKE(credentials));
	return credentials;
}

struct http_credentials *http_credentials_ref(struct http_credentials *credentials)
{
	credentials->refs++;
	return credentials;
}

void http_credentials_unref(struct http_credentials *credentials)
{
	if (!credentials || --credentials->refs > 0)
		return;
	if (credentials->priorities)
		gnutls_priority_deinit(credentials->priorities);
	if (credentials->certificates)
		gnutls_certificate_free_credentials(credentials->certificates);
	free(credentials);
}

gnutls_session_t http_credentials_session(struct http_credentials *credentials)
{
	static const gnutls_datum_t protocol = { (unsigned char *)(uintptr_t) "http/1.1", 8 };
	gnutls_session_t session = NULL;

	if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
		return NULL;
	if (gnutls_priority_set(session, credentials->priorities) < 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->certificates) < 0 ||
	    gnutls_alpn_set_protocols(session, &protocol, 1, 0) < 0) {
		gnutls_deinit(session);
		return NULL;
	}
	gnutls_certificate_server_set_request(session,
					      credentials->asks ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
	/* Deadlines are the connection's. */
	gnutls_handshake_set_timeout(session, 0);
	return session;
}
