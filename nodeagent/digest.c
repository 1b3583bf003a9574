#include "nodeagent/digest.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	gnutls_hash_hd_t hash;
};

struct digest *digest_new(void)
{
	struct digest *d = mem_zalloc(sizeof(*d));
	/* SHA-256 is in every build of GnuTLS: only memory can be lacking, and that ends the process as
	 * elsewhere. */
	if (gnutls_hash_init(&d->hash, GNUTLS_DIG_SHA256) < 0)
		abort();
	return d;
}

void digest_free(struct digest *d)
{
	if (d)
		gnutls_hash_deinit(d->hash, NULL);
	free(d);
}

void digest_freep(struct digest **d)
{
	digest_free(*d);
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	gnutls_hash(d->hash, data, len);
}

static void write_hex(const unsigned char *bytes, char *ret)
{
	strcpy(ret, "sha256:");
	for (size_t i = 0; i < 32; i++)
		snprintf(ret + 7 + 2 * i, 3, "%02x", bytes[i]);
}

void digest_finish(struct digest *d, char *ret)
{
	unsigned char bytes[32];
	gnutls_hash_output(d->hash, bytes);
	write_hex(bytes, ret);
}

void digest_of(const void *data, size_t len, char *ret)
{
	unsigned char bytes[32];
	gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, bytes);
	write_hex(bytes, ret);
}

bool digest_valid(const char *s)
{
	return s && !strncmp(s, "sha256:", 7) && strlen(s) == 71 && strspn(s + 7, "0123456789abcdef") == 64;
}

const char *digest_hex(const char *digest)
{
	return digest + 7;
}
