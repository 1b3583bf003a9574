#include "apiserver/authn/certificate.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

/* Where Kubernetes looks for a user's uid in a certificate's subject. */
#define OID_UID "1.3.6.1.4.1.57683.2"

/* Attribute INDEX of the subject; false when there is none, or it is too long to be a name. */
static bool subject_attribute(gnutls_x509_crt_t certificate, const char *oid, unsigned index, char *text,
			      size_t size)
{
	size_t len = size;
	return gnutls_x509_crt_get_dn_by_oid(certificate, oid, index, 0, text, &len) == 0 && len > 0;
}

/* What tells this certificate from others of the same user: in audit logs and in tokens it asked for. */
static void add_credential_id(struct identity *identity, const gnutls_datum_t *der)
{
	unsigned char digest[32];
	CLEANUP(buf_close) struct buf id = BUF_INIT;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, der->data, der->size, digest) < 0)
		return;
	buf_str(&id, "X509SHA256=");
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_printf(&id, "%02x", digest[i]);
	identity_add_extra(identity, EXTRA_CREDENTIAL_ID, id.data);
}

static struct identity *identity_of_subject(gnutls_x509_crt_t certificate, const gnutls_datum_t *der)
{
	char user[256], text[256];
	if (!subject_attribute(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, user, sizeof(user)))
		return NULL;
	bool has_uid = subject_attribute(certificate, OID_UID, 0, text, sizeof(text));
	struct identity *identity = identity_new(user, has_uid ? text : "");
	for (unsigned i = 0;
	     subject_attribute(certificate, GNUTLS_OID_X520_ORGANIZATION_NAME, i, text, sizeof(text)); i++)
		identity_add_group(identity, text, strlen(text));
	identity_add_group(identity, GROUP_AUTHENTICATED, strlen(GROUP_AUTHENTICATED));
	add_credential_id(identity, der);
	return identity;
}

struct identity *certificate_identity(gnutls_session_t session)
{
	unsigned n = 0, status = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	if (!chain || n == 0)
		return NULL;
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					  .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT };
	if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0)
		return NULL;
	gnutls_x509_crt_t certificate;
	if (gnutls_x509_crt_init(&certificate) < 0)
		return NULL;
	struct identity *identity = NULL;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0)
		identity = identity_of_subject(certificate, &chain[0]);
	gnutls_x509_crt_deinit(certificate);
	return identity;
}
