/* A bearer token that looks like a JSON Web Token: taken apart, and its claims read. */
#include <stdlib.h>
#include <string.h>

#include "apiserver/authn/token_claims.h"
#include "apiserver/authn/token_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jwt jwt;
	struct token_claims *claims = NULL;
	CLEANUP(buf_close) struct buf coded = BUF_INIT, plain = BUF_INIT;

	/* What is written reads as it was. */
	jwt_base64url(&coded, data, size);
	if (jwt_base64url_decode(coded.data ? coded.data : "", coded.len, &plain, NULL) < 0 ||
	    plain.len != size || (size && memcmp(plain.data, data, size) != 0))
		abort();
	if (jwt_parse((const char *)data, size, &jwt, NULL) < 0)
		return 0;
	if (!jwt.algorithm || jwt.signed_len >= size)
		abort();
	if (token_claims_read(jwt.claims, &claims, NULL) == 0 && (!claims->account.name || !claims->identity))
		abort();
	token_claims_unref(claims);
	jwt_close(&jwt);
	return 0;
}
