#include "lib/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/map.h"
#include "lib/mem.h"
#include "lib/yaml_scalar.h"

/* Against texts that grow by their aliases: what all documents of one text may come to. */
#define MAX_NODES 1000000
#define MAX_BYTES (64 * 1024 * 1024)

struct anchor {
	struct json_object *value; /* shared with the tree it stands in; NULL: null */
	char name[];
};

struct loader {
	const char *name; /* of the text, for messages */
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	struct map anchors; /* of the current document */
	size_t nodes, bytes;
	unsigned depth;
	struct yaml_doc *doc;
	struct buf path;
	struct err *err;
};

static int load_node(struct loader *l, struct json_object **ret);

static int fail_at(struct loader *l, yaml_mark_t mark, enum err_kind kind, const char *what)
{
	return err_set(l->err, kind, "%s:%zu:%zu: %s", l->name, mark.line + 1, mark.column + 1, what);
}

static int fail(struct loader *l, const char *what)
{
	return fail_at(l, l->event.start_mark, ERR_PARSE, what);
}

static int parser_error(struct loader *l)
{
	const char *problem = l->parser.problem ? l->parser.problem : "not readable";
	yaml_mark_t mark = l->parser.problem_mark;

	/* Errors of the reader know an offset only; its mark is where the parser stands. */
	if (l->parser.error == YAML_READER_ERROR)
		mark = l->parser.mark;
	return fail_at(l, mark, ERR_PARSE, problem);
}

static int next_event(struct loader *l)
{
	yaml_event_delete(&l->event);
	if (!yaml_parser_parse(&l->parser, &l->event)) {
		memset(&l->event, 0, sizeof(l->event));
		return parser_error(l);
	}
	return 0;
}

static int account(struct loader *l, size_t nodes, size_t bytes)
{
	l->nodes += nodes;
	l->bytes += bytes;
	if (l->nodes > MAX_NODES || l->bytes > MAX_BYTES)
		return fail_at(l, l->event.start_mark, ERR_LIMIT,
			       "the document is too large with its aliases expanded");
	return 0;
}

/* --- anchors and aliases --- */

static void set_anchor(struct loader *l, const char *name, struct json_object *value)
{
	size_t len = strlen(name);
	struct anchor *anchor = mem_zalloc(sizeof(*anchor) + len + 1);
	struct anchor *replaced;

	memcpy(anchor->name, name, len);
	anchor->value = json_object_get(value);
	replaced = map_put(&l->anchors, anchor->name, anchor);
	if (replaced) {
		json_object_put(replaced->value);
		free(replaced);
	}
}

static void drop_anchors(struct loader *l)
{
	void *value;

	for (size_t i = 0; map_next(&l->anchors, &i, NULL, &value);) {
		struct anchor *anchor = value;

		json_object_put(anchor->value);
		free(anchor);
	}
	map_close(&l->anchors);
}

struct size {
	size_t nodes, bytes;
	unsigned depth;
};

/* What VALUE adds when it is copied. The copies made so far are bounded, and so is this walk. */
static void measure(struct json_object *value, unsigned depth, struct size *size)
{
	size->nodes++;
	if (depth > size->depth)
		size->depth = depth;
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			size->bytes += strlen(key);
			measure(member, depth + 1, size);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_len(value); i++)
			measure(json_at(value, i), depth + 1, size);
	} else if (json_object_is_type(value, json_type_string)) {
		size->bytes += (size_t)json_object_get_string_len(value);
	}
}

/* An alias is a copy of its own: whoever changes one place of the tree must not change another. */
static int load_alias(struct loader *l, struct json_object **ret)
{
	struct anchor *anchor = map_get(&l->anchors, (const char *)l->event.data.alias.anchor);
	struct size size = { 0 };

	if (!anchor)
		return fail(l, "unknown anchor referenced");
	measure(anchor->value, 0, &size);
	if (account(l, size.nodes, size.bytes) < 0)
		return -1;
	if (l->depth + size.depth > JSON_MAX_DEPTH)
		return fail(l, "exceeded max depth");
	*ret = json_clone(anchor->value);
	return 0;
}

/* --- scalars --- */

static bool has_tag(const yaml_char_t *tag, const char *name)
{
	return tag && strcmp((const char *)tag, name) == 0;
}

static bool is_utf8(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = (unsigned char)text[i] < 0x80 ? 1 : buf_utf8_length(text + i, len - i);
		if (!n)
			return false;
	}
	return true;
}

static int load_binary(struct loader *l, struct json_object **ret)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;

	if (buf_base64_decode((const char *)l->event.data.scalar.value, l->event.data.scalar.length, &bytes,
			      NULL) < 0)
		return fail(l, "!!binary value contains invalid base64 data");
	if (!is_utf8(bytes.data, bytes.len))
		return fail(l, "!!binary value is not UTF-8 and has no JSON form");
	*ret = json_object_new_string_len(bytes.data ? bytes.data : "", (int)bytes.len);
	return 0;
}

static int load_scalar(struct loader *l, struct json_object **ret)
{
	const char *text = (const char *)l->event.data.scalar.value;
	size_t len = l->event.data.scalar.length;
	const yaml_char_t *tag = l->event.data.scalar.tag;

	if (has_tag(tag, "tag:yaml.org,2002:binary"))
		return load_binary(l, ret);
	/* Plain ones say by their look what they are, quoted ones are strings; a tag overrides both. */
	if (has_tag(tag, "tag:yaml.org,2002:str") ||
	    (!l->event.data.scalar.plain_implicit && (!tag || has_tag(tag, "!")))) {
		*ret = json_object_new_string_len(text, (int)len);
		return 0;
	}
	if (yaml_scalar_resolve(text, len, ret) < 0)
		return fail(l, "infinity and NaN have no JSON form");
	return 0;
}

/* --- collections --- */

static void cut_path(struct loader *l, size_t len)
{
	l->path.len = len;
	if (l->path.data)
		l->path.data[len] = '\0';
}

static int load_sequence(struct loader *l, struct json_object *array)
{
	size_t before = l->path.len;

	for (;;) {
		struct json_object *item = NULL;

		if (next_event(l) < 0)
			return -1;
		if (l->event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		buf_printf(&l->path, "[%zu]", json_object_array_length(array));
		if (load_node(l, &item) < 0)
			return -1;
		json_object_array_add(array, item);
		cut_path(l, before);
	}
}

/* The current event as a member's key: numbers and booleans become their JSON text. */
static int load_key(struct loader *l, struct buf *ret)
{
	CLEANUP(json_putp) struct json_object *key = NULL;

	if (l->event.type != YAML_SCALAR_EVENT && l->event.type != YAML_ALIAS_EVENT)
		return fail(l, "a mapping key must be a scalar");
	if (load_node(l, &key) < 0)
		return -1;
	if (json_object_is_type(key, json_type_object) || json_object_is_type(key, json_type_array))
		return fail(l, "a mapping key must be a scalar");
	if (json_object_is_type(key, json_type_string)) {
		if (memchr(json_object_get_string(key), '\0', (size_t)json_object_get_string_len(key)))
			return fail(l, "a mapping key must not hold a NUL character");
		buf_str(ret, json_object_get_string(key));
	} else {
		json_write(ret, key);
	}
	return 0;
}

static bool is_merge_key(const struct loader *l)
{
	return l->event.type == YAML_SCALAR_EVENT && l->event.data.scalar.plain_implicit &&
	       strcmp((const char *)l->event.data.scalar.value, "<<") == 0;
}

static int not_mergeable(struct loader *l)
{
	return fail(l, "map merge requires map or sequence of maps as the value");
}

/* A merge gives what the mapping does not say itself; of several the first that says it. */
static int merge_map(struct loader *l, struct json_object *into, struct json_object *from)
{
	if (!json_object_is_type(from, json_type_object))
		return not_mergeable(l);
	json_object_object_foreach(from, key, value) if (!json_object_object_get_ex(into, key, NULL))
	    json_set(into, key, json_object_get(value));
	return 0;
}

static int merge(struct loader *l, struct json_object *into, struct json_object *from)
{
	if (!json_object_is_type(from, json_type_array))
		return merge_map(l, into, from);
	for (size_t i = 0; i < json_len(from); i++)
		if (merge_map(l, into, json_at(from, i)) < 0)
			return -1;
	return 0;
}

static int merge_all(struct loader *l, struct json_object *into, struct json_object *merges)
{
	for (size_t i = 0; i < json_len(merges); i++)
		if (merge(l, into, json_at(merges, i)) < 0)
			return -1;
	return 0;
}

static int load_member(struct loader *l, struct json_object *object)
{
	CLEANUP(buf_close) struct buf key = BUF_INIT;
	CLEANUP(json_putp) struct json_object *value = NULL;
	size_t before = l->path.len;

	if (load_key(l, &key) < 0)
		return -1;
	buf_printf(&l->path, "%s%s", before ? "." : "", key.data ? key.data : "");
	if (json_object_object_get_ex(object, key.data ? key.data : "", NULL)) {
		l->doc->duplicates++;
		if (!l->doc->first_duplicate)
			l->doc->first_duplicate = mem_dup(l->path.data);
	}
	if (next_event(l) < 0 || load_node(l, &value) < 0)
		return -1;
	json_set(object, key.data ? key.data : "", TAKE(value));
	cut_path(l, before);
	return 0;
}

static int load_mapping(struct loader *l, struct json_object *object)
{
	/* Applied at the end: a key of the mapping wins wherever it stands. */
	CLEANUP(json_putp) struct json_object *merges = json_object_new_array();

	for (;;) {
		struct json_object *merged = NULL;

		if (next_event(l) < 0)
			return -1;
		if (l->event.type == YAML_MAPPING_END_EVENT)
			return merge_all(l, object, merges);
		if (!is_merge_key(l)) {
			if (load_member(l, object) < 0)
				return -1;
			continue;
		}
		if (next_event(l) < 0 || load_node(l, &merged) < 0)
			return -1;
		json_object_array_add(merges, merged);
	}
}

static int load_collection(struct loader *l, bool mapping, struct json_object **ret)
{
	CLEANUP(json_putp)
	struct json_object *value = mapping ? json_object_new_object() : json_object_new_array();
	int r;

	if (l->depth == JSON_MAX_DEPTH)
		return fail(l, "exceeded max depth");
	l->depth++;
	r = mapping ? load_mapping(l, value) : load_sequence(l, value);
	l->depth--;
	if (r == 0)
		*ret = TAKE(value);
	return r;
}

/* The node that begins with the current event; leaves its last event the current one. */
static int load_node(struct loader *l, struct json_object **ret)
{
	CLEANUP(mem_freep) char *anchor = NULL;
	int r;

	switch (l->event.type) {
	case YAML_ALIAS_EVENT:
		return load_alias(l, ret);
	case YAML_SCALAR_EVENT:
		if (account(l, 1, l->event.data.scalar.length) < 0)
			return -1;
		anchor = mem_dup((const char *)l->event.data.scalar.anchor);
		r = load_scalar(l, ret);
		break;
	case YAML_SEQUENCE_START_EVENT:
		if (account(l, 1, 0) < 0)
			return -1;
		anchor = mem_dup((const char *)l->event.data.sequence_start.anchor);
		r = load_collection(l, false, ret);
		break;
	case YAML_MAPPING_START_EVENT:
		if (account(l, 1, 0) < 0)
			return -1;
		anchor = mem_dup((const char *)l->event.data.mapping_start.anchor);
		r = load_collection(l, true, ret);
		break;
	default:
		return fail(l, "unexpected structure");
	}
	/* Known only from its end on: no value can contain itself. */
	if (r == 0 && anchor)
		set_anchor(l, anchor, *ret);
	return r;
}

/* --- documents --- */

struct docs {
	struct yaml_doc *docs;
	size_t n;
};

static void docs_close(struct docs *d)
{
	yaml_docs_free(d->docs, d->n);
}

static struct yaml_doc *add_doc(struct docs *d)
{
	d->docs = mem_realloc_array(d->docs, d->n + 1, sizeof(*d->docs));
	d->docs[d->n] = (struct yaml_doc){ .line = 1 };
	return &d->docs[d->n++];
}

static int load_document(struct loader *l, struct docs *docs)
{
	int r;

	l->doc = add_doc(docs);
	if (next_event(l) < 0)
		return -1;
	l->doc->line = l->event.start_mark.line + 1;
	r = load_node(l, &l->doc->value);
	drop_anchors(l);
	return r < 0 ? -1 : next_event(l); /* its end */
}

static int load_stream(struct loader *l, struct docs *docs)
{
	for (;;) {
		if (next_event(l) < 0)
			return -1;
		if (l->event.type == YAML_STREAM_END_EVENT)
			return 0;
		if (l->event.type == YAML_DOCUMENT_START_EVENT && load_document(l, docs) < 0)
			return -1;
	}
}

static void keep_first(const char *path, void *arg)
{
	struct yaml_doc *doc = arg;

	if (!doc->first_duplicate)
		doc->first_duplicate = mem_dup(path);
}

/* JSON is nearly YAML, but not quite: surrogate pairs, keys over 1024 bytes. False: not one JSON object. */
static bool load_json(const char *text, size_t len, struct docs *docs)
{
	size_t start = 0, duplicates = 0, line = 1;
	struct json_object *value = NULL;
	struct yaml_doc *doc;

	for (; start < len && strchr(" \t\r\n", text[start]); start++)
		line += text[start] == '\n';
	if (start == len || text[start] != '{' || json_parse(text, len, &value, &duplicates, NULL) < 0)
		return false;
	doc = add_doc(docs);
	doc->value = value;
	doc->line = line;
	doc->duplicates = duplicates;
	if (duplicates > 0)
		json_find_duplicates(text, len, keep_first, doc);
	return true;
}

int yaml_parse(const char *name, const char *text, size_t len, struct yaml_doc **ret_docs, size_t *ret_n,
	       struct err *err)
{
	CLEANUP(docs_close) struct docs docs = { 0 };
	struct loader l = { .name = name, .err = err };
	int r = 0;

	if (!load_json(text, len, &docs)) {
		if (!yaml_parser_initialize(&l.parser))
			mem_checked(NULL);
		yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, len);
		r = load_stream(&l, &docs);
		drop_anchors(&l);
		yaml_event_delete(&l.event);
		yaml_parser_delete(&l.parser);
		buf_close(&l.path);
	}
	if (r < 0)
		return -1;
	*ret_docs = TAKE(docs.docs);
	*ret_n = docs.n;
	docs.n = 0;
	return 0;
}

void yaml_docs_free(struct yaml_doc *docs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_object_put(docs[i].value);
		free(docs[i].first_duplicate);
	}
	free(docs);
}
