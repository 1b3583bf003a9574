#include "api/field_set.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* --- memory --- */

enum { CHUNK_SIZE = 4096, ALIGNMENT = 8 };

struct field_chunk {
	struct field_chunk *next;
	char bytes[];
};

void field_arena_close(struct field_arena *arena)
{
	while (arena->chunks) {
		struct field_chunk *next = arena->chunks->next;
		free(arena->chunks);
		arena->chunks = next;
	}
	*arena = (struct field_arena){ 0 };
}

void *field_alloc(struct field_arena *arena, size_t size)
{
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (size > (size_t)(arena->end - arena->next)) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		struct field_chunk *chunk = mem_alloc(sizeof(*chunk) + room);
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->next = chunk->bytes;
		arena->end = chunk->bytes + room;
	}
	void *p = arena->next;
	arena->next += size;
	return p;
}

/* --- elements --- */

/* How many of the first N bytes are the same. */
static size_t same_bytes(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	for (; n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t x, y;
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		if (x != y)
			return i + (size_t)__builtin_ctzll(le64toh(x ^ y)) / 8;
	}
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* Where bytes differ that are neither of a number nor an end, no more needs to be known of the texts. */
static bool decides(char c)
{
	return !strchr("0123456789+-.eE,}\"", c);
}

/* JSON texts of keys and values: numbers by value, all else by bytes. Where two compact texts first differ
 * decides. */
static int compare_json(const struct field_element *a, const struct field_element *b)
{
	size_t common = a->len < b->len ? a->len : b->len, token = 0,
	       i = same_bytes(a->text, b->text, common);
	bool in_string = false;

	if (i == common)
		return (a->len > b->len) - (a->len < b->len);
	if (decides(a->text[i]) && decides(b->text[i]))
		return (unsigned char)a->text[i] < (unsigned char)b->text[i] ? -1 : 1;
	for (i = 0; i < common && a->text[i] == b->text[i]; i++) {
		char c = a->text[i];
		if (in_string && c == '\\' && i + 1 < common && a->text[i + 1] == b->text[i + 1])
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == ':' || c == '{' || c == ','))
			token = i + 1;
	}
	if (i == a->len || i == b->len)
		return (a->len > b->len) - (a->len < b->len);
	if (!in_string && strchr("-0123456789", a->text[token]) && strchr("-0123456789", b->text[token])) {
		double x = strtod(a->text + token, NULL), y = strtod(b->text + token, NULL);
		if (x < y || x > y)
			return x < y ? -1 : 1;
	}
	/* A string that ends comes before one that goes on. */
	if (in_string && (a->text[i] == '"') != (b->text[i] == '"'))
		return a->text[i] == '"' ? -1 : 1;
	return (unsigned char)a->text[i] < (unsigned char)b->text[i] ? -1 : 1;
}

int field_element_compare(const struct field_element *a, const struct field_element *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind != FIELD_ELEMENT_NAME)
		return compare_json(a, b);
	int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* {"a":1,"b":"x"} as a=1,b="x": the keys are ours and plain. */
static void print_keys(struct buf *b, const struct field_element *element)
{
	bool in_string = false, in_name = true;

	for (size_t i = 1; i + 1 < element->len; i++) {
		char c = element->text[i];
		if (in_string && c == '\\' && i + 2 < element->len) {
			buf_char(b, c);
			c = element->text[++i];
		} else if (c == '"') {
			in_string = !in_string;
			if (in_name)
				continue;
		} else if (!in_string && in_name && c == ':') {
			in_name = false;
			c = '=';
		} else if (!in_string && c == ',') {
			in_name = true;
		}
		buf_char(b, c);
	}
}

void field_element_print(struct buf *b, const struct field_element *element)
{
	if (element->kind == FIELD_ELEMENT_NAME) {
		buf_char(b, '.');
		buf_add(b, element->text, element->len);
		return;
	}
	buf_char(b, '[');
	if (element->kind == FIELD_ELEMENT_KEY) {
		print_keys(b, element);
	} else {
		if (element->kind == FIELD_ELEMENT_VALUE)
			buf_char(b, '=');
		buf_add(b, element->text, element->len);
	}
	buf_char(b, ']');
}

/* --- making sets --- */

void field_builder_close(struct field_builder *builder)
{
	free(builder->nodes);
	*builder = (struct field_builder){ 0 };
}

size_t field_builder_begin(const struct field_builder *builder)
{
	return builder->n;
}

void field_builder_add(struct field_builder *builder, const struct field_element *element, bool member,
		       const struct field_set *children)
{
	if (!member && !children)
		return;
	if (builder->n == builder->capacity) {
		builder->capacity = builder->capacity ? builder->capacity * 2 : 64;
		builder->nodes =
		    mem_realloc_array(builder->nodes, builder->capacity, sizeof(*builder->nodes));
	}
	builder->nodes[builder->n++] = (struct field_node){ *element, member, children };
}

static int compare_nodes(const void *a, const void *b)
{
	const struct field_node *x = a, *y = b;
	return field_element_compare(&x->element, &y->element);
}

/* Most come sorted, and few out of order: insertion, with a bound on what it may cost. */
static void sort_nodes(struct field_node *nodes, size_t n)
{
	size_t budget = 64 + 4 * n;

	for (size_t i = 1; i < n; i++) {
		if (field_element_compare(&nodes[i - 1].element, &nodes[i].element) <= 0)
			continue;
		struct field_node node = nodes[i];
		size_t at = i;
		for (; at && field_element_compare(&nodes[at - 1].element, &node.element) > 0; at--)
			nodes[at] = nodes[at - 1];
		nodes[at] = node;
		if (i - at > budget) {
			qsort(nodes, n, sizeof(*nodes), compare_nodes);
			return;
		}
		budget -= i - at;
	}
}

const struct field_set *field_builder_end(struct field_builder *builder, size_t mark)
{
	size_t n = builder->n - mark, kept = 0;

	builder->n = mark;
	if (!n)
		return NULL;
	struct field_node *nodes = builder->nodes + mark;
	sort_nodes(nodes, n);
	for (size_t i = 0; i < n; i++) {
		bool again =
		    i + 1 < n && field_element_compare(&nodes[i].element, &nodes[i + 1].element) == 0;
		if (!again)
			nodes[kept++] = nodes[i];
	}
	struct field_set *set = field_alloc(builder->arena, sizeof(*set) + kept * sizeof(*nodes));
	set->n = kept;
	memcpy(set->nodes, nodes, kept * sizeof(*nodes));
	return set;
}

/* --- algebra --- */

const struct field_node *field_set_find(const struct field_set *set, const struct field_element *element)
{
	size_t low = 0, high = set ? set->n : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = field_element_compare(element, &set->nodes[middle].element);
		if (order == 0)
			return &set->nodes[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct field_set *field_set_below(const struct field_set *set, const struct field_element *element)
{
	const struct field_node *node = field_set_find(set, element);
	return node ? node->children : NULL;
}

enum operation { UNION, INTERSECTION, DIFFERENCE, DIFFERENCE_DEEP };

static const struct field_set *combine(struct field_arena *arena, enum operation operation,
				       const struct field_set *a, const struct field_set *b);

/* The node of an element that both have. */
static struct field_node combine_nodes(struct field_arena *arena, enum operation operation,
				       const struct field_node *x, const struct field_node *y)
{
	struct field_node node = { .element = x->element };
	switch (operation) {
	case UNION:
		node.member = x->member || y->member;
		break;
	case INTERSECTION:
		node.member = x->member && y->member;
		break;
	case DIFFERENCE_DEEP:
		if (y->member)
			return node;
		node.member = x->member;
		break;
	case DIFFERENCE:
		node.member = x->member && !y->member;
		break;
	}
	node.children = combine(arena, operation, x->children, y->children);
	return node;
}

static const struct field_set *combine(struct field_arena *arena, enum operation operation,
				       const struct field_set *a, const struct field_set *b)
{
	if (!a || !b) {
		if (operation == INTERSECTION)
			return NULL;
		return a || operation != UNION ? a : b;
	}
	size_t most = a->n + (operation == UNION ? b->n : 0), i = 0, k = 0;
	struct field_set *set = field_alloc(arena, sizeof(*set) + most * sizeof(set->nodes[0]));
	bool same = true; /* as A */

	set->n = 0;
	while (i < a->n || k < b->n) {
		int order = i == a->n   ? 1
			    : k == b->n ? -1
					: field_element_compare(&a->nodes[i].element, &b->nodes[k].element);
		if (order < 0 && operation != INTERSECTION) {
			set->nodes[set->n++] = a->nodes[i];
		} else if (order > 0 && operation == UNION) {
			set->nodes[set->n++] = b->nodes[k];
			same = false;
		} else if (order == 0) {
			struct field_node node = combine_nodes(arena, operation, &a->nodes[i], &b->nodes[k]);
			if (node.member || node.children)
				set->nodes[set->n++] = node;
			same = same && node.member == a->nodes[i].member &&
			       node.children == a->nodes[i].children;
		}
		i += order <= 0;
		k += order >= 0;
	}
	if (same && set->n == a->n)
		return a;
	return set->n ? set : NULL;
}

const struct field_set *field_set_union(struct field_arena *arena, const struct field_set *a,
					const struct field_set *b)
{
	return combine(arena, UNION, a, b);
}

const struct field_set *field_set_intersection(struct field_arena *arena, const struct field_set *a,
					       const struct field_set *b)
{
	return combine(arena, INTERSECTION, a, b);
}

const struct field_set *field_set_difference(struct field_arena *arena, const struct field_set *a,
					     const struct field_set *b)
{
	return combine(arena, DIFFERENCE, a, b);
}

const struct field_set *field_set_difference_deep(struct field_arena *arena, const struct field_set *a,
						  const struct field_set *b)
{
	return combine(arena, DIFFERENCE_DEEP, a, b);
}

bool field_set_equal(const struct field_set *a, const struct field_set *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct field_node *x = &a->nodes[i], *y = &b->nodes[i];
		if (x->member != y->member || field_element_compare(&x->element, &y->element) != 0 ||
		    !field_set_equal(x->children, y->children))
			return false;
	}
	return true;
}

static void each(const struct field_set *set, struct buf *path, void (*call)(const char *path, void *arg),
		 void *arg)
{
	size_t mark = path->len;

	for (int below = 0; below < 2; below++) {
		for (size_t i = 0; set && i < set->n; i++) {
			const struct field_node *node = &set->nodes[i];
			field_element_print(path, &node->element);
			if (below)
				each(node->children, path, call, arg);
			else if (node->member)
				call(path->data, arg);
			path->len = mark;
			path->data[mark] = '\0';
		}
	}
}

void field_set_each(const struct field_set *set, void (*call)(const char *path, void *arg), void *arg)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;
	each(set, &path, call, arg);
}
