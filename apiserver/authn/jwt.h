/* JSON Web Tokens in compact form (RFC 7515, RFC 7519): base64url(header) . base64url(claims) .
 * base64url(signature). Pure: who signed a token and what its claims mean is for others (token_keys.h,
 * service_account_token.h).
 */
#pragma once

#include <gnutls/gnutls.h>

#include "lib/err.h"
#include "lib/json.h"

#define JWT_MAX_BYTES (16 * 1024) /* of a token; what a request's header can hold */
#define JWT_KID_MAX   128

/* A row of the table of algorithms: those of Kubernetes. There is no "none". */
struct jwt_algorithm {
	const char *name; /* "ES256" */
	gnutls_sign_algorithm_t sign;
	gnutls_ecc_curve_t curve; /* of ES*; GNUTLS_ECC_CURVE_INVALID: RSA */
	const char *curve_name;   /* "P-256" */
	size_t coordinate_bytes;  /* of ES*: r and s of the signature, x and y of the key */
};
/* NULL: none of ours. */
const struct jwt_algorithm *jwt_algorithm_find(const char *name);
/* What a key signs with: the curve's algorithm, or RS256. NULL: a curve we do not know. */
const struct jwt_algorithm *jwt_algorithm_of_curve(gnutls_ecc_curve_t curve);

struct jwt {
	const struct jwt_algorithm *algorithm;
	char kid[JWT_KID_MAX]; /* "" when the header has none */
	struct json_object *claims;
	const char *signed_text; /* header and claims as sent; borrowed from the token */
	size_t signed_len;
	struct buf signature; /* as GnuTLS takes it: ECDSA's in DER */
};

/* Takes TOKEN apart. ERR_PARSE when it is no such token, or of an algorithm we do not take. *ret is to be
 * closed on success only. */
int jwt_parse(const char *token, size_t len, struct jwt *ret, struct err *err);
void jwt_close(struct jwt *jwt);

/* Appends header and claims, dot between: what is to be signed. */
void jwt_begin(struct buf *b, const struct jwt_algorithm *algorithm, const char *kid,
	       const struct json_object *claims);
/* Appends a dot and the signature that GnuTLS made. */
int jwt_end(struct buf *b, const struct jwt_algorithm *algorithm, const gnutls_datum_t *signature,
	    struct err *err);

/* Bytes as base64url without padding (RFC 7515 section 2). */
void jwt_base64url(struct buf *b, const void *data, size_t len);
/* Appends what TEXT decodes to. ERR_PARSE: padding, other characters, bits left over. */
int jwt_base64url_decode(const char *text, size_t len, struct buf *ret, struct err *err);
