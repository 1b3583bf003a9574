#include "api/cel/cel_name.h"

#include <string.h>

#include "lib/mem.h"

bool cel_name_is_reserved(const char *name)
{
	static const char *const words[] = { "as",        "break",  "const",  "continue", "else", "for",
					     "function",  "if",     "import", "let",      "loop", "package",
					     "namespace", "return", "var",    "void",     "while" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

/* Reserved, or one that the grammar has taken. */
static bool is_keyword(const char *name)
{
	return cel_name_is_reserved(name) || !strcmp(name, "true") || !strcmp(name, "false") ||
	       !strcmp(name, "null") || !strcmp(name, "in");
}

/* The keyword in "__keyword__", or NULL. */
static const char *escaped_keyword(struct cel_arena *arena, const char *name)
{
	size_t len = strlen(name);
	char *word;

	if (len <= 4 || strncmp(name, "__", 2) != 0 || strcmp(name + len - 2, "__") != 0)
		return NULL;
	word = cel_copy(arena, name + 2, len - 4);
	return is_keyword(word) ? word : NULL;
}

const char *cel_name_unescape(struct cel_arena *arena, const char *name)
{
	static const struct {
		const char *escape, *meaning;
	} rows[] = {
		{ "__underscores__", "__" }, { "__dot__", "." }, { "__dash__", "-" }, { "__slash__", "/" }
	};
	const char *keyword;
	char *to, *room;

	if (!strstr(name, "__"))
		return name;
	keyword = escaped_keyword(arena, name);
	if (keyword)
		return keyword;
	to = room = cel_alloc(arena, strlen(name) + 1);
	while (*name) {
		size_t i = 0;

		while (i < ARRAY_SIZE(rows) && strncmp(name, rows[i].escape, strlen(rows[i].escape)) != 0)
			i++;
		if (i == ARRAY_SIZE(rows)) {
			*to++ = *name++;
			continue;
		}
		to = mempcpy(to, rows[i].meaning, strlen(rows[i].meaning));
		name += strlen(rows[i].escape);
	}
	return room;
}

bool cel_name_needs_escape(const char *key)
{
	return is_keyword(key) || strstr(key, "__") != NULL;
}
