#include "kubectl-lite/explain_text.h"

#include <stdio.h>
#include <string.h>

#include "kubectl-lite/session.h"

void explain_kind(const struct resource *resource)
{
	if (*resource->group)
		printf("GROUP:      %s\n", resource->group);
	printf("KIND:       %s\nVERSION:    %s\n\n", resource->kind_name, resource->version);
}

void explain_field(const char *name, const char *type, const char *values)
{
	printf("FIELD: %s %s\n", name, type);
	puts(values ? "ENUM:" : "\n");
	for (const char *value = values; value;) {
		size_t len = strcspn(value, "|");
		printf("    %.*s\n", (int)len, value);
		value = value[len] ? value + len + 1 : NULL;
	}
	if (values)
		putchar('\n');
}

/* The first few, as kubectl does. */
static void print_values(const char *values, unsigned depth)
{
	enum { SHOWN = 4 };

	printf("%*senum: ", (int)(2 * depth), "");
	for (size_t i = 0; values && i <= SHOWN; i++) {
		size_t len = strcspn(values, "|");
		printf("%s%.*s", i ? ", " : "", (int)(i < SHOWN ? len : 4), i < SHOWN ? values : "....");
		values = values[len] ? values + len + 1 : NULL;
	}
	putchar('\n');
}

void explain_name(const char *name, const char *type, bool required, const char *values, unsigned depth)
{
	printf("%*s%s\t%s%s\n", (int)(2 * depth), "", name, type, required ? " -required-" : "");
	if (values)
		print_values(values, depth);
}

/* One line of text, in lines of at most WIDTH. */
static void print_wrapped(const char *text, size_t len)
{
	enum { WIDTH = 76 };

	do {
		size_t line = len;
		if (line > WIDTH) {
			line = WIDTH;
			while (line && text[line] != ' ')
				line--;
			if (!line) /* a word longer than a line */
				line = WIDTH;
		}
		printf("    %.*s\n", (int)line, text);
		while (line < len && text[line] == ' ')
			line++;
		text += line;
		len -= line;
	} while (len);
}

void explain_paragraph(const char *text, size_t len)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;
		print_wrapped(text, line);
		line += end != NULL;
		text += line;
		len -= line;
	}
}

int explain_no_field(const char *fields, const struct suggestion *s)
{
	const char *dot = strrchr(fields, '.');

	command_error("field \"%s\" does not exist", dot ? dot + 1 : fields);
	suggest_print(s, "");
	return 1;
}
