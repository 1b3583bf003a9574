/* The rows that kinds.c lists, one per file of this folder. */
#pragma once

#include "api/kind.h"

extern const struct kind kind_cluster_role;
extern const struct kind kind_cluster_role_binding;
extern const struct kind kind_component_status;
extern const struct kind kind_config_map;
extern const struct kind kind_controller_revision;
extern const struct kind kind_cron_job;
extern const struct kind kind_csi_driver;
extern const struct kind kind_csi_node;
extern const struct kind kind_csi_storage_capacity;
extern const struct kind kind_custom_resource_definition;
extern const struct kind kind_daemon_set;
extern const struct kind kind_deployment;
extern const struct kind kind_endpoint_slice;
extern const struct kind kind_endpoints;
extern const struct kind kind_event;
extern const struct kind kind_event_v1;
extern const struct kind kind_horizontal_pod_autoscaler;
extern const struct kind kind_horizontal_pod_autoscaler_v1;
extern const struct kind kind_ingress;
extern const struct kind kind_ingress_class;
extern const struct kind kind_ip_address;
extern const struct kind kind_job;
extern const struct kind kind_lease;
extern const struct kind kind_limit_range;
extern const struct kind kind_local_subject_access_review;
extern const struct kind kind_namespace;
extern const struct kind kind_network_policy;
extern const struct kind kind_node;
extern const struct kind kind_persistent_volume;
extern const struct kind kind_persistent_volume_claim;
extern const struct kind kind_pod;
extern const struct kind kind_pod_disruption_budget;
extern const struct kind kind_pod_template;
extern const struct kind kind_priority_class;
extern const struct kind kind_replica_set;
extern const struct kind kind_replication_controller;
extern const struct kind kind_resource_quota;
extern const struct kind kind_role;
extern const struct kind kind_role_binding;
extern const struct kind kind_runtime_class;
extern const struct kind kind_api_service;
extern const struct kind kind_secret;
extern const struct kind kind_self_subject_access_review;
extern const struct kind kind_self_subject_review;
extern const struct kind kind_self_subject_rules_review;
extern const struct kind kind_service;
extern const struct kind kind_service_account;
extern const struct kind kind_service_cidr;
extern const struct kind kind_stateful_set;
extern const struct kind kind_storage_class;
extern const struct kind kind_subject_access_review;
extern const struct kind kind_token_review;
extern const struct kind kind_volume_attachment;
extern const struct kind kind_volume_attributes_class;

/* Not among them: no resource is of this kind, it is the body of subresources. */
extern const struct kind kind_scale;
