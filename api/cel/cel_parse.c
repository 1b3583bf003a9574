#include "api/cel/cel_parse.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/cel/cel_lex.h"
#include "api/cel/cel_name.h"
#include "lib/mem.h"

#define PRIMARIES                                                                                            \
	"{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, "     \
	"BYTES, IDENTIFIER}"

struct parser {
	struct cel_source *source;
	struct cel_arena *arena;
	struct cel_token token; /* the one that is looked at */
	unsigned depth, nodes;
};

static struct cel_node *expression(struct parser *p);

/* --- tokens --- */

static void advance(struct parser *p)
{
	p->token = cel_lex(p->source, p->token.at + p->token.len, p->arena);
}

static const char *token_text(const struct parser *p, int *ret_len)
{
	*ret_len = p->token.kind == CEL_T_EOF ? 5 : (int)p->token.len;
	return p->token.kind == CEL_T_EOF ? "<EOF>" : p->source->text + p->token.at;
}

/* Of several faults of grammar only the first says something. */
static struct cel_node *unexpected(struct parser *p, const char *expecting)
{
	int len;
	const char *text = token_text(p, &len);

	if (p->token.kind != CEL_T_BAD && p->source->n == 0)
		cel_fault(p->source, p->token.at, "Syntax error: mismatched input '%.*s' expecting %s", len,
			  text, expecting);
	return NULL;
}

static bool take(struct parser *p, int kind)
{
	if (p->token.kind != kind)
		return false;
	advance(p);
	return true;
}

static bool expect(struct parser *p, char c)
{
	char expecting[] = { '\'', c, '\'', '\0' };

	if (take(p, c))
		return true;
	if (p->token.kind == CEL_T_EOF && p->source->n == 0)
		cel_fault(p->source, p->token.at, "Syntax error: missing '%c' at '<EOF>'", c);
	else
		unexpected(p, expecting);
	return false;
}

/* --- nodes --- */

static struct cel_node *too_deep(struct parser *p)
{
	if (p->source->n == 0)
		cel_fault(p->source, p->token.at, "expression recursion limit exceeded: %d", CEL_DEPTH_MAX);
	return NULL;
}

/* ARGS are the node's: N of them, in the arena. */
static struct cel_node *new_node(struct parser *p, enum cel_node_kind kind, uint32_t at,
				 struct cel_node **args, size_t n)
{
	struct cel_node *node = cel_alloc(p->arena, sizeof(*node));
	unsigned depth = 0;

	for (size_t i = 0; i < n; i++)
		depth = args[i]->depth > depth ? args[i]->depth : depth;
	node->kind = (uint8_t)kind;
	node->at = at;
	node->args = args;
	node->n = (uint32_t)n;
	node->depth = (uint16_t)(depth + 1);
	if (node->depth > CEL_DEPTH_MAX)
		return too_deep(p);
	if (++p->nodes > CEL_NODES_MAX) {
		if (p->source->n == 0)
			cel_fault(p->source, at, "expression has more than %d parts", CEL_NODES_MAX);
		return NULL;
	}
	return node;
}

static struct cel_node *call(struct parser *p, const char *name, uint32_t at, struct cel_node *a,
			     struct cel_node *b)
{
	struct cel_node **args, *node;

	if (!a)
		return NULL;
	args = cel_alloc(p->arena, 2 * sizeof(*args));
	args[0] = a;
	args[1] = b;
	node = new_node(p, CEL_CALL, at, args, b ? 2 : 1);
	if (node)
		node->name = name;
	return node;
}

struct nodes {
	struct cel_node **items;
	bool *optionals;
	size_t n, cap;
	bool any_optional;
};

static void add(struct nodes *nodes, struct cel_node *node, bool optional)
{
	if (nodes->n == nodes->cap) {
		nodes->cap = nodes->cap ? nodes->cap * 2 : 8;
		nodes->items = mem_realloc_array(nodes->items, nodes->cap, sizeof(struct cel_node *));
		nodes->optionals = mem_realloc_array(nodes->optionals, nodes->cap, sizeof(bool));
	}
	nodes->optionals[nodes->n] = optional;
	nodes->any_optional |= optional;
	nodes->items[nodes->n++] = node;
}

static void nodes_close(struct nodes *nodes)
{
	free(nodes->items);
	free(nodes->optionals);
}

/* Into the arena. */
static struct cel_node **settle(struct parser *p, const struct nodes *nodes)
{
	struct cel_node **args = cel_alloc(p->arena, (nodes->n + 1) * sizeof(*args));

	if (nodes->n)
		memcpy(args, nodes->items, nodes->n * sizeof(*args));
	return args;
}

/* --- lists of expressions --- */

/* Up to CLOSE: items, or with PAIRS key: value. A comma may stand at the end where that is ENDED. */
static bool collect(struct parser *p, char close, bool pairs, bool ended, struct nodes *ret)
{
	while (p->token.kind != close) {
		bool optional = ended && take(p, '?');
		struct cel_node *node = expression(p);

		if (!node)
			return false;
		add(ret, node, optional);
		if (pairs) {
			if (!expect(p, ':') || !(node = expression(p)))
				return false;
			add(ret, node, optional);
		}
		if (p->token.kind != ',')
			break;
		advance(p);
		if (p->token.kind == close && !ended) {
			unexpected(p, PRIMARIES);
			return false;
		}
	}
	return expect(p, close);
}

static struct cel_node *aggregate(struct parser *p, enum cel_node_kind kind, char close)
{
	uint32_t at = p->token.at;
	CLEANUP(nodes_close) struct nodes nodes = { 0 };
	struct cel_node *node;
	bool *optionals;

	advance(p);
	if (!collect(p, close, kind == CEL_MAP_OF, true, &nodes))
		return NULL;
	node = new_node(p, kind, at, settle(p, &nodes), nodes.n);
	if (!node || !nodes.any_optional)
		return node;
	optionals = cel_alloc(p->arena, nodes.n);
	memcpy(optionals, nodes.optionals, nodes.n);
	node->optionals = optionals;
	return node;
}

/* The call NAME(...), of TARGET when that is not NULL. The token is the parenthesis. */
static struct cel_node *arguments(struct parser *p, const char *name, struct cel_node *target)
{
	uint32_t at = p->token.at;
	CLEANUP(nodes_close) struct nodes nodes = { 0 };
	struct cel_node *node;

	advance(p);
	if (target)
		add(&nodes, target, false);
	if (!collect(p, ')', false, false, &nodes))
		return NULL;
	node = new_node(p, CEL_CALL, at, settle(p, &nodes), nodes.n);
	if (!node)
		return NULL;
	node->name = name;
	node->member = target != NULL;
	return cel_macro(p->source, p->arena, node) ? node : NULL;
}

/* --- primaries --- */

static const char *token_name(struct parser *p)
{
	return cel_copy(p->arena, p->source->text + p->token.at, p->token.len);
}

static struct cel_node *identifier(struct parser *p)
{
	uint32_t at = p->token.at;
	const char *name = token_name(p);
	struct cel_node *node;

	advance(p);
	if (p->token.kind == '(')
		return arguments(p, name, NULL);
	if (cel_name_is_reserved(name)) {
		cel_fault(p->source, at, "reserved identifier: %s", name);
		return NULL;
	}
	node = new_node(p, CEL_IDENT, at, NULL, 0);
	if (node)
		node->name = name;
	return node;
}

/* MINUS: one stands before it, at AT, and belongs to it. */
static struct cel_node *literal(struct parser *p, uint32_t at, bool minus)
{
	struct cel_token t = p->token;
	struct cel_node *node = new_node(p, CEL_LITERAL, at, NULL, 0);

	if (!node)
		return NULL;
	if (minus && t.value.kind == CEL_INT && t.value.i == INT64_MIN)
		t.out_of_range = NULL;
	if (t.out_of_range && p->source->n == 0)
		cel_fault(p->source, at, "%s", t.out_of_range);
	if (t.out_of_range)
		return NULL;
	if (minus && t.value.kind == CEL_INT)
		t.value.i = t.value.i == INT64_MIN ? INT64_MIN : -t.value.i;
	else if (minus)
		t.value.d = -t.value.d;
	node->value = t.value;
	advance(p);
	return node;
}

static struct cel_node *primary(struct parser *p)
{
	struct cel_node *node;

	switch (p->token.kind) {
	case CEL_T_LITERAL:
		return literal(p, p->token.at, false);
	case '.':
		advance(p);
		if (p->token.kind != CEL_T_IDENT)
			return unexpected(p, "IDENTIFIER");
		return identifier(p);
	case CEL_T_IDENT:
		return identifier(p);
	case '(':
		advance(p);
		node = expression(p);
		return node && expect(p, ')') ? node : NULL;
	case '[':
		return aggregate(p, CEL_LIST_OF, ']');
	case '{':
		return aggregate(p, CEL_MAP_OF, '}');
	default:
		return unexpected(p, PRIMARIES);
	}
}

/* --- members --- */

static struct cel_node *select_from(struct parser *p, struct cel_node *operand)
{
	uint32_t at = p->token.at;
	struct cel_node **args, *node;
	const char *name;
	bool optional;

	advance(p);
	optional = take(p, '?');
	if (p->token.kind != CEL_T_IDENT)
		return unexpected(p, "IDENTIFIER");
	name = token_name(p);
	advance(p);
	if (p->token.kind == '(' && !optional)
		return arguments(p, name, operand);
	args = cel_alloc(p->arena, sizeof(*args));
	args[0] = operand;
	node = new_node(p, CEL_SELECT, at, args, 1);
	if (!node)
		return NULL;
	node->name = name;
	node->other = cel_name_unescape(p->arena, name);
	node->optional = optional;
	return node;
}

static struct cel_node *index_of(struct parser *p, struct cel_node *operand)
{
	uint32_t at = p->token.at;
	struct cel_node *index;
	bool optional;

	advance(p);
	optional = take(p, '?');
	index = expression(p);
	if (!index || !expect(p, ']'))
		return NULL;
	return call(p, optional ? "_[?_]" : "_[_]", at, operand, index);
}

static struct cel_node *member(struct parser *p, struct cel_node *node)
{
	while (node && (p->token.kind == '.' || p->token.kind == '['))
		node = p->token.kind == '.' ? select_from(p, node) : index_of(p, node);
	if (node && p->token.kind == '{') {
		cel_fault(p->source, node->at, "undeclared reference to '%s' (in container '')",
			  node->kind == CEL_IDENT || node->kind == CEL_SELECT ? node->name : "");
		return NULL;
	}
	return node;
}

/* --- operators --- */

/* An even number of them cancels out. */
static struct cel_node *unary(struct parser *p)
{
	int op = p->token.kind;
	uint32_t at = p->token.at;
	unsigned n = 0;

	if (op != '-' && op != '!')
		return member(p, primary(p));
	while (p->token.kind == op) {
		uint32_t last = p->token.at;

		advance(p);
		n++;
		if (op == '-' && p->token.kind == CEL_T_LITERAL &&
		    (p->token.value.kind == CEL_INT || p->token.value.kind == CEL_DOUBLE)) {
			struct cel_node *node = member(p, literal(p, last, true));

			return n % 2 ? node : call(p, "-_", at, node, NULL);
		}
	}
	struct cel_node *operand = member(p, primary(p));
	return n % 2 ? call(p, op == '-' ? "-_" : "!_", at, operand, NULL) : operand;
}

static const struct {
	int token, level;
	const char *name;
} operators[] = {
	{ '*', 3, "_*_" },      { '/', 3, "_/_" },       { '%', 3, "_%_" },       { '+', 2, "_+_" },
	{ '-', 2, "_-_" },      { CEL_T_LT, 1, "_<_" },  { CEL_T_LE, 1, "_<=_" }, { CEL_T_GE, 1, "_>=_" },
	{ CEL_T_GT, 1, "_>_" }, { CEL_T_EQ, 1, "_==_" }, { CEL_T_NE, 1, "_!=_" }, { CEL_T_IN, 1, "@in" },
};

/* All operators of LEVEL and tighter ones, from the left. */
static struct cel_node *binary(struct parser *p, int level)
{
	struct cel_node *left = level > 3 ? unary(p) : binary(p, level + 1);

	while (left && level <= 3) {
		uint32_t at = p->token.at;
		size_t i = 0;
		struct cel_node *right;

		while (i < ARRAY_SIZE(operators) &&
		       (operators[i].token != p->token.kind || operators[i].level != level))
			i++;
		if (i == ARRAY_SIZE(operators))
			break;
		advance(p);
		right = binary(p, level + 1);
		left = right ? call(p, operators[i].name, at, left, right) : NULL;
	}
	return left;
}

/* a && b && c is one node, so that long ones are not deep. */
static struct cel_node *junction(struct parser *p, bool is_or)
{
	struct cel_node *first = is_or ? junction(p, false) : binary(p, 1);
	int op = is_or ? CEL_T_OR : CEL_T_AND;
	CLEANUP(nodes_close) struct nodes nodes = { 0 };
	uint32_t at = p->token.at;

	if (!first || p->token.kind != op)
		return first;
	add(&nodes, first, false);
	while (take(p, op)) {
		struct cel_node *next = is_or ? junction(p, false) : binary(p, 1);

		if (!next)
			return NULL;
		add(&nodes, next, false);
	}
	return new_node(p, is_or ? CEL_OR : CEL_AND, at, settle(p, &nodes), nodes.n);
}

static struct cel_node *conditional(struct parser *p)
{
	struct cel_node *condition = junction(p, true), **args;
	uint32_t at = p->token.at;

	if (!condition || !take(p, '?'))
		return condition;
	args = cel_alloc(p->arena, 3 * sizeof(*args));
	args[0] = condition;
	args[1] = junction(p, true);
	if (!args[1] || !expect(p, ':'))
		return NULL;
	args[2] = expression(p);
	return args[2] ? new_node(p, CEL_IF, at, args, 3) : NULL;
}

static struct cel_node *expression(struct parser *p)
{
	struct cel_node *node;

	if (++p->depth > CEL_DEPTH_MAX)
		return too_deep(p);
	node = conditional(p);
	p->depth--;
	return node;
}

struct cel_node *cel_parse(struct cel_source *source, struct cel_arena *arena)
{
	struct parser p = { .source = source, .arena = arena };
	struct cel_node *node;
	size_t characters = 0;

	for (size_t i = 0; i < source->len; i++)
		characters += (source->text[i] & 0xC0) != 0x80;
	if (characters > CEL_TEXT_MAX || source->len > UINT_MAX / 2) {
		cel_fault(source, 0, "expression code point size exceeds limit: size: %zu, limit %d",
			  characters, CEL_TEXT_MAX);
		return NULL;
	}
	advance(&p);
	node = expression(&p);
	if (!node || source->n)
		return NULL;
	if (p.token.kind != CEL_T_EOF) {
		struct cel_token t = p.token;

		advance(&p);
		if (p.token.kind == CEL_T_EOF && source->n == 0)
			cel_fault(source, t.at, "Syntax error: extraneous input '%.*s' expecting <EOF>",
				  (int)t.len, source->text + t.at);
		p.token = t;
		return unexpected(&p, "<EOF>");
	}
	return node;
}
