#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/timefmt.h"

/* Longer records are cut: a log line is never what takes the memory. */
#define RECORD_MAX (64 * 1024)

static struct {
	const char *program;
	enum log_level level;
	bool json;
} settings = { .program = "knarr", .level = LOG_LEVEL_INFO };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_init(const char *program, enum log_level level, bool json)
{
	settings.program = program;
	settings.level = level;
	settings.json = json;
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static bool is_bare(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == '"' || *s == '=' || *s == '\\' || *s == 0x7f)
			return false;
	return true;
}

static void put_text_value(struct buf *b, const char *value)
{
	if (!value)
		buf_str(b, "null");
	else if (is_bare(value))
		buf_str(b, value);
	else
		buf_json_string(b, value);
}

static void put_json_pair(struct buf *b, const char *key, const char *value)
{
	buf_json_string(b, key);
	buf_char(b, ':');
	if (value)
		buf_json_string(b, value);
	else
		buf_str(b, "null");
}

static void put_head(struct buf *b, enum log_level level, const char *message)
{
	char now[TIMEFMT_SIZE];

	time_format_micro(time_now_us(), now);
	if (!settings.json) {
		buf_printf(b, "%s %s %s ", now, level_names[level], settings.program);
		/* A line feed in a message must not begin a second record. */
		if (strpbrk(message, "\n\r"))
			buf_json_string(b, message);
		else
			buf_str(b, message);
		return;
	}
	buf_char(b, '{');
	put_json_pair(b, "time", now);
	buf_char(b, ',');
	put_json_pair(b, "level", level_names[level]);
	buf_char(b, ',');
	put_json_pair(b, "program", settings.program);
	buf_char(b, ',');
	put_json_pair(b, "message", message);
}

/* Appends one pair. False when the record would be too long: B is then as it was. */
static bool put_pair(struct buf *b, const char *key, const char *value)
{
	if (value && strlen(value) > RECORD_MAX)
		return false;
	buf_char(b, settings.json ? ',' : ' ');
	if (settings.json) {
		put_json_pair(b, key, value);
	} else {
		buf_str(b, key);
		buf_char(b, '=');
		put_text_value(b, value);
	}
	return b->len <= RECORD_MAX;
}

void log_record(enum log_level level, const char *message, ...)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const char *key;
	va_list ap;

	if (level > settings.level)
		return;
	put_head(&b, level, message);
	va_start(ap, message);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);
		size_t before = b.len;

		if (!put_pair(&b, key, value)) {
			b.len = before;
			put_pair(&b, key, "(too long)");
			break;
		}
	}
	va_end(ap);
	buf_str(&b, settings.json ? "}\n" : "\n");
	/* One write: records of several threads and processes do not mix. Nobody is told when it fails. */
	ssize_t n = write(STDERR_FILENO, b.data, b.len);
	(void)n;
}

const char *log_num(int64_t value)
{
	static _Thread_local char ring[16][24];
	static _Thread_local unsigned next;
	char *text = ring[next++ % ARRAY_SIZE(ring)];

	snprintf(text, sizeof(ring[0]), "%lld", (long long)value);
	return text;
}
