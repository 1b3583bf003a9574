/* OpenAPI as protobuf: the messages openapi.v2.Document, which kubectl asks for, and openapi.v3.Document of
 * github.com/google/gnostic. Piece by piece from JSON, so that no tree of the whole document is needed.
 * https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto, openapiv3/OpenAPIv3.proto
 */
#pragma once

#include "lib/buf.h"

/* Appends to PATHS the item of PATH, to DEFINITIONS the schema of NAME: JSON is our own, and well-formed. */
void openapi_wire_path(struct buf *paths, const char *path, const struct buf *json);
void openapi_wire_definition(struct buf *definitions, const char *name, const struct buf *json);
/* The whole message; HEAD is the JSON of what stands beside paths and definitions. */
void openapi_wire_document(struct buf *b, const char *head, const struct buf *paths,
			   const struct buf *definitions);

/* The same of version 3; a default that is an object or a list has no place in it, and is left out. */
void openapi_wire_v3_path(struct buf *paths, const char *path, const struct buf *json);
void openapi_wire_v3_schema(struct buf *schemas, const char *name, const struct buf *json);
void openapi_wire_v3_document(struct buf *b, const char *head, const struct buf *paths,
			      const struct buf *schemas);
