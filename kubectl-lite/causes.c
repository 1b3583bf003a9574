#include "kubectl-lite/causes.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* True when a cause begins at TEXT: a field's path, and what is wrong with it ("spec.a[0].b: Invalid value").
 */
static bool is_cause(const char *text)
{
	size_t path = strcspn(text, ": ,");

	return path > 0 && islower((unsigned char)*text) && text[path] == ':' && text[path + 1] == ' ' &&
	       isupper((unsigned char)text[path + 2]);
}

size_t causes_each(const char *message, void (*fn)(const char *cause, size_t len, void *arg), void *arg)
{
	static const char mark[] = " is invalid: ";
	const char *at = strstr(message, mark), *end;
	size_t n = 0;

	if (!at)
		return 0;
	at += strlen(mark);
	end = at + strlen(at);
	/* Brackets stand around several. A message that was cut has lost its closing one. */
	if (*at == '[' && is_cause(at + 1)) {
		at++;
		end -= end[-1] == ']';
	}
	while (at < end) {
		const char *next = at;
		while (next < end && !(strncmp(next, ", ", 2) == 0 && is_cause(next + 2)))
			next++;
		if (fn)
			fn(at, (size_t)(next - at), arg);
		n++;
		at = next < end ? next + 2 : end;
	}
	return n;
}
