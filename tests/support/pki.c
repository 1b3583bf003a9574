#include "tests/support/pki.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/mem.h"

#define DAY 86400

static void check(int result)
{
	if (result < 0)
		abort();
}

static char *pem_text(gnutls_datum_t *pem)
{
	char *text = mem_dupn((const char *)pem->data, pem->size);

	gnutls_free(pem->data);
	return text;
}

static void make_key(gnutls_x509_privkey_t *ret)
{
	check(gnutls_x509_privkey_init(ret));
	check(gnutls_x509_privkey_generate(*ret, GNUTLS_PK_ECDSA,
					   GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
}

static void make_cert(gnutls_x509_crt_t *ret, gnutls_x509_privkey_t key, const char *name)
{
	static unsigned char serial[8];

	for (size_t i = 0; i < sizeof(serial) && ++serial[sizeof(serial) - 1 - i] == 0; i++)
		;
	serial[0] = 1;
	check(gnutls_x509_crt_init(ret));
	check(gnutls_x509_crt_set_version(*ret, 3));
	check(gnutls_x509_crt_set_serial(*ret, serial, sizeof(serial)));
	check(gnutls_x509_crt_set_activation_time(*ret, time(NULL) - 60));
	check(gnutls_x509_crt_set_expiration_time(*ret, time(NULL) + DAY));
	check(gnutls_x509_crt_set_dn_by_oid(*ret, GNUTLS_OID_X520_COMMON_NAME, 0, name,
					    (unsigned)strlen(name)));
	check(gnutls_x509_crt_set_key(*ret, key));
}

void pki_ca_init(struct pki_ca *ca, const char *name)
{
	gnutls_datum_t pem;

	make_key(&ca->key);
	make_cert(&ca->cert, ca->key, name);
	check(gnutls_x509_crt_set_ca_status(ca->cert, 1));
	check(
	    gnutls_x509_crt_set_key_usage(ca->cert, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE));
	check(gnutls_x509_crt_sign2(ca->cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0));
	check(gnutls_x509_crt_export2(ca->cert, GNUTLS_X509_FMT_PEM, &pem));
	ca->pem.cert_pem = pem_text(&pem);
	check(gnutls_x509_privkey_export2(ca->key, GNUTLS_X509_FMT_PEM, &pem));
	ca->pem.key_pem = pem_text(&pem);
}

void pki_ca_close(struct pki_ca *ca)
{
	gnutls_x509_crt_deinit(ca->cert);
	gnutls_x509_privkey_deinit(ca->key);
	pki_pair_close(&ca->pem);
}

static struct pki_pair finish(const struct pki_ca *ca, gnutls_x509_crt_t cert, gnutls_x509_privkey_t key)
{
	struct pki_pair pair;
	gnutls_datum_t pem;

	check(gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_DIGITAL_SIGNATURE));
	check(gnutls_x509_crt_sign2(cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0));
	check(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem));
	pair.cert_pem = pem_text(&pem);
	check(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem));
	pair.key_pem = pem_text(&pem);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
	return pair;
}

static void add_name(gnutls_x509_crt_t cert, gnutls_x509_subject_alt_name_t type, const void *data,
		     size_t len)
{
	check(gnutls_x509_crt_set_subject_alt_name(cert, type, data, (unsigned)len, GNUTLS_FSAN_APPEND));
}

struct pki_pair pki_server(const struct pki_ca *ca, const char *name)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t cert;
	struct in_addr v4 = { htonl(INADDR_LOOPBACK) };

	make_key(&key);
	make_cert(&cert, key, "server");
	add_name(cert, GNUTLS_SAN_DNSNAME, "localhost", 9);
	add_name(cert, GNUTLS_SAN_IPADDRESS, &v4, sizeof(v4));
	add_name(cert, GNUTLS_SAN_IPADDRESS, &in6addr_loopback, sizeof(in6addr_loopback));
	if (name)
		add_name(cert, GNUTLS_SAN_DNSNAME, name, strlen(name));
	check(gnutls_x509_crt_set_key_purpose_oid(cert, GNUTLS_KP_TLS_WWW_SERVER, 0));
	return finish(ca, cert, key);
}

struct pki_pair pki_client(const struct pki_ca *ca, const char *user, const char *group)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t cert;

	make_key(&key);
	make_cert(&cert, key, user);
	if (group)
		check(gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, group,
						    (unsigned)strlen(group)));
	check(gnutls_x509_crt_set_key_purpose_oid(cert, GNUTLS_KP_TLS_WWW_CLIENT, 0));
	return finish(ca, cert, key);
}

void pki_pair_close(struct pki_pair *pair)
{
	free(pair->cert_pem);
	free(pair->key_pem);
	*pair = (struct pki_pair){ 0 };
}
