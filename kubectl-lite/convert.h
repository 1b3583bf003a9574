/* Objects of API versions that are served no more, as old books and repositories still print them, become
 * objects of the versions that replaced them. Pure.
 * https://kubernetes.io/docs/reference/using-api/deprecation-guide/
 */
#pragma once

#include "lib/buf.h"
#include "lib/json.h"

/* True when OBJ was of such a version: it is of the new one from here on. NOTES gets a line for each thing
 * that changed besides, `spec.selector: taken from the template's labels ...`; what cannot be converted is
 * left as it is and noted, too. */
bool convert_object(struct json_object *obj, struct buf *notes);
/* Probes of OBJ's containers that name nothing to probe, a line for each: a slip that the server refuses
 * without saying what was meant. */
void convert_find_bare_probes(const struct json_object *obj, struct buf *notes);
