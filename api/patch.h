/* Patches, pure functions over JSON values. None changes its inputs.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
 */
#pragma once

#include "api/schema.h"
#include "lib/err.h"
#include "lib/json.h"

/* RFC 6902. ERR_INVALID when an operation cannot be applied ("the server rejected our request due to an error
 * in our request" is the caller's wording), ERR_BAD_REQUEST when the patch is no patch, ERR_TOO_LARGE over
 * 10,000 operations. What moves and copies cost in all is bounded (ERR_INVALID). */
int patch_json(const struct json_object *doc, const struct json_object *patch, struct json_object **ret,
	       struct err *err);
/* RFC 7386. What the patch does not touch, the result shares with DOC. */
int patch_merge(const struct json_object *doc, const struct json_object *patch, struct json_object **ret,
		struct err *err);
/* Strategic merge patch by DEF's merge keys, with $patch (replace, delete, merge), $setElementOrder/x,
 * $deleteFromPrimitiveList/x and $retainKeys. DEF NULL: no schema, lists are replaced. ERR_BAD_REQUEST when
 * the patch contradicts itself or the schema ("map: map[image:x] does not contain declared merge key: name").
 * What the patch does not touch, the result shares with DOC.
 */
int patch_strategic(const struct schema_def *def, const struct json_object *doc,
		    const struct json_object *patch, struct json_object **ret, struct err *err);
/* The strategic patch that takes CURRENT to MODIFIED, and removes what is in ORIGINAL (the last applied
 * configuration, may be NULL) and no longer in MODIFIED: client-side apply. An empty object: nothing to do.
 */
int patch_three_way(const struct schema_def *def, const struct json_object *original,
		    const struct json_object *modified, const struct json_object *current,
		    struct json_object **ret, struct err *err);
/* The same without a schema (merge patch). */
int patch_three_way_merge(const struct json_object *original, const struct json_object *modified,
			  const struct json_object *current, struct json_object **ret, struct err *err);
