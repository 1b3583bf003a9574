#include "apiserver/authn/token_keys.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/file_stamp.h"
#include "lib/log.h"

#define KEY_FILE_MAX  (256 * 1024)
#define KEYS_MAX      64
#define KEY_ID_SIZE   44
#define LOOK_EVERY_MS 1000
#define RSA_BITS_MIN  2048

struct public_key {
	gnutls_pubkey_t key;
	const struct jwt_algorithm *algorithm;
	char id[KEY_ID_SIZE];
};

/* What the files held at one moment. */
struct ring {
	_Atomic unsigned refs;
	struct public_key keys[KEYS_MAX];
	size_t n;
	gnutls_privkey_t signer; /* or NULL; its public half is keys[0] */
	uint64_t generation;
};

struct token_keys {
	char *signing_file;
	char **files;
	size_t n_files;
	struct file_stamp *stamps; /* of files, then of the signing file */
	pthread_mutex_t lock;      /* over all below, and the stamps */
	int64_t looked_ms;
	struct ring *ring;
};

static void ring_unref(struct ring *ring)
{
	if (!ring || --ring->refs)
		return;
	for (size_t i = 0; i < ring->n; i++)
		gnutls_pubkey_deinit(ring->keys[i].key);
	if (ring->signer)
		gnutls_privkey_deinit(ring->signer);
	free(ring);
}

static void ring_unrefp(struct ring **ring)
{
	ring_unref(*ring);
}

static int key_error(struct err *err, int code)
{
	return err_set(err, ERR_BAD_REQUEST, "%s", gnutls_strerror(code));
}

/* --- one key --- */

static int set_id(struct public_key *key, struct err *err)
{
	gnutls_datum_t der = { 0 };
	unsigned char digest[32];
	int code = gnutls_pubkey_export2(key->key, GNUTLS_X509_FMT_DER, &der);
	if (code >= 0)
		code = gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, digest);
	gnutls_free(der.data);
	if (code < 0)
		return key_error(err, code);
	CLEANUP(buf_close) struct buf id = BUF_INIT;
	jwt_base64url(&id, digest, sizeof(digest));
	memcpy(key->id, id.data, id.len + 1);
	return 0;
}

static int set_algorithm(struct public_key *key, struct err *err)
{
	unsigned bits = 0;
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	switch (gnutls_pubkey_get_pk_algorithm(key->key, &bits)) {
	case GNUTLS_PK_RSA:
		if (bits < RSA_BITS_MIN)
			return err_set(err, ERR_BAD_REQUEST, "an RSA key of %u bits; at least %d are needed",
				       bits, RSA_BITS_MIN);
		break;
	case GNUTLS_PK_ECDSA:
		if (gnutls_pubkey_export_ecc_raw(key->key, &curve, NULL, NULL) < 0)
			curve = GNUTLS_ECC_CURVE_MAX;
		break;
	default:
		return err_set(err, ERR_BAD_REQUEST, "neither an RSA nor an ECDSA key");
	}
	key->algorithm = jwt_algorithm_of_curve(curve);
	return key->algorithm
		   ? 0
		   : err_set(err, ERR_BAD_REQUEST, "a key on a curve other than P-256, P-384, P-521");
}

/* Takes KEY; a key that is there already is left aside. */
static int ring_add(struct ring *ring, gnutls_pubkey_t key, struct err *err)
{
	struct public_key public = { .key = key };
	int result = set_algorithm(&public, err) < 0 || set_id(&public, err) < 0 ? -1 : 0;
	bool known = false;
	for (size_t i = 0; i < ring->n && result == 0; i++)
		known |= strcmp(ring->keys[i].id, public.id) == 0;
	if (result == 0 && !known && ring->n == KEYS_MAX)
		result = err_set(err, ERR_LIMIT, "more than %d keys", KEYS_MAX);
	if (result < 0 || known)
		gnutls_pubkey_deinit(key);
	else
		ring->keys[ring->n++] = public;
	return result;
}

/* --- PEM --- */

static int import_private(const gnutls_datum_t *pem, gnutls_privkey_t *ret, struct err *err)
{
	gnutls_privkey_t key = NULL;
	int code = gnutls_privkey_init(&key);
	if (code >= 0)
		code = gnutls_privkey_import_x509_raw(key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (code < 0) {
		gnutls_privkey_deinit(key);
		return key_error(err, code);
	}
	*ret = key;
	return 0;
}

static int import_public(const gnutls_datum_t *pem, const char *label, gnutls_pubkey_t *ret, struct err *err)
{
	gnutls_privkey_t private = NULL;
	gnutls_pubkey_t key = NULL;
	int code = gnutls_pubkey_init(&key);
	if (code < 0)
		return key_error(err, code);
	if (strstr(label, "CERTIFICATE")) {
		code = gnutls_pubkey_import_x509_raw(key, pem, GNUTLS_X509_FMT_PEM, 0);
	} else if (strstr(label, "PRIVATE KEY")) {
		if (import_private(pem, &private, err) < 0) {
			gnutls_pubkey_deinit(key);
			return -1;
		}
		code = gnutls_pubkey_import_privkey(key, private, 0, 0);
		gnutls_privkey_deinit(private);
	} else {
		code = gnutls_pubkey_import(key, pem, GNUTLS_X509_FMT_PEM);
	}
	if (code < 0) {
		gnutls_pubkey_deinit(key);
		return key_error(err, code);
	}
	*ret = key;
	return 0;
}

/* "EC PARAMETERS" stand before the key that openssl writes, and say nothing that it does not. */
static bool is_key(const char *label)
{
	return strstr(label, "KEY") || strstr(label, "CERTIFICATE");
}

/* The next PEM block from *AT on, and its label; false when there is none. */
static bool next_block(const char **at, gnutls_datum_t *ret, char label[32])
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	const char *start = strstr(*at, begin), *stop = start ? strstr(start, end) : NULL;
	if (!stop)
		return false;
	const char *name = start + sizeof(begin) - 1;
	size_t len = strcspn(name, "-\n");
	memcpy(label, name, len < 31 ? len : 31);
	label[len < 31 ? len : 31] = '\0';
	stop += strcspn(stop, "\n");
	*ret = (gnutls_datum_t){ (unsigned char *)(uintptr_t)start, (unsigned)(stop - start) };
	*at = stop;
	return true;
}

static int read_public_file(struct ring *ring, const char *path, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	gnutls_datum_t block;
	gnutls_pubkey_t key;
	char label[32];
	size_t n = 0;
	if (buf_read_file(&text, path, KEY_FILE_MAX, err) < 0)
		return -1;
	for (const char *at = text.data ? text.data : ""; next_block(&at, &block, label);) {
		if (!is_key(label))
			continue;
		if (import_public(&block, label, &key, err) < 0 || ring_add(ring, key, err) < 0)
			return err_wrap(err, "%s", path);
		n++;
	}
	return n ? 0 : err_set(err, ERR_BAD_REQUEST, "%s: no key in it", path);
}

static int read_signing_file(struct ring *ring, const char *path, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	gnutls_datum_t block = { 0 };
	gnutls_pubkey_t key;
	char label[32] = "";
	if (buf_read_file(&text, path, KEY_FILE_MAX, err) < 0)
		return -1;
	for (const char *at = text.data ? text.data : ""; !strstr(label, "PRIVATE KEY");)
		if (!next_block(&at, &block, label))
			return err_set(err, ERR_BAD_REQUEST, "%s: no private key in it", path);
	if (import_private(&block, &ring->signer, err) < 0 || import_public(&block, label, &key, err) < 0 ||
	    ring_add(ring, key, err) < 0)
		return err_wrap(err, "%s", path);
	return 0;
}

/* --- the files --- */

static int ring_read(const struct token_keys *keys, struct ring **ret, struct err *err)
{
	CLEANUP(ring_unrefp) struct ring *ring = mem_zalloc(sizeof(*ring));
	ring->refs = 1;
	if (keys->signing_file && read_signing_file(ring, keys->signing_file, err) < 0)
		return -1;
	for (size_t i = 0; i < keys->n_files; i++)
		if (read_public_file(ring, keys->files[i], err) < 0)
			return -1;
	*ret = TAKE(ring);
	return 0;
}

/* What is half written or gone leaves the keys that were good. */
static void look(struct token_keys *keys)
{
	struct ring *ring = NULL;
	struct err err = ERR_INIT;
	bool changed = false;
	for (size_t i = 0; i <= keys->n_files; i++)
		if (keys->stamps[i].path)
			changed |= file_stamp_changed(&keys->stamps[i]);
	if (!changed)
		return;
	if (ring_read(keys, &ring, &err) < 0) {
		log_warn("keys of service account tokens not read again", "error", err.msg, NULL);
		return;
	}
	ring->generation = keys->ring->generation + 1;
	ring_unref(keys->ring);
	keys->ring = ring;
	log_info("keys of service account tokens read again", "keys", log_num((int64_t)ring->n), NULL);
}

static struct ring *ring_now(struct token_keys *keys)
{
	pthread_mutex_lock(&keys->lock);
	int64_t now_ms = file_stamp_clock_ms();
	if (now_ms - keys->looked_ms >= LOOK_EVERY_MS) {
		keys->looked_ms = now_ms;
		look(keys);
	}
	struct ring *ring = keys->ring;
	ring->refs++;
	pthread_mutex_unlock(&keys->lock);
	return ring;
}

uint64_t token_keys_generation(struct token_keys *keys)
{
	CLEANUP(ring_unrefp) struct ring *ring = ring_now(keys);
	return ring->generation;
}

int token_keys_new(const struct token_keys_opts *opts, struct token_keys **ret, struct err *err)
{
	struct token_keys *keys = mem_zalloc(sizeof(*keys));
	pthread_mutex_init(&keys->lock, NULL);
	keys->signing_file = mem_dup(opts->signing_file);
	keys->files = mem_zalloc((opts->n_files + 1) * sizeof(char *));
	keys->stamps = mem_zalloc((opts->n_files + 1) * sizeof(struct file_stamp));
	for (size_t i = 0; i < opts->n_files; i++) {
		keys->files[keys->n_files++] = mem_dup(opts->files[i]);
		keys->stamps[i] = file_stamp_take(keys->files[i]);
	}
	if (keys->signing_file)
		keys->stamps[keys->n_files] = file_stamp_take(keys->signing_file);
	if (ring_read(keys, &keys->ring, err) < 0) {
		token_keys_free(keys);
		return err_wrap(err, "keys of service account tokens");
	}
	*ret = keys;
	return 0;
}

void token_keys_free(struct token_keys *keys)
{
	if (!keys)
		return;
	ring_unref(keys->ring);
	for (size_t i = 0; i < keys->n_files; i++)
		free(keys->files[i]);
	free(keys->files);
	free(keys->stamps);
	free(keys->signing_file);
	pthread_mutex_destroy(&keys->lock);
	free(keys);
}

bool token_keys_can_sign(const struct token_keys *keys)
{
	return keys->signing_file;
}

/* --- use --- */

int token_keys_sign(struct token_keys *keys, const struct json_object *claims, struct buf *ret,
		    struct err *err)
{
	CLEANUP(ring_unrefp) struct ring *ring = ring_now(keys);
	CLEANUP(buf_close) struct buf token = BUF_INIT;
	gnutls_datum_t signature = { 0 };
	if (!ring->signer)
		return err_set(err, ERR_INTERNAL, "no key to sign tokens with");
	const struct public_key *key = &ring->keys[0];
	jwt_begin(&token, key->algorithm, key->id, claims);
	gnutls_datum_t data = { (unsigned char *)token.data, (unsigned)token.len };
	int code = gnutls_privkey_sign_data2(ring->signer, key->algorithm->sign, 0, &data, &signature);
	if (code < 0)
		return err_set(err, ERR_INTERNAL, "sign a token: %s", gnutls_strerror(code));
	int result = jwt_end(&token, key->algorithm, &signature, err);
	gnutls_free(signature.data);
	if (result == 0)
		buf_add(ret, token.data, token.len);
	return result;
}

static bool same_type(const struct jwt_algorithm *a, const struct jwt_algorithm *b)
{
	return a->curve == b->curve;
}

/* A key signs with algorithms of its own type alone, whatever the token's header says. */
static bool verifies(const struct public_key *key, const struct jwt *jwt)
{
	gnutls_datum_t data = { (unsigned char *)(uintptr_t)jwt->signed_text, (unsigned)jwt->signed_len };
	gnutls_datum_t signature = { (unsigned char *)jwt->signature.data, (unsigned)jwt->signature.len };
	return same_type(key->algorithm, jwt->algorithm) && signature.size &&
	       gnutls_pubkey_verify_data2(key->key, jwt->algorithm->sign, 0, &data, &signature) >= 0;
}

int token_keys_verify(struct token_keys *keys, const struct jwt *jwt, struct err *err)
{
	CLEANUP(ring_unrefp) struct ring *ring = ring_now(keys);
	bool named = false;
	for (size_t i = 0; i < ring->n; i++)
		if (strcmp(ring->keys[i].id, jwt->kid) == 0) {
			named = true;
			if (verifies(&ring->keys[i], jwt))
				return 0;
		}
	/* An id that names none of our keys says nothing: any of them may have signed. */
	for (size_t i = 0; i < ring->n && !named; i++)
		if (verifies(&ring->keys[i], jwt))
			return 0;
	return err_set(err, ERR_UNAUTHORIZED, "the token is not signed by a key of this server");
}

/* --- for others to verify --- */

static void set_number(struct json_object *jwk, const char *name, const gnutls_datum_t *value, size_t width)
{
	CLEANUP(buf_close) struct buf padded = BUF_INIT, text = BUF_INIT;
	const unsigned char *data = value->data;
	size_t len = value->size;
	for (; len > 1 && *data == 0; data++)
		len--;
	for (size_t i = len; i < width; i++)
		buf_char(&padded, '\0');
	buf_add(&padded, data, len);
	jwt_base64url(&text, padded.data, padded.len);
	json_set_str(jwk, name, text.data);
}

static struct json_object *jwk_of(const struct public_key *key)
{
	struct json_object *jwk = json_object_new_object();
	size_t width = key->algorithm->coordinate_bytes;
	gnutls_datum_t first = { 0 }, second = { 0 };
	gnutls_ecc_curve_t curve;
	json_set_str(jwk, "use", "sig");
	json_set_str(jwk, "kty", width ? "EC" : "RSA");
	json_set_str(jwk, "kid", key->id);
	if (width)
		json_set_str(jwk, "crv", key->algorithm->curve_name);
	json_set_str(jwk, "alg", key->algorithm->name);
	int code = width ? gnutls_pubkey_export_ecc_raw(key->key, &curve, &first, &second)
			 : gnutls_pubkey_export_rsa_raw(key->key, &first, &second);
	if (code >= 0) {
		set_number(jwk, width ? "x" : "n", &first, width);
		set_number(jwk, width ? "y" : "e", &second, width);
	}
	gnutls_free(first.data);
	gnutls_free(second.data);
	return jwk;
}

struct json_object *token_keys_jwks(struct token_keys *keys)
{
	CLEANUP(ring_unrefp) struct ring *ring = ring_now(keys);
	struct json_object *set = json_object_new_object(), *list = json_ensure_array(set, "keys");
	for (size_t i = 0; i < ring->n; i++)
		json_object_array_add(list, jwk_of(&ring->keys[i]));
	return set;
}

struct json_object *token_keys_algorithms(struct token_keys *keys)
{
	CLEANUP(ring_unrefp) struct ring *ring = ring_now(keys);
	struct json_object *names = json_object_new_array();
	for (size_t i = 0; i < ring->n; i++) {
		bool known = false;
		for (size_t k = 0; k < i; k++)
			known |= ring->keys[k].algorithm == ring->keys[i].algorithm;
		if (!known)
			json_object_array_add(names, json_object_new_string(ring->keys[i].algorithm->name));
	}
	return names;
}
