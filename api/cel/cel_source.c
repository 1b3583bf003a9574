#include "api/cel/cel_source.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void cel_fault(struct cel_source *source, uint32_t at, const char *format, ...)
{
	unsigned i = source->n;
	va_list ap;
	char *message;

	if (i == CEL_FAULTS_MAX)
		return;
	va_start(ap, format);
	message = mem_vprintf(format, ap);
	va_end(ap);
	for (; i > 0 && source->faults[i - 1].at > at; i--)
		source->faults[i] = source->faults[i - 1];
	source->faults[i] = (struct cel_fault){ at, message };
	source->n++;
}

static size_t char_len(const char *s, const char *end)
{
	size_t len = 1;

	while (s + len < end && (s[len] & 0xC0) == 0x80)
		len++;
	return len;
}

/* A dot for each character before AT, wide ones below wide letters, and what points at it. */
static void write_pointer(struct buf *b, const char *line, const char *at, const char *end)
{
	while (line < at) {
		size_t len = char_len(line, end);

		buf_str(b, len > 1 ? "\uFF0E" : ".");
		line += len;
	}
	buf_str(b, line < end && char_len(line, end) > 1 ? "\uFF3E" : "^");
}

static void write_fault(const struct cel_source *source, const struct cel_fault *fault, struct buf *b)
{
	const char *end = source->text + source->len, *at = source->text + fault->at;
	const char *line = source->text, *line_end;
	unsigned row = 1, column = 1;

	for (const char *s = source->text; s < at; s++)
		if (*s == '\n') {
			row++;
			line = s + 1;
		}
	line_end = memchr(line, '\n', (size_t)(end - line));
	line_end = line_end ? line_end : end;
	for (const char *s = line; s < at; s += char_len(s, end))
		column++;
	buf_printf(b, "ERROR: <input>:%u:%u: %s\n | ", row, column, fault->message);
	for (const char *s = line; s < line_end; s++)
		buf_char(b, *s == '\t' ? ' ' : *s);
	buf_str(b, "\n | ");
	write_pointer(b, line, at, line_end);
}

void cel_source_write(const struct cel_source *source, struct buf *b)
{
	for (unsigned i = 0; i < source->n; i++) {
		if (i)
			buf_char(b, '\n');
		write_fault(source, &source->faults[i], b);
	}
}

void cel_source_close(struct cel_source *source)
{
	for (unsigned i = 0; i < source->n; i++)
		free(source->faults[i].message);
	source->n = 0;
}
