/* A store whose values lie encrypted in another one (encryption.h). Reading and writing are as with that one;
 * beyond it, loading brings every row into the form that the configuration asks for: after a start with new
 * keys, nothing needs the old ones any more.
 */
#pragma once

#include "apiserver/store/encryption.h"

/* INNER and ENCRYPTION are taken. */
struct store *store_encrypted(struct store *inner, struct encryption *encryption);
/* What is written from here on is by ENCRYPTION, which is taken; what is stored stays as it is until the next
 * start, and has to be readable with it. On failure (encryption_succeed) all goes on as before. Any thread,
 * once the store is loaded. */
int store_encrypted_reload(struct store *base, struct encryption *encryption, struct err *err);
