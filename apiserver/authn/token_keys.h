/* The keys of service account tokens: one that signs, and all whose signatures count. Read from PEM files,
 * and again when a file has changed (looked at when a key is used, once a second at most), so that keys
 * rotate without a restart: the new public key is listed, then the signing key is replaced, and the old
 * public key stays listed while tokens it signed are about.
 *
 * A key's id is base64url(SHA-256(its SubjectPublicKeyInfo)), as in Kubernetes. Thread-safe.
 */
#pragma once

#include "apiserver/authn/jwt.h"

struct token_keys_opts {
	const char *signing_file; /* private key; its public half counts as well. NULL: nothing is signed */
	const char *const *files; /* public keys, private keys or certificates, any number in a file */
	size_t n_files;
};

struct token_keys;
/* Reads the keys; OPTS is copied. Fails when a file cannot be read, or holds none that can be used. */
int token_keys_new(const struct token_keys_opts *opts, struct token_keys **ret, struct err *err);
void token_keys_free(struct token_keys *keys); /* NULL is fine */

/* False: keys to verify by are all there is. */
bool token_keys_can_sign(const struct token_keys *keys);
/* Appends the token of CLAIMS. ERR_INTERNAL. */
int token_keys_sign(struct token_keys *keys, const struct json_object *claims, struct buf *ret,
		    struct err *err);
/* 0: signed by one of the keys. ERR_UNAUTHORIZED. */
int token_keys_verify(struct token_keys *keys, const struct jwt *jwt, struct err *err);
/* Grows when the keys change: what was verified before is to be verified again. */
uint64_t token_keys_generation(struct token_keys *keys);
/* The public keys as a JWK Set (RFC 7517), and the names of their algorithms, each once. */
struct json_object *token_keys_jwks(struct token_keys *keys);
struct json_object *token_keys_algorithms(struct token_keys *keys);
