/* Client certificates that were verified lately. A command connects anew each time, and a program whenever it
 * has more to do: to follow the chain again costs a fifth of such a connection, and says the same. (That the
 * peer has the key is proven in each handshake.) Remembered are certificates that a trusted authority signed
 * itself, for five minutes and not beyond their own end. Any thread.
 */
#pragma once

#include <gnutls/gnutls.h>

#include "apiserver/authn/identity.h"

struct known_certificates;
/* For any thread. */
struct known_certificates *known_certificates_new(void);
void known_certificates_free(struct known_certificates *known); /* NULL is fine */
/* As certificate_identity(). */
struct identity *known_certificates_identity(struct known_certificates *known, gnutls_session_t session);
/* Sessions are going to trust others: to be called when there are new credentials, before the first session
 * has them. */
void known_certificates_forget(struct known_certificates *known);
