/* The Pod Security Standards as a table of checks: pure.
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
#pragma once

#include <stdbool.h>

#include "lib/buf.h"
#include "lib/json.h"

enum pod_security_level { POD_SECURITY_PRIVILEGED, POD_SECURITY_BASELINE, POD_SECURITY_RESTRICTED };

#define POD_SECURITY_LATEST 1000

struct pod_security_standard {
	enum pod_security_level level;
	unsigned minor; /* of the standard's version v1.MINOR, or POD_SECURITY_LATEST */
};

/* True when a pod with METADATA (of the pod or template, for its annotations; may be NULL) and SPEC keeps to
 * STANDARD. Otherwise appends what it breaks, in Kubernetes' words, to VIOLATIONS: `reason (detail), reason
 * (detail)`, or the reasons alone. */
bool pod_security_allows(const struct pod_security_standard *standard, const struct json_object *metadata,
			 const struct json_object *spec, bool details, struct buf *ret_violations);
