/* Why a text is no JSON, in the words of Kubernetes' decoder. For texts that json_parse() has refused: it
 * parses fast and says where; this says what a client of Kubernetes is used to read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

/* False when it finds nothing wrong (the fault is none of syntax: too deep, not UTF-8). */
bool decode_syntax_fault(const char *text, size_t len, struct buf *ret_message);
