#include "lib/json_skip.h"

#include <string.h>

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

bool json_skip_string(struct json_cursor *c)
{
	for (; c->p < c->end; c->p++) {
		if (*c->p == '"') {
			c->p++;
			return true;
		}
		if (*c->p == '\\' && c->p + 1 < c->end)
			c->p++;
	}
	return false;
}

bool json_skip_value(struct json_cursor *c)
{
	size_t depth = 0;

	json_skip_space(c);
	if (c->p >= c->end)
		return false;
	while (c->p < c->end) {
		char character = *c->p;

		if (depth == 0 && (character == ',' || character == '}' || character == ']'))
			return true; /* behind a number or a word */
		c->p++;
		if (character == '"') {
			if (!json_skip_string(c))
				return false;
		} else if (character == '{' || character == '[') {
			depth++;
		} else if (character == '}' || character == ']') {
			depth--;
		} else {
			continue;
		}
		if (depth == 0)
			return true;
	}
	return false;
}

/* --- picking --- */

struct pick {
	struct json_cursor at;
	const char *rest[JSON_PICK_MAX]; /* of each path what follows the keys we are inside of */
	size_t n;
};

/* Which paths of AMONG (a bit each) go on with KEY; one of them may end there. */
static uint64_t follow(const struct pick *pick, uint64_t among, const char *key, size_t len, bool *ret_ends)
{
	uint64_t found = 0;

	*ret_ends = false;
	for (size_t i = 0; i < pick->n; i++) {
		const char *rest = pick->rest[i];

		/* Most keys differ from most paths at once. */
		if (!(among >> i & 1) || rest[0] != key[0] || strcspn(rest, ".") != len ||
		    memcmp(rest, key, len) != 0)
			continue;
		found |= UINT64_C(1) << i;
		*ret_ends |= !rest[len];
	}
	return found;
}

static int fault(struct err *err)
{
	return err_set(err, ERR_PARSE, "unexpected end of JSON input");
}

static int pick_members(struct pick *pick, uint64_t among, struct json_object *into, struct err *err);

static int pick_whole(struct pick *pick, struct json_object *into, const char *key, struct err *err)
{
	struct json_object *value = NULL;
	const char *begin = pick->at.p;

	if (!json_skip_value(&pick->at))
		return fault(err);
	if (json_parse(begin, (size_t)(pick->at.p - begin), &value, NULL, err) < 0)
		return -1;
	json_set(into, key, value);
	return 0;
}

/* The value of KEY, which the paths FOUND go through. */
static int pick_inside(struct pick *pick, uint64_t found, struct json_object *into, const char *key,
		       size_t len, struct err *err)
{
	struct json_object *inner = json_object_new_object();
	const char *before[JSON_PICK_MAX];
	int result;

	json_set(into, key, inner); /* of a repeated key the last value stays, as in json_parse */
	memcpy(before, pick->rest, pick->n * sizeof(before[0]));
	for (size_t i = 0; i < pick->n; i++)
		pick->rest[i] += found >> i & 1 ? len + 1 : 0;
	result = pick_members(pick, found, inner, err);
	memcpy(pick->rest, before, pick->n * sizeof(before[0]));
	return result;
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

	CLEANUP(mem_freep) char *key = mem_dupn(start, len);

	json_skip_space(&pick->at);
	if (ends || pick->at.p >= pick->at.end || *pick->at.p != '{')
		return pick_whole(pick, into, key, err);
	return pick_inside(pick, found, into, key, len, err);
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
		pick.rest[pick.n] = paths[pick.n];
	if (pick_members(&pick, UINT64_MAX, obj, err) < 0)
		return -1;
	json_skip_space(&pick.at);
	if (pick.at.p < pick.at.end)
		return err_set(err, ERR_PARSE, "invalid character after top-level value");
	*ret = TAKE(obj);
	return 0;
}
