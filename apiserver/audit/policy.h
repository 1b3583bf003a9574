/* The audit policy: which requests are recorded, and how much of them. Rules in order, the first that matches
 * decides; no match: nothing.
 * https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Policy
 */
#pragma once

#include "apiserver/authn/identity.h"
#include "lib/err.h"

enum audit_level { AUDIT_NONE, AUDIT_METADATA, AUDIT_REQUEST, AUDIT_REQUEST_RESPONSE };

/* Bits. */
enum audit_stage {
	AUDIT_REQUEST_RECEIVED = 1,
	AUDIT_RESPONSE_STARTED = 2,
	AUDIT_RESPONSE_COMPLETE = 4,
};

/* As events show them: "Metadata", "ResponseComplete". */
const char *audit_level_name(enum audit_level level);
const char *audit_stage_name(enum audit_stage stage);

/* What is asked; texts "" where there is nothing. */
struct audit_attributes {
	const struct identity *identity; /* NULL: nobody */
	const char *verb;
	bool is_resource;
	const char *group, *resource, *subresource, *namespace_, *name; /* of a resource */
	const char *path;                                               /* of anything else */
};

struct audit_verdict {
	enum audit_level level;
	unsigned omit_stages; /* enum audit_stage */
	bool omit_managed_fields;
};

struct audit_policy;
/* ERR_BAD_REQUEST says which rule is wrong, and how. */
int audit_policy_read(const char *path, struct audit_policy **ret, struct err *err);
/* The same of a parsed document. */
int audit_policy_new(const struct json_object *document, struct audit_policy **ret, struct err *err);
void audit_policy_free(struct audit_policy *policy); /* NULL is fine */
/* Any thread. */
void audit_policy_judge(const struct audit_policy *policy, const struct audit_attributes *asked,
			struct audit_verdict *ret);
