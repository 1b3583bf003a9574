/* Why the server finds an object invalid, cause by cause, from its message: `Pod "x" is invalid: [spec.a:
 * Required value, spec.b: Invalid value: "c": must be d]`.
 */
#pragma once

#include <stddef.h>

/* Calls FN (or nothing, when it is NULL) with each cause that MESSAGE tells of, which is not terminated;
 * gives how many there are, 0 when it is no such message. */
size_t causes_each(const char *message, void (*fn)(const char *cause, size_t len, void *arg), void *arg);
