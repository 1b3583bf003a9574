#include "apiserver/admission/pod_security_checks.h"

#include "apiserver/admission/pod_security_find.h"

/* True when CHECK found nothing. */
static bool passes(const struct pod_security_check *check, const struct pod *pod, bool details,
		   struct buf *violations)
{
	CLEANUP(buf_close) struct buf reason = BUF_INIT, detail = BUF_INIT;
	struct finding finding = { BUF_INIT, BUF_INIT };

	check->run(pod, &finding);
	reason = finding.reason;
	detail = finding.detail;
	if (!reason.len)
		return true;
	buf_printf(violations, "%s%s", violations->len ? ", " : "", reason.data);
	if (details && detail.len)
		buf_printf(violations, " (%s)", detail.data);
	return false;
}

bool pod_security_allows(const struct pod_security_standard *standard, const struct json_object *metadata,
			 const struct json_object *spec, bool details, struct buf *ret_violations)
{
	const struct pod pod = { metadata, spec, standard->minor };
	bool restricted = standard->level == POD_SECURITY_RESTRICTED, allowed = true;

	if (standard->level == POD_SECURITY_PRIVILEGED)
		return true;
	for (const struct pod_security_check *check = pod_security_baseline; check->run; check++)
		if (standard->minor >= check->since &&
		    (!restricted || standard->minor < check->restricted_until))
			allowed &= passes(check, &pod, details, ret_violations);
	for (const struct pod_security_check *check = pod_security_restricted; restricted && check->run;
	     check++)
		if (standard->minor >= check->since)
			allowed &= passes(check, &pod, details, ret_violations);
	return allowed;
}
