#include "api/cel/cel_arena.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Small expressions and evaluations fit into the first block; the next ones are larger. */
#define FIRST_BYTES 992
#define BLOCK_BYTES 4064

struct cel_block {
	struct cel_block *next;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

static struct cel_block *add_block(struct cel_arena *arena, size_t size)
{
	struct cel_block *block = mem_alloc(sizeof(*block) + size);

	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *cel_alloc(struct cel_arena *arena, size_t size)
{
	struct cel_block *block = arena->blocks;
	void *p;

	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	arena->total += size;
	if (size > arena->left) {
		size_t usual = block ? BLOCK_BYTES : FIRST_BYTES;

		block = add_block(arena, size > usual ? size : usual);
		arena->left = block->size;
	}
	p = block->bytes + block->size - arena->left;
	arena->left -= size;
	return memset(p, 0, size);
}

char *cel_copy(struct cel_arena *arena, const char *text, size_t len)
{
	char *copy = cel_alloc(arena, len + 1);

	if (len)
		memcpy(copy, text, len);
	return copy;
}

void cel_arena_close(struct cel_arena *arena)
{
	while (arena->blocks) {
		struct cel_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	*arena = CEL_ARENA_INIT;
}
