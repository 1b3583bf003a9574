/* OpenAPI version 2 as protobuf: the message openapi.v2.Document of github.com/google/gnostic, which kubectl
 * asks for. Piece by piece from JSON, so that no tree of the whole document is needed.
 * https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto
 */
#pragma once

#include "lib/buf.h"

/* Appends to PATHS the item of PATH, to DEFINITIONS the schema of NAME: JSON is our own, and well-formed. */
void openapi_wire_path(struct buf *paths, const char *path, const struct buf *json);
void openapi_wire_definition(struct buf *definitions, const char *name, const struct buf *json);
/* The whole message; HEAD is the JSON of what stands beside paths and definitions. */
void openapi_wire_document(struct buf *b, const char *head, const struct buf *paths,
			   const struct buf *definitions);
