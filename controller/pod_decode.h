/* Pods are most of what the controllers are told, and little of one is looked at. For the table in decode.c.
 */
#pragma once

#include "controller/cache.h"

extern const char *const pod_decode_wants[];
void pod_decode(void *object, const struct json_span *found);
void pod_decode_close(void *object);
