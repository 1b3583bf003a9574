/* Which steps serve what: the tables that the verbs' files export, and the one that joins them.
 */
#pragma once

#include "apiserver/edge/request.h"

extern const struct request_step get_steps[], list_steps[], watch_steps[], create_steps[], update_steps[],
    patch_steps[], apply_steps[], delete_steps[], delete_collection_steps[], scale_get_steps[],
    scale_update_steps[], scale_patch_steps[], binding_steps[], eviction_steps[], log_steps[], exec_steps[],
    attach_steps[], forward_steps[], proxy_steps[], token_request_steps[], token_review_steps[],
    self_subject_review_steps[];
extern const struct request_step subject_access_review_steps[], self_subject_access_review_steps[],
    self_subject_rules_review_steps[];
extern const struct request_step component_status_get_steps[], component_status_list_steps[];
extern const struct request_step discovery_steps[], openapi_v2_steps[], openapi_v3_steps[], version_steps[],
    root_steps[], check_steps[], health_steps[], metrics_steps[], page_not_found_steps[],
    openid_configuration_steps[], openid_keys_steps[];

/* The steps of a routed request. NULL: a subresource or verb that exists in Kubernetes and is not served
 * here. */
const struct request_step *dispatch_find(const struct route *route);
/* The verbs of SUBRESOURCE that are served, enum verb. */
unsigned dispatch_subresource_verbs(const struct subresource *subresource);
/* Open to everyone: no identity needed, and not counted as load. */
bool dispatch_is_open(const struct route *route);
