/* Who a client certificate names: CN is the user, each O a group.
 */
#pragma once

#include <gnutls/gnutls.h>

#include "apiserver/authn/identity.h"

/* Of the certificate that the peer of SESSION showed; NULL when there was none, or it is not signed by what
 * the session's credentials trust for clients, or has no common name. A new reference. */
struct identity *certificate_identity(gnutls_session_t session);
