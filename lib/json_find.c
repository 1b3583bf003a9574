#include "lib/json_find.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define NO_PATH SIZE_MAX

/* The keys of all paths as a tree, so that a key of the text is compared with those that can stand there. */
struct path_node {
	const char *key;
	size_t len;
	size_t path; /* the one that ends here, or NO_PATH */
	struct path_node *child, *next;
};

struct json_paths {
	struct path_node root;
	size_t n;
};

/* --- paths --- */

static struct path_node *child_of(struct path_node *parent, const char *key, size_t len)
{
	struct path_node **to = &parent->child;

	for (; *to; to = &(*to)->next)
		if ((*to)->len == len && memcmp((*to)->key, key, len) == 0)
			return *to;
	*to = mem_zalloc(sizeof(**to));
	**to = (struct path_node){ .key = key, .len = len, .path = NO_PATH };
	return *to;
}

struct json_paths *json_paths_new(const char *const *paths)
{
	struct json_paths *new_ = mem_zalloc(sizeof(*new_));

	new_->root.path = NO_PATH;
	for (; paths[new_->n]; new_->n++) {
		struct path_node *node = &new_->root;

		for (const char *key = paths[new_->n]; *key;) {
			size_t len = strcspn(key, ".");

			node = child_of(node, key, len);
			key += len + (key[len] == '.');
		}
		node->path = new_->n;
	}
	return new_;
}

static void free_nodes(struct path_node *node)
{
	while (node) {
		struct path_node *next = node->next;

		free_nodes(node->child);
		free(node);
		node = next;
	}
}

void json_paths_free(struct json_paths *paths)
{
	if (!paths)
		return;
	free_nodes(paths->root.child);
	free(paths);
}

size_t json_paths_count(const struct json_paths *paths)
{
	return paths->n;
}

/* --- finding --- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct json_span span_of(const char *begin, const char *end)
{
	size_t len = (size_t)(end - begin);

	/* Numbers and words reach up to the next bracket or comma. */
	while (len > 0 && is_space(begin[len - 1]))
		len--;
	if (len == strlen("null") && memcmp(begin, "null", len) == 0)
		return (struct json_span){ 0 };
	return (struct json_span){ begin, len };
}

static int fault(struct err *err)
{
	return err_set(err, ERR_PARSE, "unexpected end of JSON input");
}

static int find_members(const struct path_node *node, struct json_cursor *c, struct json_span *ret,
			struct err *err);

/* The value at C, which NODE wants all or something of. */
static int find_value(const struct path_node *node, struct json_cursor *c, struct json_span *ret,
		      struct err *err)
{
	json_skip_space(c);
	const char *begin = c->p;

	if (!node->child || c->p == c->end || *c->p != '{') {
		if (!json_skip_value(c))
			return fault(err);
	} else if (find_members(node, c, ret, err) < 0) {
		return -1;
	}
	if (node->path != NO_PATH)
		ret[node->path] = span_of(begin, c->p);
	return 0;
}

static int find_member(const struct path_node *node, struct json_cursor *c, struct json_span *ret,
		       struct err *err)
{
	const char *key = c->p;

	if (!json_skip_string(c))
		return fault(err);
	size_t len = (size_t)(c->p - key) - 1;
	if (!json_skip_char(c, ':'))
		return err_set(err, ERR_PARSE, "':' expected after object key");
	for (const struct path_node *child = node->child; child; child = child->next)
		if (child->len == len && memcmp(child->key, key, len) == 0)
			return find_value(child, c, ret, err);
	return json_skip_value(c) ? 0 : fault(err);
}

static int find_members(const struct path_node *node, struct json_cursor *c, struct json_span *ret,
			struct err *err)
{
	if (!json_skip_char(c, '{'))
		return err_set(err, ERR_PARSE, "an object is expected");
	if (json_skip_char(c, '}'))
		return 0;
	while (json_skip_char(c, '"')) {
		if (find_member(node, c, ret, err) < 0)
			return -1;
		if (json_skip_char(c, '}'))
			return 0;
		if (!json_skip_char(c, ','))
			break;
	}
	return fault(err);
}

int json_find(const struct json_paths *paths, const char *text, size_t len, struct json_span *ret,
	      struct err *err)
{
	struct json_cursor c = { text, text + len };

	memset(ret, 0, paths->n * sizeof(*ret));
	if (find_members(&paths->root, &c, ret, err) < 0)
		return -1;
	if (paths->root.path != NO_PATH)
		ret[paths->root.path] = span_of(text, c.p);
	json_skip_space(&c);
	return c.p == c.end ? 0 : err_set(err, ERR_PARSE, "invalid character after top-level value");
}

/* --- going through --- */

struct json_cursor json_span_begin(struct json_span container)
{
	struct json_cursor c = { container.p, container.p + container.len };

	if (container.len > 0 && (*c.p == '{' || *c.p == '['))
		c.p++;
	else
		c.p = c.end;
	return c;
}

bool json_span_element(struct json_cursor *c, struct json_span *ret_value)
{
	json_skip_char(c, ',');
	json_skip_space(c);
	const char *begin = c->p;

	if (begin == c->end || *begin == ']' || *begin == '}' || !json_skip_value(c))
		return false;
	*ret_value = span_of(begin, c->p);
	return true;
}

bool json_span_member(struct json_cursor *c, struct json_span *ret_key, struct json_span *ret_value)
{
	json_skip_char(c, ',');
	if (!json_skip_char(c, '"'))
		return false;
	const char *key = c->p;

	if (!json_skip_string(c))
		return false;
	*ret_key = (struct json_span){ key, (size_t)(c->p - key) - 1 };
	return json_skip_char(c, ':') && json_span_element(c, ret_value);
}

bool json_key_is(struct json_span key, const char *name)
{
	return strlen(name) == key.len && memcmp(key.p, name, key.len) == 0;
}

/* --- values --- */

struct json_span json_span_plain(struct json_span span)
{
	if (span.len < 2 || *span.p != '"' || memchr(span.p, '\\', span.len))
		return (struct json_span){ 0 };
	return (struct json_span){ span.p + 1, span.len - 2 };
}

struct json_object *json_span_parse(struct json_span span)
{
	struct json_object *value = NULL;

	if (!span.p || json_parse(span.p, span.len, &value, NULL, NULL) < 0)
		return NULL;
	return value;
}

char *json_span_dup(struct json_span span)
{
	struct json_span plain = json_span_plain(span);

	if (plain.p)
		return mem_dupn(plain.p, plain.len);
	if (!span.p || *span.p != '"')
		return NULL;
	CLEANUP(json_putp) struct json_object *value = json_span_parse(span);
	return value ? mem_dup(json_object_get_string(value)) : NULL;
}

bool json_span_is(struct json_span span, const char *string)
{
	struct json_span plain = json_span_plain(span);

	if (plain.p)
		return json_key_is(plain, string);
	CLEANUP(mem_freep) char *copy = json_span_dup(span);
	return copy && strcmp(copy, string) == 0;
}

int64_t json_span_int(struct json_span span, int64_t otherwise)
{
	/* What follows it in the text is a comma or a bracket. */
	return span.p && (*span.p == '-' || (*span.p >= '0' && *span.p <= '9')) ? strtoll(span.p, NULL, 10)
										: otherwise;
}

bool json_span_true(struct json_span span)
{
	return span.len == 4 && memcmp(span.p, "true", 4) == 0;
}
