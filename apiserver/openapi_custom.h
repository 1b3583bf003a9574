/* Schemas of custom resources in OpenAPI documents: what their definition says, and the fields that all
 * objects have. Version 2 is told as much of it as it can say.
 */
#pragma once

#include "api/resource.h"
#include "apiserver/openapi_schema.h"

/* Calls FN with the schema of RESOURCE's kind and with that of its list. */
void openapi_each_custom(const struct resource *resource, enum openapi_version version,
			 void (*fn)(const char *name, const struct buf *json, void *arg), void *arg);
