/* What Jobs and the job templates of CronJobs share. */
#pragma once

#include "api/field_error.h"

/* Defaults of a JobSpec, its template included. Labels of the template are not the object's business here. */
void job_default_spec(struct json_object *spec);
/* Everything but the selector, which a template has not. PATH: of the spec. (job_spec.c) */
void job_validate_spec(const struct json_object *spec, struct field_path *path, struct field_errors *errors);
/* spec.podFailurePolicy and spec.successPolicy, where they are. (job_policies.c) */
void job_validate_failure_policy(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors);
void job_validate_success_policy(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors);
bool job_is_indexed(const struct json_object *spec);
