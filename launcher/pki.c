#include "launcher/pki.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"

enum { DAY = 24 * 3600, CA_DAYS = 3650, LEAF_DAYS = 365, RENEW_DAYS = 30, PEM_MAX_BYTES = 64 * 1024 };

/* Who a certificate is for. SERVES: also as a server, under the cluster's names and address. */
struct leaf {
	const char *name;
	const char *common_name; /* %s: the node's name */
	const char *organization;
	bool serves;
};

/* Nobody here is of system:masters, which no rule can take anything from: administrators have their rights by
 * a binding of their group, as with kubeadm, and a certificate that got lost is made worthless by removing
 * that. The way back in, should the binding itself be lost, is the token in auth/tokens.csv. */
static const struct leaf leaves[] = {
	{ "apiserver", "kube-apiserver", NULL, true },
	{ "kubelet-client", "kube-apiserver-kubelet-client", NULL, false },
	{ "agent-server", "system:node:%s", "system:nodes", true },
	{ "scheduler-server", "system:kube-scheduler", NULL, true },
	{ "controller-server", "system:kube-controller-manager", NULL, true },
	{ "agent", "system:node:%s", "system:nodes", false },
	{ "scheduler", "system:kube-scheduler", NULL, false },
	{ "controller", "system:kube-controller-manager", NULL, false },
	{ "admin", "kubernetes-admin", "kubeadm:cluster-admins", false },
};

static const char *const server_names[] = {
	"localhost",
	"kubernetes",
	"kubernetes.default",
	"kubernetes.default.svc",
	"kubernetes.default.svc.cluster.local",
};

struct pair {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

static void pair_close(struct pair *pair)
{
	if (pair->crt)
		gnutls_x509_crt_deinit(pair->crt);
	if (pair->key)
		gnutls_x509_privkey_deinit(pair->key);
}

static int tls_error(int code, const char *what, struct err *err)
{
	return err_set(err, ERR_INTERNAL, "%s: %s", what, gnutls_strerror(code));
}

static void datum_freep(gnutls_datum_t *datum)
{
	gnutls_free(datum->data);
}

/* Reads DIR/pki/NAME.{crt,key}. ERR_NOT_FOUND when one is missing. */
static int pair_read(const struct cluster *cluster, const char *name, struct pair *ret, struct err *err)
{
	CLEANUP(mem_freep) char *crt_path = mem_printf("%s/pki/%s.crt", cluster->dir, name);
	CLEANUP(mem_freep) char *key_path = mem_printf("%s/pki/%s.key", cluster->dir, name);
	CLEANUP(buf_close) struct buf crt = BUF_INIT, key = BUF_INIT;
	CLEANUP(pair_close) struct pair pair = { 0 };
	int code;

	if (access(crt_path, F_OK) < 0 || access(key_path, F_OK) < 0)
		return err_set(err, ERR_NOT_FOUND, "no certificate %s", name);
	if (buf_read_file(&crt, crt_path, PEM_MAX_BYTES, err) < 0 ||
	    buf_read_file(&key, key_path, PEM_MAX_BYTES, err) < 0)
		return -1;
	gnutls_datum_t crt_pem = { (unsigned char *)crt.data, (unsigned)crt.len };
	gnutls_datum_t key_pem = { (unsigned char *)key.data, (unsigned)key.len };
	if ((code = gnutls_x509_crt_init(&pair.crt)) < 0 ||
	    (code = gnutls_x509_privkey_init(&pair.key)) < 0 ||
	    (code = gnutls_x509_crt_import(pair.crt, &crt_pem, GNUTLS_X509_FMT_PEM)) < 0 ||
	    (code = gnutls_x509_privkey_import(pair.key, &key_pem, GNUTLS_X509_FMT_PEM)) < 0)
		return tls_error(code, crt_path, err);
	*ret = pair;
	pair = (struct pair){ 0 };
	return 0;
}

/* The key goes first: a certificate without its key is never found. */
static int pair_write(const struct cluster *cluster, const char *name, const struct pair *pair,
		      struct err *err)
{
	CLEANUP(mem_freep) char *crt_path = mem_printf("%s/pki/%s.crt", cluster->dir, name);
	CLEANUP(mem_freep) char *key_path = mem_printf("%s/pki/%s.key", cluster->dir, name);
	CLEANUP(datum_freep) gnutls_datum_t crt = { 0 }, key = { 0 };
	int code;

	if ((code = gnutls_x509_crt_export2(pair->crt, GNUTLS_X509_FMT_PEM, &crt)) < 0 ||
	    (code = gnutls_x509_privkey_export2(pair->key, GNUTLS_X509_FMT_PEM, &key)) < 0)
		return tls_error(code, "export a certificate", err);
	unlink(crt_path);
	if (buf_write_file_atomic(key_path, key.data, key.size, 0600, err) < 0)
		return -1;
	return buf_write_file_atomic(crt_path, crt.data, crt.size, 0644, err);
}

/* Who is to prove who they are sign in each handshake, for which P-256 is quick. What the authority signed is
 * verified twice in each handshake, which RSA does in a sixth of the time; that it is slow to make, and to
 * sign with, is paid once. */
static const struct key_kind {
	gnutls_pk_algorithm_t algorithm;
	unsigned bits;
} leaf_key = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) },
  ca_key = { GNUTLS_PK_RSA, 2048 };

/* A key and an unsigned certificate with subject, serial and validity. */
static int pair_begin(const struct key_kind *kind, const char *common_name, const char *organization,
		      int days, struct pair *ret, struct err *err)
{
	CLEANUP(pair_close) struct pair pair = { 0 };
	unsigned char serial[16];
	time_t now = time(NULL);
	int code;

	if ((code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial))) < 0)
		return tls_error(code, "random numbers", err);
	serial[0] &= 0x7f; /* serial numbers are positive (RFC 5280 4.1.2.2) */
	if ((code = gnutls_x509_crt_init(&pair.crt)) < 0 ||
	    (code = gnutls_x509_privkey_init(&pair.key)) < 0 ||
	    (code = gnutls_x509_privkey_generate(pair.key, kind->algorithm, kind->bits, 0)) < 0 ||
	    (code = gnutls_x509_crt_set_version(pair.crt, 3)) < 0 ||
	    (code = gnutls_x509_crt_set_serial(pair.crt, serial, sizeof(serial))) < 0 ||
	    (code = gnutls_x509_crt_set_activation_time(pair.crt, now - DAY)) < 0 || /* clocks differ */
	    (code = gnutls_x509_crt_set_expiration_time(pair.crt, now + (time_t)days * DAY)) < 0 ||
	    (code = gnutls_x509_crt_set_key(pair.crt, pair.key)) < 0 ||
	    (code = gnutls_x509_crt_set_dn_by_oid(pair.crt, GNUTLS_OID_X520_COMMON_NAME, 0, common_name,
						  (unsigned)strlen(common_name))) < 0)
		return tls_error(code, common_name, err);
	if (organization &&
	    (code = gnutls_x509_crt_set_dn_by_oid(pair.crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
						  organization, (unsigned)strlen(organization))) < 0)
		return tls_error(code, organization, err);
	*ret = pair;
	pair = (struct pair){ 0 };
	return 0;
}

static int key_id(gnutls_x509_crt_t crt, unsigned char *id, size_t *size)
{
	return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, size);
}

static int ca_make(struct pair *ret, struct err *err)
{
	CLEANUP(pair_close) struct pair pair = { 0 };
	unsigned char id[64];
	size_t id_size = sizeof(id);
	int code;

	if (pair_begin(&ca_key, "knarr", NULL, CA_DAYS, &pair, err) < 0)
		return -1;
	if ((code = gnutls_x509_crt_set_basic_constraints(pair.crt, 1, -1)) < 0 ||
	    (code = gnutls_x509_crt_set_key_usage(pair.crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)) <
		0 ||
	    (code = key_id(pair.crt, id, &id_size)) < 0 ||
	    (code = gnutls_x509_crt_set_subject_key_id(pair.crt, id, id_size)) < 0 ||
	    (code = gnutls_x509_crt_sign2(pair.crt, pair.crt, pair.key, GNUTLS_DIG_SHA256, 0)) < 0)
		return tls_error(code, "certificate authority", err);
	*ret = pair;
	pair = (struct pair){ 0 };
	return 0;
}

static int add_server_names(gnutls_x509_crt_t crt, const struct cluster *cluster)
{
	const char *const addresses[] = { "127.0.0.1", "::1", cluster->address };
	/* Each name once: every client reads all of them at each handshake. */
	bool local =
	    strcmp(cluster->address, addresses[0]) == 0 || strcmp(cluster->address, addresses[1]) == 0;
	size_t n = ARRAY_SIZE(addresses) - local;
	int code = 0;

	for (size_t i = 0; code >= 0 && i < ARRAY_SIZE(server_names); i++)
		code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, server_names[i],
							    (unsigned)strlen(server_names[i]),
							    GNUTLS_FSAN_APPEND);
	if (code >= 0)
		code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, cluster->node_name,
							    (unsigned)strlen(cluster->node_name),
							    GNUTLS_FSAN_APPEND);
	for (size_t i = 0; code >= 0 && i < n; i++) {
		unsigned char raw[16];
		if (inet_pton(AF_INET, addresses[i], raw) == 1)
			code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, raw, 4,
								    GNUTLS_FSAN_APPEND);
		else if (inet_pton(AF_INET6, addresses[i], raw) == 1)
			code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, raw, 16,
								    GNUTLS_FSAN_APPEND);
	}
	return code;
}

static void common_name_of(const struct cluster *cluster, const struct leaf *leaf, char *ret, size_t size)
{
	const char *mark = strstr(leaf->common_name, "%s");

	snprintf(ret, size, "%.*s%s", mark ? (int)(mark - leaf->common_name) : (int)strlen(leaf->common_name),
		 leaf->common_name, mark ? cluster->node_name : "");
}

/* An attribute of the subject is TEXT; NULL: is not there. */
static bool subject_is(gnutls_x509_crt_t crt, const char *oid, const char *text)
{
	char found[256] = "";
	size_t size = sizeof(found);
	int code = gnutls_x509_crt_get_dn_by_oid(crt, oid, 0, 0, found, &size);

	return text ? code >= 0 && strcmp(found, text) == 0 : code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

static int leaf_make(const struct cluster *cluster, const struct leaf *leaf, const struct pair *ca,
		     struct err *err)
{
	CLEANUP(pair_close) struct pair pair = { 0 };
	char common_name[HOST_NAME_MAX + 32];
	unsigned char id[64];
	size_t id_size = sizeof(id);
	int code;

	common_name_of(cluster, leaf, common_name, sizeof(common_name));
	if (pair_begin(&leaf_key, common_name, leaf->organization, LEAF_DAYS, &pair, err) < 0)
		return -1;
	if ((code = gnutls_x509_crt_set_basic_constraints(pair.crt, 0, -1)) < 0 ||
	    (code = gnutls_x509_crt_set_key_usage(pair.crt, GNUTLS_KEY_DIGITAL_SIGNATURE)) < 0 ||
	    (code = gnutls_x509_crt_set_key_purpose_oid(
		 pair.crt, leaf->serves ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT, 0)) < 0 ||
	    (leaf->serves && (code = add_server_names(pair.crt, cluster)) < 0) ||
	    (code = key_id(ca->crt, id, &id_size)) < 0 ||
	    (code = gnutls_x509_crt_set_authority_key_id(pair.crt, id, id_size)) < 0 ||
	    (code = gnutls_x509_crt_sign2(pair.crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0)) < 0)
		return tls_error(code, leaf->name, err);
	return pair_write(cluster, leaf->name, &pair, err);
}

static bool ends_soon(gnutls_x509_crt_t crt)
{
	return gnutls_x509_crt_get_expiration_time(crt) < time(NULL) + (time_t)RENEW_DAYS * DAY;
}

/* Signed by CA, good for a while yet, for who it is today, and for the address that the cluster has now. */
static bool leaf_good(const struct cluster *cluster, const struct leaf *leaf, const struct pair *ca)
{
	CLEANUP(pair_close) struct pair pair = { 0 };
	char common_name[HOST_NAME_MAX + 32];
	unsigned result = 0;

	common_name_of(cluster, leaf, common_name, sizeof(common_name));
	if (pair_read(cluster, leaf->name, &pair, NULL) < 0 || ends_soon(pair.crt) ||
	    gnutls_x509_crt_verify(pair.crt, &ca->crt, 1, 0, &result) < 0 || result != 0 ||
	    !subject_is(pair.crt, GNUTLS_OID_X520_COMMON_NAME, common_name) ||
	    !subject_is(pair.crt, GNUTLS_OID_X520_ORGANIZATION_NAME, leaf->organization))
		return false;
	return !leaf->serves || gnutls_x509_crt_check_hostname(pair.crt, cluster->address);
}

int pki_ensure(const struct cluster *cluster, struct err *err)
{
	CLEANUP(pair_close) struct pair ca = { 0 };
	struct err missing = ERR_INIT;

	if (pair_read(cluster, "ca", &ca, &missing) < 0 && missing.kind != ERR_NOT_FOUND) {
		*err = missing;
		return err_wrap(err, "the certificate authority in %s/pki is damaged", cluster->dir);
	}
	if (!ca.crt || ends_soon(ca.crt)) {
		pair_close(&ca);
		ca = (struct pair){ 0 };
		if (ca_make(&ca, err) < 0 || pair_write(cluster, "ca", &ca, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		if (!leaf_good(cluster, &leaves[i], &ca) && leaf_make(cluster, &leaves[i], &ca, err) < 0)
			return -1;
	return 0;
}
