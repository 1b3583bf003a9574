/* The text of an expression, and what is wrong at which place of it, as cel-go shows that:
 *
 *     ERROR: <input>:1:5: undefined field 'x'
 *      | self.x > 1
 *      | ....^
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

#define CEL_FAULTS_MAX 16

struct cel_source {
	const char *text;
	size_t len;
	struct cel_fault {
		uint32_t at;
		char *message;
	} faults[CEL_FAULTS_MAX];
	unsigned n; /* further ones are dropped */
};

/* AT is an offset in bytes. */
void cel_fault(struct cel_source *source, uint32_t at, const char *format, ...) PRINTF_LIKE(3, 4);
/* Appends all faults by their places, each with its line. */
void cel_source_write(const struct cel_source *source, struct buf *b);
void cel_source_close(struct cel_source *source);
