#include "kubectl-lite/describe_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/timefmt.h"

enum { PADDING = 2, MAX_COLUMNS = 16, ANNOTATION_MAX = 140 };

/* --- alignment --- */

struct line {
	const char *text;
	size_t len;
};

struct aligning {
	struct line *lines;
	size_t n;
	size_t widths[MAX_COLUMNS];
	size_t n_widths;
	struct buf *out;
};

/* Cell I of a line; *ret_ended tells whether a tab ends it. False when the line has fewer. Cells beyond the
 * last column stay together. */
static bool cell(const struct line *line, size_t i, const char **ret, size_t *ret_len, bool *ret_ended)
{
	const char *p = line->text, *end = line->text + line->len;

	for (;;) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));
		if (i == 0) {
			*ret = p;
			*ret_len = (size_t)((tab ? tab : end) - p);
			*ret_ended = tab != NULL;
			return true;
		}
		if (!tab)
			return false;
		p = tab + 1;
		i--;
	}
}

static size_t width_of(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static void write_lines(struct aligning *a, size_t from, size_t to)
{
	for (; from < to; from++) {
		const char *text;
		size_t len;
		bool ended;
		for (size_t c = 0; cell(&a->lines[from], c, &text, &len, &ended); c++) {
			buf_add(a->out, text, len);
			for (size_t w = width_of(text, len); ended && c < a->n_widths && w < a->widths[c];
			     w++)
				buf_char(a->out, ' ');
		}
		buf_char(a->out, '\n');
	}
}

/* Lines FROM to TO share the columns that stand in a->widths; finds the blocks of lines that share one more.
 */
static void align(struct aligning *a, size_t from, size_t to)
{
	size_t column = a->n_widths, pos = from;
	const char *text;
	size_t len;
	bool ended;

	for (size_t i = from; i < to; i++) {
		size_t begin = i, width = 0;
		for (; i < to && column < MAX_COLUMNS && cell(&a->lines[i], column, &text, &len, &ended) &&
		       ended;
		     i++)
			if (width_of(text, len) + PADDING > width)
				width = width_of(text, len) + PADDING;
		if (i == begin)
			continue;
		write_lines(a, pos, begin);
		a->widths[a->n_widths++] = width;
		align(a, begin, i);
		a->n_widths--;
		pos = i;
		i--;
	}
	write_lines(a, pos, to);
}

void describe_align(struct buf *b, const char *text)
{
	struct aligning a = { .out = b };
	size_t cap = 0;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		if (a.n == cap) {
			cap = cap ? cap * 2 : 64;
			a.lines = mem_realloc_array(a.lines, cap, sizeof(*a.lines));
		}
		a.lines[a.n++] = (struct line){ p, len };
		p += len + (p[len] == '\n');
	}
	align(&a, 0, a.n);
	free(a.lines);
}

/* --- common lines --- */

void describe_sorted(const struct json_object *obj,
		     void (*fn)(const char *key, struct json_object *value, void *arg), void *arg)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(json_putp) struct json_object *sorted = NULL;

	if (!json_object_is_type(obj, json_type_object))
		return;
	json_write_sorted(&text, obj);
	if (json_parse(text.data, text.len, &sorted, NULL, NULL) < 0)
		return;
	json_object_object_foreach(sorted, key, value) fn(key, value, arg);
}

struct lines {
	struct buf *b;
	size_t n;
};

static const char *text_of(struct json_object *value)
{
	return value ? json_object_get_string(value) : "";
}

static void add_label(const char *key, struct json_object *value, void *arg)
{
	struct lines *lines = arg;

	buf_printf(lines->b, "%s%s=%s\n", lines->n++ ? "\t" : "", key, text_of(value));
}

void describe_labels(struct buf *b, const char *title, const struct json_object *labels)
{
	struct lines lines = { b, 0 };

	buf_printf(b, "%s:\t", title);
	describe_sorted(labels, add_label, &lines);
	if (!lines.n)
		buf_str(b, "<none>\n");
}

static void add_annotation(const char *key, struct json_object *value, void *arg)
{
	struct lines *lines = arg;
	CLEANUP(mem_freep) char *text = mem_dup(text_of(value));
	size_t len = strlen(text);

	if (strcmp(key, "kubectl.kubernetes.io/last-applied-configuration") == 0)
		return;
	if (len && text[len - 1] == '\n')
		text[--len] = '\0';
	buf_str(lines->b, lines->n++ ? "\t" : "");
	if (len + strlen(key) + 2 <= ANNOTATION_MAX && !strchr(text, '\n')) {
		buf_printf(lines->b, "%s: %s\n", key, text);
		return;
	}
	buf_printf(lines->b, "%s:\n", key);
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		buf_printf(lines->b, "\t  %.*s%s\n", ANNOTATION_MAX - 2, line,
			   strlen(line) > ANNOTATION_MAX - 2 ? "..." : "");
}

void describe_annotations(struct buf *b, const char *title, const struct json_object *annotations)
{
	struct lines lines = { b, 0 };

	buf_printf(b, "%s:\t", title);
	describe_sorted(annotations, add_annotation, &lines);
	if (!lines.n)
		buf_str(b, "<none>\n");
}

void describe_head(struct buf *b, const struct json_object *obj)
{
	const struct json_object *metadata = json_get(obj, "metadata");

	buf_printf(b, "Name:\t%s\n", json_str_or_empty(metadata, "name"));
	if (json_str(metadata, "namespace"))
		buf_printf(b, "Namespace:\t%s\n", json_str(metadata, "namespace"));
	describe_labels(b, "Labels", json_get(metadata, "labels"));
	describe_annotations(b, "Annotations", json_get(metadata, "annotations"));
}

const char *describe_time(const char *time, char *buf, size_t size)
{
	int64_t us;
	struct tm tm;

	if (!time || !time_parse(time, &us)) {
		snprintf(buf, size, "%s", time ? time : "<unset>");
		return buf;
	}
	time_t seconds = (time_t)(us / 1000000);
	if (!localtime_r(&seconds, &tm) || strftime(buf, size, "%a, %d %b %Y %H:%M:%S %z", &tm) == 0)
		snprintf(buf, size, "%s", time);
	return buf;
}

const char *describe_age(const char *time, char *buf, size_t size)
{
	int64_t us;

	if (time && time_parse(time, &us))
		return time_human_duration((time_now_us() - us) / 1000000, buf, size);
	snprintf(buf, size, "<unknown>");
	return buf;
}

const char *describe_controller(const struct json_object *obj, char *buf, size_t size)
{
	const struct json_object *owners = json_path(obj, "metadata", "ownerReferences", NULL);

	for (size_t i = 0; i < json_len(owners); i++) {
		const struct json_object *owner = json_at(owners, i);
		if (!json_boolean(owner, "controller", false))
			continue;
		snprintf(buf, size, "%s/%s", json_str_or_empty(owner, "kind"),
			 json_str_or_empty(owner, "name"));
		return buf;
	}
	return NULL;
}
