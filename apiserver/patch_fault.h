/* What is wrong with a patch as a whole: with its text, and with what it made of the object. Kubernetes shows
 * the patch, or the object as patched, beside the fault: ` "" is invalid: patch: Invalid value: "...": strict
 * decoding error: unknown field "spec.nope"`. (k8s.io/apiserver endpoints/handlers/patch.go)
 */
#pragma once

#include "api/schema.h"
#include "apiserver/edge/request.h"

/* Appends to ISSUES, a line each, what strict decoding finds in the body itself, which has been parsed as
 * PATCH with DUPLICATES keys repeated: those keys, and members that no operation has. */
void patch_fault_text(const struct request *r, const struct json_object *patch, size_t duplicates,
		      struct buf *issues);
/* After the result of the patch, of DOC (of definition DEF), has been decoded: ISSUES, of the text and of the
 * result, become warnings, or fail with fieldValidation=Strict. */
enum step_result patch_fault_issues(struct request *r, const struct schema_def *def,
				    const struct json_object *doc, const struct buf *issues);
/* Fails: the result cannot be decoded, r->err says why. */
enum step_result patch_fault_result(struct request *r, const struct schema_def *def,
				    const struct json_object *doc);
