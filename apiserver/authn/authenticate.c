#include "apiserver/authn/authenticate.h"

#include "apiserver/audit/audit.h"
#include "apiserver/authn/authn.h"
#include "apiserver/authn/impersonate.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/server.h"

enum step_result authenticate(struct request *r)
{
	struct authn_evidence evidence = {
		.authorization = request_header(r, "Authorization"),
		.certificate = request_certificate(r),
	};
	if (dispatch_is_open(&r->route) && authn_nothing_shown(&evidence))
		r->identity = authn_anonymous();
	else
		r->identity = authn_identify(r->server->authn, r->server->core, &evidence);
	audit_begin(r);
	if (!r->identity)
		return request_fail(r, DETAILS_NONE, ERR_UNAUTHORIZED, "Unauthorized");
	return impersonate(r);
}
