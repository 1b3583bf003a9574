#include "kubectl-lite/suggest.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MAX_WORD = 64 };

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits from A to B: letters put in, left out, changed, or two neighbours swapped; case counts for nothing.
 * Long words are never near. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][MAX_WORD + 1], n = strlen(a), m = strlen(b);

	if (n > MAX_WORD || m > MAX_WORD)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3];
		const size_t *two_above = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = above[j - 1] + !same(a[i - 1], b[j - 1]);
			if (above[j] + 1 < row[j])
				row[j] = above[j] + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
			    two_above[j - 2] + 1 < row[j])
				row[j] = two_above[j - 2] + 1;
		}
	}
	return rows[n % 3][m];
}

struct suggestion suggest_for(const char *typed)
{
	size_t len = strlen(typed);

	/* One slip in a short word, one in three letters of a longer one; of a letter or two nothing is left
	 * to compare. */
	return (struct suggestion){ .typed = typed, .distance = len < 3 ? 0 : len / 3 + 1 };
}

void suggest_offer(struct suggestion *s, const char *word)
{
	if (!word || strlen(word) >= sizeof(s->near))
		return;
	size_t d = distance(s->typed, word);
	if (d < s->distance) {
		s->distance = d;
		snprintf(s->near, sizeof(s->near), "%s", word);
	}
}

int suggest_add(const struct suggestion *s, struct err *err)
{
	size_t len = err ? strlen(err->msg) : 0;

	if (err && *s->near)
		snprintf(err->msg + len, sizeof(err->msg) - len, "\n\nDid you mean this?\n\t%s", s->near);
	return -1;
}

void suggest_print(const struct suggestion *s, const char *before)
{
	if (*s->near)
		fprintf(stderr, "\nDid you mean this?\n\t%s%s\n", before, s->near);
}
