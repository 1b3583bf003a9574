/* Strict decoding: a JSON value against its kind's definition. Checks names and types all the way down, finds
 * unknown and duplicate fields, normalises, in one walk: nulls, unknown fields, empty lists and empty maps
 * are dropped; times, quantities and base64 get their canonical form. Messages are those of Kubernetes'
 * decoder.
 */
#pragma once

#include <stdbool.h>

#include "api/resource.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"

enum field_validation { FIELD_VALIDATION_STRICT, FIELD_VALIDATION_WARN, FIELD_VALIDATION_IGNORE };

/* Parses TEXT (JSON; YAML when yaml is set) as RESOURCE's kind and decodes it. apiVersion and kind may be
 * absent in the text and are filled in; others than RESOURCE's are ERR_BAD_REQUEST ("... cannot be handled as
 * a Pod: ..."). WARN: unknown and duplicate fields go to WARNINGS, one line each ("unknown field
 * \"spec.nope\""); STRICT: they fail with "strict decoding error: ..."; IGNORE: dropped in silence. *ret is
 * the caller's. */
int decode_object(const struct resource *resource, const char *text, size_t len, bool yaml,
		  enum field_validation validation, struct buf *warnings, struct json_object **ret,
		  struct err *err);
/* What decode_object says about apiVersion and kind of OBJ, which are filled in when they are absent: the
 * fault alone, for the caller to wrap. */
int decode_check_kind(const struct resource *resource, struct json_object *obj, struct err *err);
/* decode_object for a value already parsed (a patch's result), changed in place. KIND NULL: messages are the
 * fault alone, for the caller to wrap. apiVersion and kind are neither checked nor filled in. */
int decode_value(const struct schema_def *def, const char *kind, const char *version, struct json_object *obj,
		 enum field_validation validation, struct buf *warnings, struct err *err);
/* The same for an object of RESOURCE, a patch's result: the fault alone. Values that it shares with KNOWN (or
 * NULL), which was decoded before, are not looked at. */
int decode_patched(const struct resource *resource, const struct json_object *known, struct json_object *obj,
		   enum field_validation validation, struct buf *warnings, struct err *err);
/* Any definition (DeleteOptions, Binding, Scale): as decode_object without the kind check, unknown fields
 * dropped in silence. KIND names it in messages. */
int decode_body(const struct schema_def *def, const char *kind, const char *text, size_t len, bool yaml,
		struct json_object **ret, struct err *err);
