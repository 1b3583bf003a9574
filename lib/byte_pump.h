/* Two byte pipes joined: what comes from one goes to the other, both ways, with bounded buffers: who does not
 * take his bytes is not sent more, and the other one is not read. When one ends, both are closed after what
 * was under way.
 */
#pragma once

#include "lib/byte_pipe.h"

/* Both are taken. It goes by itself. */
void byte_pump_start(struct byte_pipe *a, struct byte_pipe *b);
