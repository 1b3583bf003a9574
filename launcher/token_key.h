/* The key that signs service account tokens, DIR/pki/sa.key, and the public keys whose tokens are good,
 * DIR/pki/sa.pub: its own first, then those before it. The API server reads both again when they change.
 */
#pragma once

#include "launcher/cluster.h"

/* Makes what is not there. */
int token_key_ensure(const struct cluster *cluster, struct err *err);
/* A new key signs from here on. Tokens of the old ones stay good, unless FORGET. */
int token_key_rotate(const struct cluster *cluster, bool forget, struct err *err);
