#include "nodeagent/streaming/channels.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/json.h"

#define MAX_SIZE_TEXT 256

static bool in_range(int64_t value)
{
	return value > 0 && value <= UINT16_MAX;
}

static bool parse_size(const char *text, size_t len, uint16_t *ret_columns, uint16_t *ret_rows)
{
	CLEANUP(json_putp) struct json_object *size = NULL;

	if (json_parse(text, len, &size, NULL, NULL) < 0)
		return false;
	int64_t columns = json_int(size, "Width", 0), rows = json_int(size, "Height", 0);
	if (!in_range(columns) || !in_range(rows))
		return false;
	*ret_columns = (uint16_t)columns;
	*ret_rows = (uint16_t)rows;
	return true;
}

/* Of several the last one counts. What does not fit is dropped: a terminal of the wrong size is no reason to
 * end. */
bool channels_read_size(struct channels *channels, const void *data, size_t len, uint16_t *ret_columns,
			uint16_t *ret_rows)
{
	struct buf *text = &channels->size;
	bool found = false;

	text->max = MAX_SIZE_TEXT;
	for (const char *p = data, *end = p + len; p < end; p++) {
		buf_char(text, *p);
		if (*p != '}')
			continue;
		if (text->data && parse_size(text->data, text->len, ret_columns, ret_rows))
			found = true;
		buf_reset(text);
	}
	return found;
}
