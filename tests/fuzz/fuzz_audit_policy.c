/* An audit policy in YAML, and what it says of some requests. */
#include <stdlib.h>
#include <string.h>

#include "apiserver/audit/policy.h"
#include "lib/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct audit_attributes asked[] = {
		{ .verb = "list",
		  .is_resource = true,
		  .group = "",
		  .resource = "pods",
		  .subresource = "",
		  .namespace_ = "default",
		  .name = "",
		  .path = "" },
		{ .verb = "update",
		  .is_resource = true,
		  .group = "apps",
		  .resource = "deployments",
		  .subresource = "scale",
		  .namespace_ = "default",
		  .name = "web",
		  .path = "" },
		{ .verb = "get",
		  .group = "",
		  .resource = "",
		  .subresource = "",
		  .namespace_ = "",
		  .name = "",
		  .path = "/healthz" },
	};
	struct yaml_doc *docs = NULL;
	struct audit_policy *policy = NULL;
	size_t n = 0;
	CLEANUP(mem_freep) char *text = mem_dupn((const char *)data, size);

	if (yaml_parse("policy", text, strlen(text), &docs, &n, NULL) < 0)
		return 0;
	if (n && audit_policy_new(docs[0].value, &policy, NULL) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
			struct audit_verdict verdict;
			audit_policy_judge(policy, &asked[i], &verdict);
			if (verdict.level > AUDIT_REQUEST_RESPONSE)
				abort();
		}
	audit_policy_free(policy);
	yaml_docs_free(docs, n);
	return 0;
}
