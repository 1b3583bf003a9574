#include "apiserver/authn/jwt.h"

#include <gnutls/crypto.h>
#include <string.h>

static const struct jwt_algorithm algorithms[] = {
	{ "RS256", GNUTLS_SIGN_RSA_SHA256, GNUTLS_ECC_CURVE_INVALID, NULL, 0 },
	{ "RS384", GNUTLS_SIGN_RSA_SHA384, GNUTLS_ECC_CURVE_INVALID, NULL, 0 },
	{ "RS512", GNUTLS_SIGN_RSA_SHA512, GNUTLS_ECC_CURVE_INVALID, NULL, 0 },
	{ "ES256", GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_ECC_CURVE_SECP256R1, "P-256", 32 },
	{ "ES384", GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_ECC_CURVE_SECP384R1, "P-384", 48 },
	{ "ES512", GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_ECC_CURVE_SECP521R1, "P-521", 66 },
};
#define COORDINATE_MAX 66

const struct jwt_algorithm *jwt_algorithm_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

const struct jwt_algorithm *jwt_algorithm_of_curve(gnutls_ecc_curve_t curve)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (algorithms[i].curve == curve)
			return &algorithms[i];
	return NULL;
}

/* --- base64url --- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void jwt_base64url(struct buf *b, const void *data, size_t len)
{
	const unsigned char *p = data;
	unsigned bits = 0, n = 0;
	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | p[i]) & 0xffffff;
		for (n += 8; n >= 6; n -= 6)
			buf_char(b, alphabet[bits >> (n - 6) & 63]);
	}
	if (n)
		buf_char(b, alphabet[bits << (6 - n) & 63]);
}

static int digit_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

int jwt_base64url_decode(const char *text, size_t len, struct buf *ret, struct err *err)
{
	unsigned bits = 0, n = 0;
	for (size_t i = 0; i < len; i++) {
		int digit = digit_of(text[i]);
		if (digit < 0)
			return err_set(err, ERR_PARSE, "not base64url at byte %zu", i);
		bits = (bits << 6 | (unsigned)digit) & 0xffffff;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_char(ret, (char)(bits >> n & 0xff));
		}
	}
	/* One text for one value: a second spelling of a token would be a second token. */
	if (n == 6 || bits & ((1u << n) - 1))
		return err_set(err, ERR_PARSE, "not base64url: bits left over at the end");
	return 0;
}

/* --- reading --- */

static int parse_part(const char *text, size_t len, const char *what, struct json_object **ret,
		      struct err *err)
{
	CLEANUP(buf_close) struct buf plain = BUF_INIT;
	CLEANUP(json_putp) struct json_object *obj = NULL;
	size_t repeated = 0;
	if (jwt_base64url_decode(text, len, &plain, err) < 0 ||
	    json_parse(plain.data ? plain.data : "", plain.len, &obj, &repeated, err) < 0)
		return err_wrap(err, "%s", what);
	if (!json_object_is_type(obj, json_type_object) || repeated)
		return err_set(err, ERR_PARSE, "%s: not a JSON object with each name once", what);
	*ret = TAKE(obj);
	return 0;
}

static int parse_header(const char *text, size_t len, struct jwt *jwt, struct err *err)
{
	CLEANUP(json_putp) struct json_object *header = NULL;
	if (parse_part(text, len, "header", &header, err) < 0)
		return -1;
	const char *algorithm = json_str_or_empty(header, "alg"), *kid = json_str_or_empty(header, "kid");
	jwt->algorithm = jwt_algorithm_find(algorithm);
	if (!jwt->algorithm)
		return err_set(err, ERR_PARSE, "unexpected signature algorithm \"%.32s\"", algorithm);
	/* Extensions that must be understood are not (RFC 7515 4.1.11). */
	if (json_get(header, "crit"))
		return err_set(err, ERR_PARSE, "header: unsupported crit");
	if (strlen(kid) >= sizeof(jwt->kid))
		return err_set(err, ERR_PARSE, "header: kid is too long");
	strcpy(jwt->kid, kid);
	return 0;
}

static gnutls_datum_t without_zeros(const unsigned char *data, size_t len)
{
	while (len > 1 && *data == 0) {
		data++;
		len--;
	}
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)data, (unsigned)len };
}

/* ECDSA's r and s side by side (RFC 7518 3.4) become the DER that GnuTLS takes. */
static int signature_to_der(struct jwt *jwt, struct err *err)
{
	size_t half = jwt->algorithm->coordinate_bytes;
	if (jwt->signature.len != 2 * half)
		return err_set(err, ERR_PARSE, "signature: %zu bytes instead of %zu", jwt->signature.len,
			       2 * half);
	const unsigned char *raw = (const unsigned char *)jwt->signature.data;
	gnutls_datum_t r = without_zeros(raw, half), s = without_zeros(raw + half, half), der = { 0 };
	int code = gnutls_encode_rs_value(&der, &r, &s);
	if (code < 0)
		return err_set(err, ERR_PARSE, "signature: %s", gnutls_strerror(code));
	buf_reset(&jwt->signature);
	buf_add(&jwt->signature, der.data, der.size);
	gnutls_free(der.data);
	return 0;
}

int jwt_parse(const char *token, size_t len, struct jwt *ret, struct err *err)
{
	if (len > JWT_MAX_BYTES)
		return err_set(err, ERR_PARSE, "longer than %d bytes", JWT_MAX_BYTES);
	const char *end = token + len, *claims = memchr(token, '.', len);
	const char *signature = claims ? memchr(claims + 1, '.', (size_t)(end - claims - 1)) : NULL;
	if (!signature || memchr(signature + 1, '.', (size_t)(end - signature - 1)))
		return err_set(err, ERR_PARSE, "not three parts");
	CLEANUP(jwt_close)
	struct jwt jwt = { .signed_text = token, .signed_len = (size_t)(signature - token) };
	if (parse_header(token, (size_t)(claims - token), &jwt, err) < 0 ||
	    parse_part(claims + 1, (size_t)(signature - claims - 1), "claims", &jwt.claims, err) < 0)
		return -1;
	if (jwt_base64url_decode(signature + 1, (size_t)(end - signature - 1), &jwt.signature, err) < 0)
		return err_wrap(err, "signature");
	if (jwt.algorithm->coordinate_bytes && signature_to_der(&jwt, err) < 0)
		return -1;
	*ret = jwt;
	jwt = (struct jwt){ 0 };
	return 0;
}

void jwt_close(struct jwt *jwt)
{
	json_object_put(jwt->claims);
	buf_close(&jwt->signature);
}

/* --- writing --- */

static void add_part(struct buf *b, const struct json_object *obj)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	json_write(&text, obj);
	jwt_base64url(b, text.data, text.len);
}

void jwt_begin(struct buf *b, const struct jwt_algorithm *algorithm, const char *kid,
	       const struct json_object *claims)
{
	CLEANUP(json_putp) struct json_object *header = json_object_new_object();
	json_set_str(header, "alg", algorithm->name);
	json_set_str(header, "kid", kid);
	add_part(b, header);
	buf_char(b, '.');
	add_part(b, claims);
}

/* VALUE right-aligned in the LEN bytes at TO. */
static bool align(unsigned char *to, size_t len, const gnutls_datum_t *value)
{
	gnutls_datum_t plain = without_zeros(value->data, value->size);
	if (plain.size > len)
		return false;
	memset(to, 0, len - plain.size);
	memcpy(to + len - plain.size, plain.data, plain.size);
	return true;
}

int jwt_end(struct buf *b, const struct jwt_algorithm *algorithm, const gnutls_datum_t *signature,
	    struct err *err)
{
	unsigned char raw[2 * COORDINATE_MAX];
	size_t half = algorithm->coordinate_bytes;
	gnutls_datum_t r = { 0 }, s = { 0 };
	buf_char(b, '.');
	if (!half) {
		jwt_base64url(b, signature->data, signature->size);
		return 0;
	}
	int code = gnutls_decode_rs_value(signature, &r, &s);
	bool fits = code >= 0 && align(raw, half, &r) && align(raw + half, half, &s);
	gnutls_free(r.data);
	gnutls_free(s.data);
	if (!fits)
		return err_set(err, ERR_INTERNAL, "signature: %s",
			       code < 0 ? gnutls_strerror(code) : "wider than its curve");
	jwt_base64url(b, raw, 2 * half);
	return 0;
}
