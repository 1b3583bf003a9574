/* differences.tsv: where our answers are known to differ from the recorded ones. A row that nothing matches
 * any more is as wrong as a difference without a row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct difference {
	char *file, *step, *path, *reason; /* `*` in the first three stands for any text */
	unsigned n_seen;
};
struct differences {
	char *text;
	struct difference *rows;
	size_t n;
};

int differences_read(struct differences *differences, const char *path, struct err *err);
void differences_close(struct differences *differences);
/* Whether some row covers it; all that do are marked as seen. */
bool differences_expect(struct differences *differences, const char *file, const char *step,
			const char *path);
/* Writes the rows that were seen, or belong to none of the FILES played; comments stay. */
int differences_write_seen(const struct differences *differences, const char *path, struct err *err);
