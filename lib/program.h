/* What every long-running program does alike: flags, logging, readiness, signals.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/loop.h"

#define KNARR_VERSION "v1.36.0+knarr.1" /* what /version calls gitVersion */

struct program_flag {
	const char *name;  /* "data-dir" for --data-dir VALUE or --data-dir=VALUE */
	const char *value; /* metavariable ("DIR"), or NULL for a boolean flag */
	const char *help;  /* one line; may name the default */
	/* Where the value goes (pointer into argv). When the metavariable ends with "...", the flag may be
	 * given several times, and this is all its values, joined by commas. */
	const char **string;
	bool *boolean;
	bool required;
};

/* Parses argv for the program's flags and those all have: --log-level, --log-format (text|json), --ready-fd
 * N,
 * --version, --help. FLAGS ends with a NULL name. Prints help or version and exits 0; on a wrong flag
 * prints what is wrong and how to get help and exits 2. Returns the index of the first operand.
 * Also: log_init, SIGPIPE ignored. */
int program_flags(const char *program, const char *about, const struct program_flag *flags, int argc,
		  char **argv);
/* Tells whoever started us (the descriptor of --ready-fd gets "ready\n" and is closed) that we serve. */
void program_ready(void);
/* Stops LOOP at SIGTERM and SIGINT. */
int program_stop_on_signals(struct loop *loop, struct err *err);
