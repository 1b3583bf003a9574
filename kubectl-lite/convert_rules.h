/* The conversions of single kinds, for convert.c. Each changes OBJ in place and notes what it did, a line
 * each. Pure.
 */
#pragma once

#include "lib/buf.h"
#include "lib/json.h"

/* Files hold anything. The member KEY of OBJ when it is an object, made when it is absent; NULL when it is
 * something else, which the server will find. */
struct json_object *convert_object_member(struct json_object *obj, const char *key);
/* The Ith item of ARRAY, or NULL when it is no object. */
struct json_object *convert_item(const struct json_object *array, size_t i);

/* convert_workload.c: Deployments, ReplicaSets, DaemonSets, StatefulSets of extensions/v1beta1, apps/v1beta1
 * and apps/v1beta2. */
void convert_workload(struct json_object *obj, struct buf *notes);
void convert_daemon_set(struct json_object *obj, struct buf *notes);
void convert_stateful_set(struct json_object *obj, struct buf *notes);
/* convert_ingress.c: extensions/v1beta1, networking.k8s.io/v1beta1. */
void convert_ingress(struct json_object *obj, struct buf *notes);
/* convert_autoscaler.c: autoscaling/v2beta1. */
void convert_autoscaler(struct json_object *obj, struct buf *notes);
/* convert_definition.c: CustomResourceDefinitions of apiextensions.k8s.io/v1beta1. */
void convert_definition(struct json_object *obj, struct buf *notes);
/* convert.c: a PodDisruptionBudget of policy/v1beta1. */
void convert_disruption_budget(struct json_object *obj, struct buf *notes);
