/* Scalars that are more than their JSON type: times, quantities, base64. Each function checks TEXT and gives
 * its canonical form. Messages are those of Kubernetes' decoder.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/json.h"

/* A value's type as messages name it: "string", "number", "bool", "array", "object", "null". */
const char *decode_type_name(const struct json_object *value);

/* The form to keep when it is not TEXT itself is appended to *ret_canonical, else that stays empty. False:
 * not valid, and *ret_message gets why. */
bool decode_time(const char *text, bool micro, struct buf *ret_canonical, struct buf *ret_message);
bool decode_quantity(const char *text, struct buf *ret_canonical, struct buf *ret_message);
bool decode_base64(const char *text, size_t len, struct buf *ret_canonical, struct buf *ret_message);
