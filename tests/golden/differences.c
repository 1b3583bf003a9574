#include "tests/golden/differences.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/mem.h"

int differences_read(struct differences *differences, const char *path, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	*differences = (struct differences){ 0 };
	if (buf_read_file(&text, path, (size_t)1 << 24, err) < 0)
		return -1;
	char *rest = differences->text = buf_take(&text);
	for (char *line; (line = strsep(&rest, "\n"));) {
		struct difference row = { 0 };
		if (*line == '\0' || *line == '#')
			continue;
		row.file = strsep(&line, "\t");
		row.step = strsep(&line, "\t");
		row.path = strsep(&line, "\t");
		row.reason = line;
		if (!row.reason || !*row.reason) {
			differences_close(differences);
			return err_set(err, ERR_PARSE, "%s: \"%s\": needs file, step, path and reason", path,
				       row.file);
		}
		differences->rows = mem_realloc_array(differences->rows, differences->n + 1, sizeof(row));
		differences->rows[differences->n++] = row;
	}
	return 0;
}

void differences_close(struct differences *differences)
{
	free(differences->rows);
	free(differences->text);
	*differences = (struct differences){ 0 };
}

/* `*` in PATTERN stands for any text; nothing else is special. */
static bool covers(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool differences_expect(struct differences *differences, const char *file, const char *step, const char *path)
{
	bool expected = false;
	for (size_t i = 0; i < differences->n; i++) {
		struct difference *row = &differences->rows[i];
		if (!covers(row->path, path) || !covers(row->step, step) || !covers(row->file, file))
			continue;
		row->n_seen++;
		expected = true;
	}
	return expected;
}

int differences_write_seen(const struct differences *differences, const char *path, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	buf_str(&text, "# file\tstep\tpath of the difference\treason\n");
	for (size_t i = 0; i < differences->n; i++) {
		const struct difference *row = &differences->rows[i];
		if (row->n_seen)
			buf_printf(&text, "%s\t%s\t%s\t%s\n", row->file, row->step, row->path, row->reason);
	}
	return buf_write_file_atomic(path, text.data, text.len, 0644, err);
}
