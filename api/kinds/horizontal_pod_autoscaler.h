/* The two versions of HorizontalPodAutoscaler: autoscaling/v2 is stored, autoscaling/v1 a view of it. */
#pragma once

#include "api/field_error.h"
#include "api/kind.h"

/* Defaults and validation of v2's spec.metrics and spec.behavior. (autoscaler_metrics.c) */
void autoscaler_default_behavior(struct json_object *behavior);
void autoscaler_validate_metrics(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors);
void autoscaler_validate_behavior(const struct json_object *behavior, struct field_path *path,
				  struct field_errors *errors);
/* A CrossVersionObjectReference at PATH. */
void autoscaler_validate_reference(const struct json_object *ref, struct field_path *path,
				   struct field_errors *errors);
/* Between the versions, in place. What v1 has no fields for lies in annotations there. (autoscaler_v1.c) */
void autoscaler_to_v1(struct json_object *obj);
void autoscaler_from_v1(struct json_object *obj);

#define AUTOSCALER_COLUMNS 7
extern const struct kind_column autoscaler_columns[AUTOSCALER_COLUMNS];
/* Of an object of version v2. */
void autoscaler_cells(const struct json_object *obj, int64_t now_us, struct json_object *cells);
