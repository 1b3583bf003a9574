/* The parts of kind Service. service.c has its row and defaults, service_validate.c its rules. */
#pragma once

#include <stdbool.h>

#include "api/field_error.h"

bool service_is_type(const struct json_object *spec, const char *type);
/* Reachable from outside the cluster: by node port, load balancer or external address. */
bool service_is_external(const struct json_object *spec);
/* clusterIP: None. */
bool service_is_headless(const struct json_object *spec);
/* Its nodes tell load balancers whether they have endpoints: on a port of its own. */
bool service_has_health_check(const struct json_object *spec);
void service_validate(const struct json_object *obj, struct field_errors *errors);
void service_validate_update(const struct json_object *obj, const struct json_object *old,
			     struct field_errors *errors);
