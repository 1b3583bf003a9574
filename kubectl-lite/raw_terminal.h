/* Our terminal while a program elsewhere has it: every key goes there, and nothing is echoed here. It is put
 * back also when we exit.
 */
#pragma once

#include "lib/err.h"

int raw_terminal_begin(int fd, struct err *err);
void raw_terminal_end(void); /* nothing when it has not begun */
