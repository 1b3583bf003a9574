/* The list of kinds. A kind is a file of this folder with one row; here it gets its line. */
#include "api/kinds/kinds.h"

const struct kind *const kind_rows[] = {
	&kind_config_map,
	&kind_endpoints,
	&kind_event,
	&kind_namespace,
	&kind_node,
	&kind_pod,
	&kind_secret,
	&kind_service,
	&kind_service_account,
	&kind_deployment,
	&kind_replica_set,
	&kind_lease,
	&kind_cluster_role,
	&kind_cluster_role_binding,
	&kind_role,
	&kind_role_binding,
	&kind_token_review,
	&kind_self_subject_review,
	&kind_subject_access_review,
	&kind_local_subject_access_review,
	&kind_self_subject_access_review,
	&kind_self_subject_rules_review,
	NULL,
};
