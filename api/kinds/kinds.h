/* The rows that kinds.c lists, one per file of this folder. */
#pragma once

#include "api/kind.h"

extern const struct kind kind_cluster_role;
extern const struct kind kind_cluster_role_binding;
extern const struct kind kind_config_map;
extern const struct kind kind_deployment;
extern const struct kind kind_endpoints;
extern const struct kind kind_event;
extern const struct kind kind_lease;
extern const struct kind kind_local_subject_access_review;
extern const struct kind kind_namespace;
extern const struct kind kind_node;
extern const struct kind kind_pod;
extern const struct kind kind_replica_set;
extern const struct kind kind_role;
extern const struct kind kind_role_binding;
extern const struct kind kind_secret;
extern const struct kind kind_self_subject_access_review;
extern const struct kind kind_self_subject_review;
extern const struct kind kind_self_subject_rules_review;
extern const struct kind kind_service;
extern const struct kind kind_service_account;
extern const struct kind kind_subject_access_review;
extern const struct kind kind_token_review;
