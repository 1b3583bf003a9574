/* The objects that the benchmark makes, as JSON appended to a buffer. */
#pragma once

#include <stdbool.h>

#include "lib/buf.h"

#define OBJECTS_PODS        "/api/v1/namespaces/default/pods"
#define OBJECTS_CONFIGMAPS  "/api/v1/namespaces/default/configmaps"
#define OBJECTS_DEPLOYMENTS "/apis/apps/v1/namespaces/default/deployments"
/* Selects the pods that the benchmark makes. */
#define OBJECTS_SELECTOR "labelSelector=app%3Dbench"

/* Node PREFIX-I, ready and empty, with its own range of pod addresses: a cluster's has none for a thousand.
 */
void object_node(struct buf *b, const char *prefix, size_t i);
/* Pod PREFIX-I that asks for little; REAL: of the sample image, with a readiness probe over HTTP each second.
 */
void object_pod(struct buf *b, const char *prefix, size_t i, bool real);
/* ConfigMap PREFIX-I of 1 KiB that says VALUE. */
void object_config_map(struct buf *b, const char *prefix, size_t i, size_t value);
/* Deployment NAME whose pods leave a node as soon as it is lost. */
void object_deployment(struct buf *b, const char *name, size_t replicas);
