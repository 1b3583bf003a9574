/* Memory that goes away at once: of a compiled expression, of one evaluation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cel_block;

struct cel_arena {
	struct cel_block *blocks;
	size_t left;  /* bytes of the first block that are free */
	size_t total; /* bytes handed out */
};
#define CEL_ARENA_INIT ((struct cel_arena){ 0 })

/* SIZE bytes, zeroed, aligned for anything; they live until the close. */
void *cel_alloc(struct cel_arena *arena, size_t size);
/* LEN bytes of TEXT with a NUL behind them. */
char *cel_copy(struct cel_arena *arena, const char *text, size_t len);
void cel_arena_close(struct cel_arena *arena);
