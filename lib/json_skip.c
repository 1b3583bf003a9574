#include "lib/json_skip.h"

#include <endian.h>
#include <string.h>

#include "lib/json_block.h"
#include "lib/mem.h"

void json_skip_space(struct json_cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

bool json_skip_char(struct json_cursor *c, char character)
{
	json_skip_space(c);
	if (c->p >= c->end || *c->p != character)
		return false;
	c->p++;
	return true;
}

/* Every byte of the word W that is C becomes 0x80 or more, up to and with the first one at least. */
static uint64_t bytes_that_are(uint64_t w, unsigned char c)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t x = w ^ (ones * c);

	return (x - ones) & ~x & (ones << 7);
}

/* The first quote or backslash from P, or END. Most strings are short: eight bytes at a time pay all the
 * same. */
static const char *string_special(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t w;

		memcpy(&w, p, sizeof(w));
		w = le64toh(w);
		uint64_t found = bytes_that_are(w, '"') | bytes_that_are(w, '\\');
		if (found)
			return p + __builtin_ctzll(found) / 8;
	}
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

bool json_skip_string(struct json_cursor *c)
{
	for (;; c->p++) {
		c->p = string_special(c->p, c->end);
		if (c->p == c->end)
			return false;
		if (*c->p == '"') {
			c->p++;
			return true;
		}
		if (c->p + 1 < c->end)
			c->p++;
	}
}

bool json_skip_value(struct json_cursor *c)
{
	json_skip_space(c);
	if (c->p >= c->end)
		return false;
	if (*c->p == '"') {
		c->p++;
		return json_skip_string(c);
	}
	if (*c->p == '{' || *c->p == '[') {
		const char *behind = json_block_skip(c->p + 1, c->end);
		c->p = behind ? behind : c->end;
		return behind;
	}
	/* A number or a word. */
	while (c->p < c->end && *c->p != ',' && *c->p != '}' && *c->p != ']')
		c->p++;
	return c->p < c->end;
}

/* --- picking --- */

#define KEY_MAX 128 /* of paths, which the program has, not its clients */

struct pick {
	struct json_cursor at;
	/* Of each path what follows the keys we are inside of, and how long its next key is. */
	struct pick_path {
		const char *rest;
		size_t key_len;
	} paths[JSON_PICK_MAX];
	size_t n;
	unsigned depth; /* of arrays */
};

/* Which paths of AMONG (a bit each) go on with KEY; one of them may end there. */
static uint64_t follow(const struct pick *pick, uint64_t among, const char *key, size_t len, bool *ret_ends)
{
	uint64_t found = 0;

	*ret_ends = false;
	for (; among; among &= among - 1) {
		int i = __builtin_ctzll(among);
		const struct pick_path *path = &pick->paths[i];

		if (path->key_len != len || memcmp(path->rest, key, len) != 0)
			continue;
		found |= UINT64_C(1) << i;
		*ret_ends |= !path->rest[len];
	}
	return found;
}

static int fault(struct err *err)
{
	return err_set(err, ERR_PARSE, "unexpected end of JSON input");
}

static int pick_members(struct pick *pick, uint64_t among, struct json_object *into, struct err *err);

static int pick_whole(struct pick *pick, struct json_object **ret, struct err *err)
{
	const char *begin = pick->at.p;
	size_t left = (size_t)(pick->at.end - begin);
	size_t plain = left && *begin == '"' ? buf_json_plain(begin + 1, left - 1) : 0;

	/* Most values are strings, and most of these have nothing in them that needs a parser. */
	if (left && *begin == '"' && plain + 1 < left && begin[1 + plain] == '"') {
		*ret = json_object_new_string_len(begin + 1, (int)plain);
		pick->at.p = begin + plain + 2;
		return 0;
	}
	if (!json_skip_value(&pick->at))
		return fault(err);
	return json_parse(begin, (size_t)(pick->at.p - begin), ret, NULL, err);
}

/* The value at hand, of which the paths AMONG want something. */
static int pick_value(struct pick *pick, uint64_t among, struct json_object **ret, struct err *err);

static int pick_elements(struct pick *pick, uint64_t among, struct json_object *into, struct err *err)
{
	if (json_skip_char(&pick->at, ']'))
		return 0;
	for (;;) {
		struct json_object *element = NULL;

		json_skip_space(&pick->at);
		int result = pick_value(pick, among, &element, err);
		json_object_array_add(into, element); /* of a failure as well: INTO owns it */
		if (result < 0)
			return -1;
		if (json_skip_char(&pick->at, ']'))
			return 0;
		if (!json_skip_char(&pick->at, ','))
			return fault(err);
	}
}

static int pick_value(struct pick *pick, uint64_t among, struct json_object **ret, struct err *err)
{
	char first = pick->at.p < pick->at.end ? *pick->at.p : '\0';

	if (first == '{') {
		*ret = json_object_new_object();
		return pick_members(pick, among, *ret, err);
	}
	if (first != '[')
		return pick_whole(pick, ret, err);
	if (++pick->depth > JSON_MAX_DEPTH)
		return err_set(err, ERR_PARSE, "exceeded max depth");
	*ret = json_object_new_array();
	pick->at.p++;
	int result = pick_elements(pick, among, *ret, err);
	pick->depth--;
	return result;
}

/* The value of a key of LEN bytes, which the paths FOUND go through. */
static int pick_inside(struct pick *pick, uint64_t found, size_t len, struct json_object **ret,
		       struct err *err)
{
	int result;

	for (uint64_t left = found; left; left &= left - 1) {
		struct pick_path *path = &pick->paths[__builtin_ctzll(left)];
		path->rest += len + 1;
		path->key_len = strcspn(path->rest, ".");
	}
	result = pick_value(pick, found, ret, err);
	for (uint64_t left = found; left; left &= left - 1) {
		struct pick_path *path = &pick->paths[__builtin_ctzll(left)];
		path->rest -= len + 1;
		path->key_len = len;
	}
	return result;
}

/* An object without members: no path leads on from there. */
static bool skip_empty(struct json_cursor *c)
{
	struct json_cursor inside = *c;

	if (!json_skip_char(&inside, '{') || !json_skip_char(&inside, '}'))
		return false;
	*c = inside;
	return true;
}

static int pick_member(struct pick *pick, uint64_t among, struct json_object *into, struct err *err)
{
	const char *start = pick->at.p;
	uint64_t found;
	size_t len;
	bool ends;

	if (!json_skip_string(&pick->at))
		return fault(err);
	len = (size_t)(pick->at.p - start) - 1;
	if (!json_skip_char(&pick->at, ':'))
		return err_set(err, ERR_PARSE, "':' expected after object key");
	found = follow(pick, among, start, len, &ends);
	if (!found)
		return json_skip_value(&pick->at) ? 0 : fault(err);

	struct json_object *value = NULL;
	char key[KEY_MAX];
	int result;

	if (len >= sizeof(key))
		return err_set(err, ERR_LIMIT, "a path has too long a key");
	memcpy(key, start, len);
	key[len] = '\0';
	json_skip_space(&pick->at);
	if (!ends && skip_empty(&pick->at))
		return 0;
	result = ends ? pick_whole(pick, &value, err) : pick_inside(pick, found, len, &value, err);
	json_set(into, key, value); /* of a repeated key the last value stays, as in json_parse */
	return result;
}

static int pick_members(struct pick *pick, uint64_t among, struct json_object *into, struct err *err)
{
	if (!json_skip_char(&pick->at, '{'))
		return err_set(err, ERR_PARSE, "an object is expected");
	if (json_skip_char(&pick->at, '}'))
		return 0;
	while (json_skip_char(&pick->at, '"')) {
		if (pick_member(pick, among, into, err) < 0)
			return -1;
		if (json_skip_char(&pick->at, '}'))
			return 0;
		if (!json_skip_char(&pick->at, ','))
			break;
	}
	return fault(err);
}

int json_pick(const char *text, size_t len, const char *const *paths, struct json_object **ret,
	      struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	struct pick pick = { .at = { text, text + len } };

	for (; paths[pick.n] && pick.n < JSON_PICK_MAX; pick.n++)
		pick.paths[pick.n] = (struct pick_path){ paths[pick.n], strcspn(paths[pick.n], ".") };
	uint64_t all = pick.n == 64 ? UINT64_MAX : (UINT64_C(1) << pick.n) - 1;
	if (pick_members(&pick, all, obj, err) < 0)
		return -1;
	json_skip_space(&pick.at);
	if (pick.at.p < pick.at.end)
		return err_set(err, ERR_PARSE, "invalid character after top-level value");
	*ret = TAKE(obj);
	return 0;
}

/* --- leaving out --- */

/* The member of the object at C whose key has the LEN bytes at KEY. Leaves C before its value. */
static bool find_member(struct json_cursor *c, const char *key, size_t len, const char **ret_begin)
{
	if (!json_skip_char(c, '{'))
		return false;
	do {
		json_skip_space(c);
		const char *begin = c->p;

		if (!json_skip_char(c, '"') || !json_skip_string(c))
			return false;
		bool found = (size_t)(c->p - begin) == len + 2 && memcmp(begin + 1, key, len) == 0;

		if (!json_skip_char(c, ':'))
			return false;
		if (found) {
			*ret_begin = begin;
			return true;
		}
		if (!json_skip_value(c))
			return false;
	} while (json_skip_char(c, ','));
	return false;
}

int json_parse_without(const char *text, size_t len, const char *path, struct json_object **ret,
		       struct err *err)
{
	CLEANUP(buf_close) struct buf rest = BUF_INIT;
	struct json_cursor c = { text, text + len };
	const char *begin = NULL;

	if (!*path)
		return json_parse(text, len, ret, NULL, err);
	for (const char *key = path; *key;) {
		size_t key_len = strcspn(key, ".");

		json_skip_space(&c);
		if (!find_member(&c, key, key_len, &begin))
			return json_parse(text, len, ret, NULL, err);
		key += key_len + (key[key_len] == '.');
	}
	if (!json_skip_value(&c))
		return json_parse(text, len, ret, NULL, err);
	/* One comma goes with it: the one before, or else the one behind. */
	const char *before = begin;
	while (before > text && before[-1] != ',' && before[-1] != '{')
		before--;
	if (before > text && before[-1] == ',')
		begin = before - 1;
	else
		json_skip_char(&c, ',');
	buf_reserve(&rest, len);
	buf_add(&rest, text, (size_t)(begin - text));
	buf_add(&rest, c.p, (size_t)(c.end - c.p));
	return json_parse(rest.data, rest.len, ret, NULL, err);
}
