/* The list of kinds. A kind is a file of this folder with one row; here it gets its line. */
#include "api/kinds/kinds.h"

#include <string.h>

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
	&kind_limit_range,
	&kind_persistent_volume,
	&kind_persistent_volume_claim,
	&kind_pod_template,
	&kind_replication_controller,
	&kind_resource_quota,
	&kind_component_status,
	&kind_controller_revision,
	&kind_daemon_set,
	&kind_stateful_set,
	&kind_cron_job,
	&kind_job,
	&kind_pod_disruption_budget,
	&kind_horizontal_pod_autoscaler,
	&kind_horizontal_pod_autoscaler_v1,
	&kind_ingress,
	&kind_ingress_class,
	&kind_network_policy,
	&kind_ip_address,
	&kind_service_cidr,
	&kind_priority_class,
	&kind_runtime_class,
	&kind_api_service,
	&kind_storage_class,
	&kind_volume_attributes_class,
	&kind_volume_attachment,
	&kind_csi_driver,
	&kind_csi_node,
	&kind_csi_storage_capacity,
	&kind_endpoint_slice,
	&kind_event_v1,
	&kind_custom_resource_definition,
	NULL,
};

const struct kind_part *kind_part(const struct kind *kind, const char *name)
{
	for (const struct kind_part *part = kind->parts; part && part->name; part++)
		if (strcmp(part->name, name) == 0)
			return part;
	return NULL;
}
