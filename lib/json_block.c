#include "lib/json_block.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 64

/* A bit for each byte of a block, the first byte lowest. */
struct masks {
	uint64_t quotes, backslashes, opens, closes;
};

#ifdef __SSE2__
static uint64_t bits(__m128i v)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(v);
}

static struct masks look(const char *p)
{
	struct masks m = { 0 };

	for (int i = 0; i < BLOCK; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		/* Brackets and braces differ in this bit only, and no other byte becomes one by it. */
		__m128i brace = _mm_or_si128(v, _mm_set1_epi8(0x20));

		m.quotes |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('"'))) << i;
		m.backslashes |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))) << i;
		m.opens |= bits(_mm_cmpeq_epi8(brace, _mm_set1_epi8('{'))) << i;
		m.closes |= bits(_mm_cmpeq_epi8(brace, _mm_set1_epi8('}'))) << i;
	}
	return m;
}
#else
static struct masks look(const char *p)
{
	struct masks m = { 0 };

	for (int i = 0; i < BLOCK; i++) {
		m.quotes |= (uint64_t)(p[i] == '"') << i;
		m.backslashes |= (uint64_t)(p[i] == '\\') << i;
		m.opens |= (uint64_t)(p[i] == '{' || p[i] == '[') << i;
		m.closes |= (uint64_t)(p[i] == '}' || p[i] == ']') << i;
	}
	return m;
}
#endif

/* What a block leaves to the next. */
struct carry {
	uint64_t in_string; /* all bits, or none */
	uint64_t escaped;   /* the first byte is */
	uint64_t depth;
};

/* Bytes behind an odd backslash. Few blocks have any. */
static uint64_t escaped_bytes(uint64_t backslashes, struct carry *carry)
{
	uint64_t escaped = carry->escaped;

	backslashes &= ~escaped;
	carry->escaped = 0;
	while (backslashes) {
		uint64_t first = backslashes & -backslashes;

		if (first >> 63)
			carry->escaped = 1;
		escaped |= first << 1;
		backslashes &= ~(first | first << 1);
	}
	return escaped;
}

/* Each bit becomes the parity of itself and all below: between the quotes of a string, its opening one
 * included, 1. */
static uint64_t parities(uint64_t x)
{
	for (int shift = 1; shift < 64; shift *= 2)
		x ^= x << shift;
	return x;
}

/* Where in the block the depth becomes 0: its bit's number, or -1. */
static int find_end(const char *p, struct carry *carry)
{
	struct masks m = look(p);
	uint64_t quotes = m.quotes & ~escaped_bytes(m.backslashes, carry);
	uint64_t string = parities(quotes) ^ carry->in_string;
	uint64_t opens = m.opens & ~string, closes = m.closes & ~string;
	uint64_t n_opens = (uint64_t)__builtin_popcountll(opens);
	uint64_t n_closes = (uint64_t)__builtin_popcountll(closes), closed = 0;

	carry->in_string = string >> 63 ? UINT64_MAX : 0;
	if (n_closes >= carry->depth) {
		for (uint64_t left = closes; left; left &= left - 1) {
			uint64_t below = (left & -left) - 1;
			if (carry->depth + (uint64_t)__builtin_popcountll(opens & below) == ++closed)
				return __builtin_ctzll(left);
		}
	}
	carry->depth += n_opens - n_closes;
	return -1;
}

const char *json_block_skip(const char *p, const char *end)
{
	struct carry carry = { .depth = 1 };
	char last[BLOCK] = { 0 };
	int at;

	for (; end - p >= BLOCK; p += BLOCK) {
		at = find_end(p, &carry);
		if (at >= 0)
			return p + at + 1;
	}
	memcpy(last, p, (size_t)(end - p));
	at = find_end(last, &carry);
	return at >= 0 ? p + at + 1 : NULL;
}
