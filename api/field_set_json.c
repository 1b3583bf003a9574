/* FieldsV1: sets as JSON. What the server wrote itself is the common case, so reading goes by the text alone;
 * a member is {} or has ".", and keys may hold escapes. */
#include <string.h>

#include "api/field_set.h"
#include "lib/json_skip.h"

static const char prefixes[] = "fkvi"; /* by enum field_element_kind */

struct reader {
	struct json_cursor at;
	struct field_builder builder;
	unsigned depth;
};

/* Compact and sorted, as it must be to compare. */
static bool canonical(struct field_arena *arena, struct field_element *element)
{
	CLEANUP(json_putp) struct json_object *value = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (json_parse(element->text, element->len, &value, NULL, NULL) < 0)
		return false;
	if (element->kind == FIELD_ELEMENT_KEY && !json_object_is_type(value, json_type_object))
		return false;
	json_write_sorted(&text, value);
	if (text.len == element->len && memcmp(text.data, element->text, text.len) == 0)
		return true;
	char *copy = field_alloc(arena, text.len + 1);
	memcpy(copy, text.data, text.len + 1);
	element->text = copy;
	element->len = (uint32_t)text.len;
	return true;
}

/* One key and one plain string in it: {"name":"c"}. Cannot be written in two ways. */
static bool plainly_canonical(const struct field_element *element)
{
	const char *s = element->text;
	size_t quotes = 0;

	if (element->len < 2 || s[0] != '{' || s[element->len - 1] != '}')
		return false;
	for (size_t i = 1; i + 1 < element->len; i++) {
		if (s[i] == '\\' || s[i] == ' ' || s[i] == '{' || s[i] == ',' || (unsigned char)s[i] >= 0x7f)
			return false;
		quotes += s[i] == '"';
	}
	return quotes == 4 && s[1] == '"' && s[element->len - 2] == '"';
}

static int fault(struct err *err)
{
	return err_set(err, ERR_PARSE, "invalid FieldsV1");
}

/* The key at the cursor, whose quote is taken: without quotes and escapes. */
static int read_key(struct reader *reader, const char **ret, size_t *ret_len, struct err *err)
{
	const char *begin = reader->at.p;

	if (!json_skip_string(&reader->at))
		return fault(err);
	size_t len = (size_t)(reader->at.p - begin) - 1;
	*ret = begin;
	*ret_len = len;
	if (!memchr(begin, '\\', len))
		return 0;
	/* Quotes are all that is escaped in what we write. */
	char *copy = field_alloc(reader->builder.arena, len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (begin[i] != '\\') {
			copy[n++] = begin[i];
			continue;
		}
		if (begin[i + 1] != '"' && begin[i + 1] != '\\') {
			CLEANUP(json_putp) struct json_object *text = NULL;
			if (json_parse(begin - 1, len + 2, &text, NULL, err) < 0)
				return -1;
			n = (size_t)json_object_get_string_len(text);
			memcpy(copy, json_object_get_string(text), n);
			break;
		}
		copy[n++] = begin[++i];
	}
	copy[n] = '\0';
	*ret = copy;
	*ret_len = n;
	return 0;
}

static int read_set(struct reader *reader, bool *ret_member, const struct field_set **ret, struct err *err);

static int read_entry(struct reader *reader, bool *ret_dot, struct err *err)
{
	const char *key;
	size_t len;

	if (!json_skip_char(&reader->at, '"') || read_key(reader, &key, &len, err) < 0 ||
	    !json_skip_char(&reader->at, ':'))
		return fault(err);
	if (len == 1 && key[0] == '.') {
		*ret_dot = true;
		return json_skip_value(&reader->at) ? 0 : fault(err);
	}
	const char *prefix = len >= 2 && key[1] == ':' ? strchr(prefixes, key[0]) : NULL;
	bool member;
	const struct field_set *children;
	if (read_set(reader, &member, &children, err) < 0)
		return -1;
	if (!prefix || !*prefix)
		return 0;
	struct field_element element = { key + 2, (uint32_t)(len - 2), (uint8_t)(prefix - prefixes) };
	if ((element.kind == FIELD_ELEMENT_VALUE ||
	     (element.kind == FIELD_ELEMENT_KEY && !plainly_canonical(&element))) &&
	    !canonical(reader->builder.arena, &element))
		return fault(err);
	field_builder_add(&reader->builder, &element, member, children);
	return 0;
}

static int read_set(struct reader *reader, bool *ret_member, const struct field_set **ret, struct err *err)
{
	size_t mark = field_builder_begin(&reader->builder);
	bool dot = false;

	if (++reader->depth > JSON_MAX_DEPTH || !json_skip_char(&reader->at, '{'))
		return fault(err);
	if (!json_skip_char(&reader->at, '}')) {
		do
			if (read_entry(reader, &dot, err) < 0)
				return -1;
		while (json_skip_char(&reader->at, ','));
		if (!json_skip_char(&reader->at, '}'))
			return fault(err);
	}
	*ret = field_builder_end(&reader->builder, mark);
	*ret_member = dot || !*ret;
	reader->depth--;
	return 0;
}

int field_set_parse(struct field_arena *arena, const char *text, size_t len, const struct field_set **ret,
		    struct err *err)
{
	struct reader reader = { .at = { text, text + len }, .builder = { .arena = arena } };
	bool member;
	int result = read_set(&reader, &member, ret, err);

	if (result == 0 && (json_skip_space(&reader.at), reader.at.p != reader.at.end))
		result = fault(err);
	field_builder_close(&reader.builder);
	return result;
}

/* ELEMENT as a member's name, with the colon: "f:name":, "k:{\"name\":\"c\"}":. */
static void write_name(struct buf *b, const struct field_element *element)
{
	const char *s = element->text;
	size_t len = element->len, plain;
	/* Were each byte escaped by a backslash, it would fit. */
	size_t room = 2 * len + sizeof("\"f:\":");

	buf_reserve(b, room);
	if (b->failed)
		return;
	char *begin = b->data + b->len, *p = begin;
	*p++ = '"';
	*p++ = prefixes[element->kind];
	*p++ = ':';
	while ((plain = buf_json_plain(s, len)) < len && s[plain] == '"') {
		p = mempcpy(p, s, plain);
		*p++ = '\\';
		*p++ = '"';
		s += plain + 1;
		len -= plain + 1;
	}
	if (plain == len) {
		p = mempcpy(p, s, len);
		p = mempcpy(p, "\":", 2);
		*p = '\0';
		b->len += (size_t)(p - begin);
		return;
	}
	/* Other escapes are rare. Its own opening quote goes where the prefix's end is. */
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	buf_json_stringn(&text, element->text, element->len);
	buf_add(b, (const char[]){ '"', prefixes[element->kind], ':' }, 3);
	buf_add(b, text.data + 1, text.len - 1);
	buf_char(b, ':');
}

static void write_nodes(struct buf *b, const struct field_set *set, bool member)
{
	bool first = !member;

	buf_add(b, "{\".\":{}", member ? 7 : 1);
	for (size_t i = 0; i < set->n; i++) {
		const struct field_node *node = &set->nodes[i];
		if (!first)
			buf_char(b, ',');
		first = false;
		write_name(b, &node->element);
		if (node->children)
			write_nodes(b, node->children, node->member);
		else
			buf_add(b, "{}", 2);
	}
	buf_char(b, '}');
}

void field_set_write(struct buf *b, const struct field_set *set)
{
	if (set)
		write_nodes(b, set, false);
	else
		buf_add(b, "{}", 2);
}
