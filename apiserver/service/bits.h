/* Bits in words of 64. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What N bits take. */
static inline size_t bits_bytes(uint32_t n)
{
	return (n / 64 + 1) * sizeof(uint64_t);
}

static inline bool bits_get(const uint64_t *bits, uint32_t at)
{
	return bits[at / 64] >> at % 64 & 1;
}

static inline void bits_set(uint64_t *bits, uint32_t at, bool value)
{
	uint64_t bit = UINT64_C(1) << at % 64;

	bits[at / 64] = value ? bits[at / 64] | bit : bits[at / 64] & ~bit;
}

/* A clear bit of [FROM, END): the first at or behind a place that CHANCE chooses, else the first of all.
 * False: there is none. */
static inline bool bits_find_clear(const uint64_t *bits, uint32_t from, uint32_t end, uint64_t chance,
				   uint32_t *ret)
{
	uint32_t begin = from < end ? from + (uint32_t)(chance % (end - from)) : end;

	for (unsigned round = 0; round < 2 && from < end; round++) {
		uint32_t at = round ? from : begin, stop = round ? begin : end;

		while (at < stop) {
			uint64_t clear = ~bits[at / 64] >> at % 64;
			if (clear) {
				at += (uint32_t)__builtin_ctzll(clear);
				break;
			}
			at += 64 - at % 64;
		}
		if (at < stop) {
			*ret = at;
			return true;
		}
	}
	return false;
}
