/* Regular expressions: a pattern and a text, each a line. Whatever is understood is matched in time, and a
 * text that has a match still has it when more stands around it, unless the pattern looks at the ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data, *end = memchr(bytes, '\n', size);
	struct pattern *pattern = NULL;
	struct err err = ERR_INIT;

	if (!end)
		return 0;

	CLEANUP(mem_freep) char *text = mem_dupn(bytes, (size_t)(end - bytes));
	size_t len = size - (size_t)(end + 1 - bytes);

	if (pattern_parse(text, &pattern, &err) < 0) {
		if (pattern || err.kind == ERR_NONE || !err.msg[0])
			abort();
		return 0;
	}

	size_t begin = 0, stop = 0;
	bool matches = pattern_matches(pattern, end + 1, len);

	if (pattern_find(pattern, end + 1, len, 0, &begin, &stop) != matches || begin > stop || stop > len)
		abort();

	CLEANUP(mem_freep) char *longer = mem_alloc(len + 2);

	longer[0] = ' ';
	memcpy(longer + 1, end + 1, len);
	longer[len + 1] = ' ';
	if (matches && !strpbrk(text, "^$\\") && (len == 0 || (longer[len] & 0x80) == 0) &&
	    !pattern_matches(pattern, longer, len + 2))
		abort();
	pattern_free(pattern);
	return 0;
}
