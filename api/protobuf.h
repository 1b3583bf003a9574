/* Bodies in the API's protobuf encoding (application/vnd.kubernetes.protobuf), as Kubernetes' typed clients
 * send them, turned into the JSON they stand for, which then goes the way of every body. The numbers of the
 * fields are in facts/wire.tsv.
 *
 * A message has no absent scalars: 0, false and "" are what an unset field is sent as, and are left out, but
 * for the fields where they are values. A field whose number is not known is left out, as protobuf has it.
 */
#pragma once

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

/* Appends to RET; its max bounds the result. DATA is the whole body with its "k8s" envelope. ERR_BAD_REQUEST
 * when it is none, is cut off or does not fit the kind it names; ERR_UNSUPPORTED_MEDIA_TYPE for a kind whose
 * encoding is not known; ERR_TOO_LARGE. */
int protobuf_to_json(const char *data, size_t len, struct buf *ret, struct err *err);
