/* Fields that the server does not know and that are near to ones that it does: told behind its error, from
 * the field names of built-in kinds.
 */
#pragma once

#include "kubectl-lite/suggest.h"

/* MESSAGE is the server's: `Deployment in version "v1" cannot be handled as a Deployment: strict decoding
 * error: unknown field "spec.replcas"`, or that of a patch, which shows the object. Calls FN with the path of
 * each field that was perhaps meant
 * ("spec.replicas"); gives how many. */
size_t field_slip_each(const char *message, void (*fn)(const char *path, void *arg), void *arg);
/* The same on stderr. */
void field_slip_tell(const char *message);
