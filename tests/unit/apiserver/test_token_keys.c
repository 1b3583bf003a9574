#include <gnutls/abstract.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "apiserver/authn/token_keys.h"
#include "lib/timefmt.h"

struct fixture {
	char dir[64], key[96], pub[96];
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/knarr-keys-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->key, sizeof(f->key), "%s/sa.key", f->dir);
	snprintf(f->pub, sizeof(f->pub), "%s/sa.pub", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	unlink(f->key);
	unlink(f->pub);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* PEM of a new key: private and public half. */
static void make_key(gnutls_pk_algorithm_t type, unsigned bits, struct buf *private_pem,
		     struct buf *public_pem)
{
	gnutls_x509_privkey_t plain;
	gnutls_privkey_t key;
	gnutls_pubkey_t pub;
	gnutls_datum_t text;
	assert_int_equal(gnutls_x509_privkey_init(&plain), 0);
	assert_int_equal(gnutls_x509_privkey_generate(plain, type, bits, 0), 0);
	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(gnutls_privkey_import_x509(key, plain, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
	assert_int_equal(gnutls_pubkey_init(&pub), 0);
	assert_int_equal(gnutls_pubkey_import_privkey(pub, key, 0, 0), 0);
	assert_int_equal(gnutls_x509_privkey_export2(plain, GNUTLS_X509_FMT_PEM, &text), 0);
	buf_add(private_pem, text.data, text.size);
	gnutls_free(text.data);
	assert_int_equal(gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_PEM, &text), 0);
	buf_add(public_pem, text.data, text.size);
	gnutls_free(text.data);
	gnutls_pubkey_deinit(pub);
	gnutls_privkey_deinit(key);
	gnutls_x509_privkey_deinit(plain);
}

static void write_file(const char *path, const struct buf *text)
{
	assert_int_equal(buf_write_file_atomic(path, text->data, text->len, 0600, NULL), 0);
}

static struct token_keys *open_keys(const char *signing, const char *file)
{
	struct token_keys_opts opts = { .signing_file = signing, .files = &file, .n_files = file ? 1 : 0 };
	struct token_keys *keys = NULL;
	struct err err = ERR_INIT;
	if (token_keys_new(&opts, &keys, &err) < 0)
		fail_msg("%s", err.msg);
	return keys;
}

static char *sign(struct token_keys *keys)
{
	CLEANUP(json_putp) struct json_object *claims = json_object_new_object();
	struct buf token = BUF_INIT;
	json_set_str(claims, "iss", "harbour");
	assert_int_equal(token_keys_sign(keys, claims, &token, NULL), 0);
	return buf_take(&token);
}

static int verify(struct token_keys *keys, const char *token)
{
	struct jwt jwt;
	if (jwt_parse(token, strlen(token), &jwt, NULL) < 0)
		return -2;
	int result = token_keys_verify(keys, &jwt, NULL);
	jwt_close(&jwt);
	return result;
}

static void signs_and_verifies(gnutls_pk_algorithm_t type, unsigned bits, struct fixture *f)
{
	CLEANUP(buf_close)
	struct buf key = BUF_INIT,
		   pub = BUF_INIT, other_key = BUF_INIT, other_pub = BUF_INIT;
	make_key(type, bits, &key, &pub);
	make_key(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), &other_key, &other_pub);
	write_file(f->key, &key);
	write_file(f->pub, &other_pub);
	struct token_keys *keys = open_keys(f->key, NULL), *others = open_keys(NULL, f->pub);
	CLEANUP(mem_freep) char *token = sign(keys);
	assert_int_equal(verify(keys, token), 0);
	assert_int_equal(verify(others, token), -1);
	assert_false(token_keys_can_sign(others));
	/* Each character but the last, whose low bits may be refused as none of the text. */
	for (char *c = token; c[1]; c++) {
		char was = *c;
		*c = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(verify(keys, token), 0);
		*c = was;
	}
	token_keys_free(keys);
	token_keys_free(others);
}

static void with_curves(void **state)
{
	signs_and_verifies(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), *state);
	signs_and_verifies(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), *state);
	signs_and_verifies(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1), *state);
}

static void with_rsa(void **state)
{
	signs_and_verifies(GNUTLS_PK_RSA, 2048, *state);
}

/* RFC 7515 A.3: what others signed. */
static void known_signature(void **state)
{
	struct fixture *f = *state;
	static const char token[] =
	    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leG"
	    "FtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5"
	    "djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
	static const char x_text[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
			  y_text[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
	CLEANUP(buf_close) struct buf x = BUF_INIT, y = BUF_INIT, pem = BUF_INIT;
	gnutls_pubkey_t key;
	gnutls_datum_t text;
	assert_int_equal(jwt_base64url_decode(x_text, strlen(x_text), &x, NULL), 0);
	assert_int_equal(jwt_base64url_decode(y_text, strlen(y_text), &y, NULL), 0);
	gnutls_datum_t dx = { (unsigned char *)x.data, (unsigned)x.len },
		       dy = { (unsigned char *)y.data, (unsigned)y.len };
	assert_int_equal(gnutls_pubkey_init(&key), 0);
	assert_int_equal(gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &dx, &dy), 0);
	assert_int_equal(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_PEM, &text), 0);
	buf_add(&pem, text.data, text.size);
	gnutls_free(text.data);
	gnutls_pubkey_deinit(key);
	write_file(f->pub, &pem);
	struct token_keys *keys = open_keys(NULL, f->pub);
	assert_int_equal(verify(keys, token), 0);
	CLEANUP(json_putp) struct json_object *jwks = token_keys_jwks(keys);
	const struct json_object *jwk = json_at(json_get(jwks, "keys"), 0);
	assert_string_equal(json_str(jwk, "x"), x_text);
	assert_string_equal(json_str(jwk, "y"), y_text);
	token_keys_free(keys);
}

/* A token whose header says another type than the key it names. */
static void types_are_not_mixed_up(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf key = BUF_INIT, pub = BUF_INIT;
	make_key(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), &key, &pub);
	write_file(f->key, &key);
	struct token_keys *keys = open_keys(f->key, NULL);
	CLEANUP(mem_freep) char *token = sign(keys);
	CLEANUP(json_putp) struct json_object *jwks = token_keys_jwks(keys);
	const char *kid = json_str(json_at(json_get(jwks, "keys"), 0), "kid");
	static const char *const names[] = { "RS256", "ES384", "HS256", "none" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_freep)
		char *header = mem_printf("{\"alg\":\"%s\",\"kid\":\"%s\"}", names[i], kid);
		CLEANUP(buf_close) struct buf forged = BUF_INIT;
		jwt_base64url(&forged, header, strlen(header));
		buf_str(&forged, strchr(token, '.'));
		assert_int_not_equal(verify(keys, forged.data), 0);
	}
	token_keys_free(keys);
}

static void keys_rotate(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf key = BUF_INIT, pub = BUF_INIT, new_key = BUF_INIT, both = BUF_INIT;
	make_key(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), &key, &pub);
	make_key(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), &new_key, &both);
	buf_add(&both, pub.data, pub.len);
	write_file(f->key, &key);
	write_file(f->pub, &pub);
	struct token_keys *keys = open_keys(f->key, f->pub);
	CLEANUP(mem_freep) char *token = sign(keys);
	uint64_t before = token_keys_generation(keys);
	write_file(f->pub, &both);
	write_file(f->key, &new_key);
	int64_t until_ms = time_mono_ms() + 60000;
	CLEANUP(mem_freep) char *newer = sign(keys);
	while (strncmp(newer, token, strcspn(token, ".")) == 0 && time_mono_ms() < until_ms) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		free(newer);
		newer = sign(keys);
	}
	assert_true(token_keys_generation(keys) > before);
	assert_int_equal(verify(keys, token), 0);
	assert_int_equal(verify(keys, newer), 0);
	token_keys_free(keys);
}

static void what_is_no_key_is_said(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf key = BUF_INIT, pub = BUF_INIT;
	make_key(GNUTLS_PK_RSA, 1024, &key, &pub);
	const struct {
		const char *text, *why;
	} rows[] = {
		{ "no key", "no key in it" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "sa.pub" },
		{ pub.data, "1024 bits" },
	};
	const char *file = f->pub;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct token_keys_opts opts = { .files = &file, .n_files = 1 };
		struct token_keys *keys = NULL;
		struct err err = ERR_INIT;
		assert_int_equal(
		    buf_write_file_atomic(f->pub, rows[i].text, strlen(rows[i].text), 0600, NULL), 0);
		assert_int_equal(token_keys_new(&opts, &keys, &err), -1);
		if (!strstr(err.msg, rows[i].why))
			fail_msg("row %zu: %s", i, err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(with_curves, setup, teardown),
		cmocka_unit_test_setup_teardown(with_rsa, setup, teardown),
		cmocka_unit_test_setup_teardown(known_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(types_are_not_mixed_up, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_rotate, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_key_is_said, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
