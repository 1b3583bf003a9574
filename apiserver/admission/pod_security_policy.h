/* Which Pod Security Standards the labels of a namespace ask for.
 * https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces
 */
#pragma once

#include "api/field_error.h"
#include "apiserver/admission/pod_security_checks.h"

struct pod_security_policy {
	struct pod_security_standard enforce, audit, warn;
};

/* LOOKUP gives the value of a label of SET, or NULL. A value that cannot be read asks for the strictest
 * level, or the latest version. Who enforces a level is told and recorded for it as well, unless the labels
 * say otherwise. */
void pod_security_policy_read(const char *(*lookup)(const void *set, const char *key), const void *set,
			      struct pod_security_policy *ret);
/* Values of LABELS (may be NULL) that cannot be read. */
void pod_security_policy_validate(const struct json_object *labels, struct field_errors *errors);
/* Nothing is asked of pods. */
bool pod_security_policy_is_free(const struct pod_security_policy *policy);

bool pod_security_standard_is(const struct pod_security_standard *a, const struct pod_security_standard *b);
/* Appends "baseline:v1.30". */
void pod_security_standard_write(struct buf *b, const struct pod_security_standard *standard);
