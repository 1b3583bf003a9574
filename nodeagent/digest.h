/* SHA-256 digests as registries write them: "sha256:" and 64 hex digits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

#define DIGEST_SIZE 72

struct digest;

struct digest *digest_new(void);
void digest_free(struct digest *digest);   /* NULL is fine */
void digest_freep(struct digest **digest); /* for CLEANUP */
void digest_add(struct digest *digest, const void *data, size_t len);
/* The digest of what was added, into RET of DIGEST_SIZE bytes; begins anew. */
void digest_finish(struct digest *digest, char *ret);
/* Of LEN bytes at once. */
void digest_of(const void *data, size_t len, char *ret);
/* Whether S is one of ours: no other algorithm is taken. */
bool digest_valid(const char *s);
/* The hex digits of a valid digest. */
const char *digest_hex(const char *digest);
