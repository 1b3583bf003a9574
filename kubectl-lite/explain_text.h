/* The lines of explain, in kubectl's layout; what is known of a field comes from the linked schema
 * (explain.c) or from the server's (explain_openapi.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/resource.h"
#include "kubectl-lite/suggest.h"
#include "lib/json.h"

/* GROUP, KIND, VERSION. */
void explain_kind(const struct resource *resource);
/* "FIELD: spec <PodSpec>", the type with its brackets, and its possible VALUES ("Always|Never", or NULL). */
void explain_field(const char *name, const char *type, const char *values);
/* "  name	<type> -required-", and the first few of VALUES. */
void explain_name(const char *name, const char *type, bool required, const char *values, unsigned depth);
/* TEXT as an indented paragraph. */
void explain_paragraph(const char *text, size_t len);
/* "field "x" does not exist", x being the last of FIELDS as in kubectl, and for the one that is not there
 * what S found near. Returns 1. */
int explain_no_field(const char *fields, const struct suggestion *s);

/* Explains FIELDS ("spec.steps", or NULL) of a type that only the server knows. Returns the exit code. */
int explain_openapi(const struct resource *resource, const char *fields, bool recursive);
/* The part of explain_openapi without I/O: finds RESOURCE's schema in DOCUMENT, an answer of /openapi/v3, or
 * NULL. */
const struct json_object *explain_openapi_schema(const struct json_object *document,
						 const struct resource *resource);
/* Appends a schema's type as explain shows it ("<[]Object>", "<map[string]string>", "<ObjectMeta>") and
 * gives, behind references, lists and maps, the schema whose fields it has. */
void explain_openapi_type(const struct json_object *document, const struct json_object *schema,
			  struct buf *type, const struct json_object **ret_inner);
