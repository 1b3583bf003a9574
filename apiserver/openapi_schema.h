/* The schemas of OpenAPI documents, from the tables of api/schema.h. Names are Kubernetes':
 * io.k8s.api.core.v1.Pod, io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.
 */
#pragma once

#include <stdbool.h>

#include "api/resource.h"
#include "api/schema.h"
#include "lib/buf.h"

enum openapi_version { OPENAPI_V2, OPENAPI_V3 };

/* A kind that a definition is the body of. */
struct openapi_kind {
	const struct schema_def *def;
	const char *group, *version;
	const char *kind; /* "Pod", "PodList" */
};

/* The schemas that a document holds: what was added, and all that those refer to. */
struct openapi_closure {
	bool *defs;                      /* by index in schema_defs */
	bool scalars[SCHEMA_ANY + 1];    /* that are schemas of their own: times, quantities */
	const struct resource **customs; /* whose schemas are not in the tables */
	size_t n_customs;
};
void openapi_closure_init(struct openapi_closure *closure);
void openapi_closure_close(struct openapi_closure *closure);
/* DEF may be NULL. */
void openapi_closure_add(struct openapi_closure *closure, const struct schema_def *def);
/* RESOURCE is a custom one, and is there as long as the closure. */
void openapi_closure_add_custom(struct openapi_closure *closure, const struct resource *resource);

/* What a request or an answer holds: one of the API's types, or an object or list of a custom resource. */
struct openapi_body {
	const struct schema_def *def;
	const struct resource *custom; /* or NULL */
	bool is_list;                  /* of these */
};
/* Of an object, of a list of RESOURCE. */
struct openapi_body openapi_object_body(const struct resource *resource);
struct openapi_body openapi_list_body(const struct resource *resource);

/* "dev.example.v1.Ship" or "...ShipList" of example.dev/v1. */
void openapi_write_custom_name(struct buf *b, const struct resource *resource, bool is_list);
/* {"$ref":"..."}, or what stands for any text when BODY is empty. */
void openapi_write_body(struct buf *b, enum openapi_version version, const struct openapi_body *body);
/* "io.k8s.api.core.v1.Pod" */
void openapi_write_name(struct buf *b, const struct schema_def *def);
/* {"$ref":"..."} */
void openapi_write_ref(struct buf *b, enum openapi_version version, const struct schema_def *def);
void openapi_write_gvk(struct buf *b, const char *group, const char *version, const char *kind);
/* Calls FN with the name and the JSON text of each schema in CLOSURE; KINDS says what to mark as kinds. */
void openapi_each_schema(const struct openapi_closure *closure, enum openapi_version version,
			 const struct openapi_kind *kinds, size_t n_kinds,
			 void (*fn)(const char *name, const struct buf *json, void *arg), void *arg);
