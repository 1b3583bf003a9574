/* TokenReview and SelfSubjectReview (authentication.k8s.io/v1): asked and answered, never stored. */
#include "api/kinds/kinds.h"

const struct kind kind_token_review = {
	.api_version = "authentication.k8s.io/v1",
	.kind = "TokenReview",
	.definition = "authentication.v1.TokenReview",
};

const struct kind kind_self_subject_review = {
	.api_version = "authentication.k8s.io/v1",
	.kind = "SelfSubjectReview",
	.definition = "authentication.v1.SelfSubjectReview",
};
