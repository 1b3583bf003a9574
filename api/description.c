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

static size_t line_start(const char *lines, size_t at)
{
	while (at > 0 && lines[at - 1] != '\n')
		at--;
	return at;
}

static const char *find(const char *lines, size_t len, const char *def, const char *field, size_t *ret_len)
{
	size_t low = 0, high = len; /* starts of lines */
	while (low < high) {
		size_t middle = line_start(lines, low + (high - low) / 2);
		const char *line = lines + middle;
		int order = compare_key(line, def, field);
		if (order == 0) {
			const char *text = line + strlen(def) + strlen(field) + 2;
			*ret_len = strcspn(text, "\n");
			return text;
		}
		if (order > 0)
			high = middle;
		else
			low = middle + strcspn(line, "\n") + 1;
	}
	return NULL;
}

static const char *find_text(const char *def, const char *field, size_t *ret_len)
{
	return find(description_lines, description_lines_len, def, field, ret_len);
}

static bool has_field(const struct schema_def *def, const char *name)
{
	return schema_field_find(def, name, strlen(name)) != NULL;
}

const char *description_find(const struct schema_def *def, const char *field, size_t *ret_len)
{
	const char *text = find_text(def->name, field, ret_len);
	bool is_kind = !text && *field && has_field(def, "apiVersion") && has_field(def, "metadata");
	return is_kind ? find_text("*", field, ret_len) : text;
}

const char *description_values(const struct schema_def *def, const char *field, size_t *ret_len)
{
	return find(description_value_lines, description_value_lines_len, def->name, field, ret_len);
}
