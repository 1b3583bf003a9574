/* Linux capabilities by name, and what this machine grants (capabilities(7)).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"

/* Sets of capabilities as bits, bit N for capability number N. */
/* "CAP_CHOWN", or NULL for a number that has no name. */
const char *capability_name(unsigned number);
/* Number of "CHOWN", "CAP_CHOWN", in any case; -1. */
int capability_number(const char *name);
/* What our own process may use: all that a container can be given. */
uint64_t capability_machine(void);
/* What containers have by default (containerd's and docker's set). */
uint64_t capability_default(void);
/* DEFAULT set changed by core/v1 Capabilities {add, drop} (NULL: none); ALL means MACHINE's. ERR_INVALID for
 * unknown names. */
int capability_apply(const struct json_object *capabilities, uint64_t machine, uint64_t *set,
		     struct err *err);
