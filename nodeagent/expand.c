#include "nodeagent/expand.h"

#include <string.h>

#include "lib/buf.h"

/* Adds the value of the reference at P ("(NAME)..."); returns its length, 0 when it is not closed. */
static size_t add_reference(struct buf *b, const char *p, const char *(*lookup)(const char *name, void *arg),
			    void *arg)
{
	const char *end = strchr(p, ')');
	if (!end)
		return 0;
	CLEANUP(mem_freep) char *name = mem_dupn(p + 1, (size_t)(end - p - 1));
	const char *value = lookup(name, arg);
	if (value)
		buf_str(b, value);
	else
		buf_printf(b, "$(%s)", name);
	return (size_t)(end + 1 - p);
}

char *expand_references(const char *s, const char *(*lookup)(const char *name, void *arg), void *arg)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	while (*s) {
		size_t plain = strcspn(s, "$");
		buf_add(&b, s, plain);
		s += plain;
		if (!*s)
			break;
		s++; /* the dollar */
		size_t len = *s == '(' ? add_reference(&b, s, lookup, arg) : 0;
		if (!len)
			buf_char(&b, '$');
		s += *s == '$' ? 1 : len;
	}
	return buf_take(&b);
}

const char *expand_env_value(char *const *env, const char *name)
{
	const char *value = NULL;
	size_t len = strlen(name);
	for (; env && *env; env++) {
		if (!strncmp(*env, name, len) && (*env)[len] == '=')
			value = *env + len + 1;
	}
	return value;
}
