/* The paths of OpenAPI documents: what may be done with a resource, and with which parameters.
 */
#pragma once

#include "api/resource.h"
#include "apiserver/openapi_schema.h"

/* Calls FN with each path of RESOURCE and the JSON text of its item. */
void openapi_each_path(const struct resource *resource, enum openapi_version version,
		       void (*fn)(const char *path, const struct buf *json, void *arg), void *arg);
/* A page that is read only: its body is DEF, or any text for NULL. */
void openapi_write_page(struct buf *b, enum openapi_version version, const char *operation, const char *tag,
			const struct schema_def *def);
/* The body of a subresource; empty for those that lead on to a node or pod. */
struct openapi_body openapi_subresource_body(const struct resource *resource,
					     const struct subresource *subresource);
/* Schemas that the paths of RESOURCE refer to. */
void openapi_add_bodies(struct openapi_closure *closure, const struct resource *resource);
