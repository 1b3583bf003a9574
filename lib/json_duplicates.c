/* The precise search of json.h for repeated keys: a walk over the text that remembers the keys of the
 * objects it is in. It runs only for texts that json_parse() has taken and found repetitions in, but
 * stops quietly at any text that is no JSON. */
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/map.h"
#include "lib/mem.h"

struct walk {
	const char *text;
	size_t len, at;
	unsigned depth;
	struct buf path;
	void (*fn)(const char *path, void *arg);
	void *arg;
};

/* A key of an object under way: the value of its map, and where the map's own key lies. */
struct seen_key {
	bool reported;
	char key[];
};

static bool walk_value(struct walk *w);

static char peek(struct walk *w)
{
	while (w->at < w->len && (w->text[w->at] == ' ' || w->text[w->at] == '\t' || w->text[w->at] == '\n' ||
				  w->text[w->at] == '\r'))
		w->at++;
	return w->at < w->len ? w->text[w->at] : '\0';
}

static bool take(struct walk *w, char c)
{
	if (peek(w) != c)
		return false;
	w->at++;
	return true;
}

static bool skip_string(struct walk *w, const char **ret_start, size_t *ret_len)
{
	size_t start;

	if (!take(w, '"'))
		return false;
	start = w->at - 1;
	for (; w->at < w->len; w->at++) {
		if (w->text[w->at] == '\\') {
			w->at++;
		} else if (w->text[w->at] == '"') {
			*ret_len = ++w->at - start;
			*ret_start = w->text + start;
			return true;
		}
	}
	return false;
}

static struct seen_key *new_key(const char *key, size_t len)
{
	struct seen_key *k = mem_zalloc(sizeof(*k) + len + 1);

	memcpy(k->key, key, len);
	return k;
}

/* Keys that are written differently and mean the same are the same: "\u0061" is "a". */
static struct seen_key *decode_key(const char *text, size_t len)
{
	CLEANUP(json_putp) struct json_object *key = NULL;

	if (!memchr(text, '\\', len))
		return new_key(text + 1, len - 2);
	if (json_parse(text, len, &key, NULL, NULL) < 0)
		return NULL;
	return new_key(json_object_get_string(key), (size_t)json_object_get_string_len(key));
}

/* The path ends in KEY: tells of it when it is there for the second time. Takes KEY. */
static void note_key(struct walk *w, struct map *keys, struct seen_key *key)
{
	struct seen_key *first = map_get(keys, key->key);

	if (!first) {
		map_put(keys, key->key, key);
		return;
	}
	if (!first->reported)
		w->fn(w->path.data, w->arg);
	first->reported = true;
	free(key);
}

static void cut_path(struct walk *w, size_t len)
{
	w->path.len = len;
	w->path.data[len] = '\0';
}

static bool walk_member(struct walk *w, struct map *keys)
{
	size_t before = w->path.len, len;
	struct seen_key *key;
	const char *text;
	bool ok;

	if (!skip_string(w, &text, &len) || !(key = decode_key(text, len)))
		return false;
	if (before > 0)
		buf_char(&w->path, '.');
	buf_str(&w->path, key->key);
	note_key(w, keys, key);
	ok = take(w, ':') && walk_value(w);
	cut_path(w, before);
	return ok;
}

static bool walk_members(struct walk *w, struct map *keys)
{
	if (take(w, '}'))
		return true;
	do {
		if (!walk_member(w, keys))
			return false;
	} while (take(w, ','));
	return take(w, '}');
}

static bool walk_object(struct walk *w)
{
	struct map keys = MAP_INIT;
	bool ok = walk_members(w, &keys);
	void *key;

	for (size_t i = 0; map_next(&keys, &i, NULL, &key);)
		free(key);
	map_close(&keys);
	return ok;
}

static bool walk_array(struct walk *w)
{
	size_t before = w->path.len;
	bool ok = true;

	if (take(w, ']'))
		return true;
	for (size_t i = 0; ok; i++) {
		buf_printf(&w->path, "[%zu]", i);
		ok = walk_value(w);
		cut_path(w, before);
		if (!take(w, ','))
			break;
	}
	return ok && take(w, ']');
}

static bool walk_value(struct walk *w)
{
	char c = peek(w);
	const char *text;
	size_t len;
	bool ok;

	if (c == '"')
		return skip_string(w, &text, &len);
	if (c == '{' || c == '[') {
		if (w->depth == JSON_MAX_DEPTH)
			return false;
		w->at++;
		w->depth++;
		ok = c == '{' ? walk_object(w) : walk_array(w);
		w->depth--;
		return ok;
	}
	/* A number or a literal: up to what ends it. */
	for (len = 0; w->at < w->len && !strchr(",]} \t\r\n", w->text[w->at]); len++)
		w->at++;
	return len > 0;
}

void json_find_duplicates(const char *text, size_t len, void (*fn)(const char *path, void *arg), void *arg)
{
	struct walk w = { .text = text, .len = len, .fn = fn, .arg = arg };

	walk_value(&w);
	buf_close(&w.path);
}
