#include "apiserver/authn/authenticate.h"

#include "apiserver/authn/authn.h"
#include "apiserver/edge/server.h"

enum step_result authenticate(struct request *r)
{
	struct authn_evidence evidence = {
		.authorization = request_header(r, MHD_HTTP_HEADER_AUTHORIZATION),
		.certificate = server_certificate(r->server, r->connection),
	};
	r->identity = authn_identify(r->server->authn, r->server->core, &evidence);
	if (!r->identity)
		return request_fail(r, DETAILS_NONE, ERR_UNAUTHORIZED, "Unauthorized");
	/* Ignored, it would give the request more rights than its sender asked for. */
	const char *other = request_header(r, "Impersonate-User");
	if (other)
		return request_fail(r, DETAILS_EMPTY, ERR_FORBIDDEN,
				    "users \"%.200s\" is forbidden: User \"%.200s\" cannot "
				    "impersonate: impersonation is not supported yet",
				    other, r->identity->user);
	return STEP_NEXT;
}
