#include "api/description.h"

#include <string.h>

/* Below zero when LINE's first columns come before DEF and FIELD. */
static int compare_key(const char *line, const char *def, const char *field)
{
	size_t def_len = strlen(def), field_len = strlen(field);
	int order = strncmp(line, def, def_len);
	if (order == 0)
		order = line[def_len] - '\t';
	if (order == 0)
		order = strncmp(line + def_len + 1, field, field_len);
	return order ? order : line[def_len + 1 + field_len] - '\t';
}

static size_t line_start(size_t at)
{
	while (at > 0 && description_lines[at - 1] != '\n')
		at--;
	return at;
}

static size_t next_line(size_t at)
{
	return at + strcspn(description_lines + at, "\n") + 1;
}

static const char *find(const char *def, const char *field, size_t *ret_len)
{
	size_t low = 0, high = description_lines_len; /* starts of lines */
	while (low < high) {
		size_t middle = line_start(low + (high - low) / 2);
		const char *line = description_lines + middle;
		int order = compare_key(line, def, field);
		if (order == 0) {
			const char *text = line + strlen(def) + strlen(field) + 2;
			*ret_len = strcspn(text, "\n");
			return text;
		}
		if (order > 0)
			high = middle;
		else
			low = next_line(middle);
	}
	return NULL;
}

static bool has_field(const struct schema_def *def, const char *name)
{
	return schema_field_find(def, name, strlen(name)) != NULL;
}

const char *description_find(const struct schema_def *def, const char *field, size_t *ret_len)
{
	const char *text = find(def->name, field, ret_len);
	bool is_kind = !text && *field && has_field(def, "apiVersion") && has_field(def, "metadata");
	return is_kind ? find("*", field, ret_len) : text;
}
