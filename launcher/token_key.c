#include "launcher/token_key.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <unistd.h>

#include "lib/buf.h"

enum { PEM_MAX_BYTES = 256 * 1024 };

struct pem_pair {
	gnutls_datum_t private, public;
};

static void pem_pair_close(struct pem_pair *pair)
{
	gnutls_free(pair->private.data);
	gnutls_free(pair->public.data);
}

static int make(struct pem_pair *ret, struct err *err)
{
	gnutls_x509_privkey_t plain = NULL;
	gnutls_privkey_t private = NULL;
	gnutls_pubkey_t public = NULL;
	int code = gnutls_x509_privkey_init(&plain);

	if (code >= 0)
		code = gnutls_privkey_init(&private);
	if (code >= 0)
		code = gnutls_pubkey_init(&public);
	if (code >= 0)
		code = gnutls_x509_privkey_generate(plain, GNUTLS_PK_ECDSA,
						    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (code >= 0)
		code = gnutls_privkey_import_x509(private, plain, GNUTLS_PRIVKEY_IMPORT_COPY);
	if (code >= 0)
		code = gnutls_pubkey_import_privkey(public, private, 0, 0);
	if (code >= 0)
		code = gnutls_x509_privkey_export2_pkcs8(plain, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
							 &ret->private);
	if (code >= 0)
		code = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_PEM, &ret->public);
	gnutls_pubkey_deinit(public);
	gnutls_privkey_deinit(private);
	gnutls_x509_privkey_deinit(plain);
	return code < 0 ? err_set(err, ERR_INTERNAL, "make a key for tokens: %s", gnutls_strerror(code)) : 0;
}

int token_key_rotate(const struct cluster *cluster, bool forget, struct err *err)
{
	CLEANUP(mem_freep)
	char *key_path = cluster_path(cluster, "pki/sa.key"), *pub_path = cluster_path(cluster, "pki/sa.pub");
	CLEANUP(pem_pair_close) struct pem_pair pair = { 0 };
	CLEANUP(buf_close) struct buf public = BUF_INIT;

	if (make(&pair, err) < 0)
		return -1;
	buf_add(&public, pair.public.data, pair.public.size);
	if (!forget && access(pub_path, F_OK) == 0 &&
	    buf_read_file(&public, pub_path, PEM_MAX_BYTES, err) < 0)
		return -1;
	/* The public key first: no token is ever signed by a key that is not listed. */
	if (buf_write_file_atomic(pub_path, public.data, public.len, 0644, err) < 0)
		return -1;
	return buf_write_file_atomic(key_path, pair.private.data, pair.private.size, 0600, err);
}

int token_key_ensure(const struct cluster *cluster, struct err *err)
{
	CLEANUP(mem_freep)
	char *key_path = cluster_path(cluster, "pki/sa.key"), *pub_path = cluster_path(cluster, "pki/sa.pub");

	if (access(key_path, F_OK) == 0 && access(pub_path, F_OK) == 0)
		return 0;
	return token_key_rotate(cluster, false, err);
}
