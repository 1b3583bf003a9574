#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/pattern_class.h"

#define STEPS_MAX 20000
/* Parts of the tree that are looked at to make them, those that make none included: ((){1000}){1000}. */
#define VISITS_MAX (4 * STEPS_MAX)
/* Of one match: about half a second. */
#define WORK_MAX 100000000

enum step_kind { STEP_CLASS, STEP_ASSERT, STEP_SPLIT, STEP_JUMP, STEP_MATCH };

struct step {
	enum step_kind kind;
	enum assertion assertion;
	unsigned next, other;         /* SPLIT goes to both, rather to the first */
	const struct char_class *set; /* of the tree */
};

struct pattern {
	struct node *tree;
	struct step *steps;
	unsigned n, cap, visits;
	bool too_large;
};

/* --- compiling --- */

static unsigned emit(struct pattern *p, struct step step)
{
	if (p->n >= STEPS_MAX) {
		p->too_large = true;
		return 0;
	}
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 16;
		p->steps = mem_realloc_array(p->steps, p->cap, sizeof(*p->steps));
	}
	p->steps[p->n] = step;
	return p->n++;
}

static void compile(struct pattern *p, const struct node *node);

/* The split at STEP leads INTO what is repeated, or PAST it. */
static void set_split(struct pattern *p, unsigned step, const struct node *repeat, unsigned into,
		      unsigned past)
{
	p->steps[step].next = repeat->lazy ? past : into;
	p->steps[step].other = repeat->lazy ? into : past;
}

/* x? and what stays of x{n,m} behind the first n, nested: (x(x)?)?. */
static void compile_optional(struct pattern *p, const struct node *node, unsigned times)
{
	unsigned *splits = mem_realloc_array(NULL, times + 1, sizeof(*splits)), made = 0;

	for (; made < times && !p->too_large; made++) {
		splits[made] = emit(p, (struct step){ .kind = STEP_SPLIT });
		compile(p, node->left);
	}
	for (unsigned i = 0; i < made && !p->too_large; i++)
		set_split(p, splits[i], node, splits[i] + 1, p->n);
	free(splits);
}

static void compile_repeat(struct pattern *p, const struct node *node)
{
	unsigned start = p->n;

	for (unsigned i = 0; i < node->min && !p->too_large; i++) {
		start = p->n;
		compile(p, node->left);
	}
	if (p->too_large)
		return;
	if (node->max != UINT_MAX) {
		compile_optional(p, node, node->max - node->min);
		return;
	}
	if (node->min) { /* back to the last one */
		unsigned last = emit(p, (struct step){ .kind = STEP_SPLIT });
		set_split(p, last, node, start, last + 1);
		return;
	}
	unsigned split = emit(p, (struct step){ .kind = STEP_SPLIT });
	compile(p, node->left);
	emit(p, (struct step){ .kind = STEP_JUMP, .next = split });
	if (!p->too_large)
		set_split(p, split, node, split + 1, p->n);
}

static void compile_alternative(struct pattern *p, const struct node *node)
{
	unsigned split = emit(p, (struct step){ .kind = STEP_SPLIT, .next = p->n + 1 }), jump;

	compile(p, node->left);
	jump = emit(p, (struct step){ .kind = STEP_JUMP });
	if (p->too_large)
		return;
	p->steps[split].other = p->n;
	compile(p, node->right);
	if (!p->too_large)
		p->steps[jump].next = p->n;
}

static void compile(struct pattern *p, const struct node *node)
{
	p->too_large |= ++p->visits > VISITS_MAX;
	for (; node->kind == NODE_CAT && !p->too_large; node = node->right)
		compile(p, node->left);
	if (p->too_large)
		return;
	switch (node->kind) {
	case NODE_CLASS:
		emit(p, (struct step){ .kind = STEP_CLASS, .set = &node->set, .next = p->n + 1 });
		break;
	case NODE_ASSERT:
		emit(p, (struct step){ .kind = STEP_ASSERT, .assertion = node->assertion, .next = p->n + 1 });
		break;
	case NODE_ALT:
		compile_alternative(p, node);
		break;
	case NODE_REPEAT:
		compile_repeat(p, node);
		break;
	case NODE_EMPTY:
	case NODE_CAT:
		break;
	}
}

int pattern_parse(const char *text, struct pattern **ret, struct err *err)
{
	struct node *tree = pattern_tree(text, err);
	struct pattern *p;

	if (!tree)
		return -1;
	p = mem_zalloc(sizeof(*p));
	p->tree = tree;
	compile(p, tree);
	emit(p, (struct step){ .kind = STEP_MATCH });
	if (p->too_large) {
		pattern_free(p);
		return err_set(err, ERR_PARSE, "error parsing regexp: expression too large: `%s`", text);
	}
	*ret = p;
	return 0;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	pattern_tree_free(pattern->tree);
	free(pattern->steps);
	free(pattern);
}

/* --- matching --- */

uint32_t pattern_next_char(const char **at, const char *end)
{
	const unsigned char *s = (const unsigned char *)*at;
	size_t left = (size_t)(end - *at), len;
	uint32_t c = s[0];

	len = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
	if (len == 1) {
		(*at)++;
		return c;
	}
	if (c < 0xC2 || c > 0xF4 || len > left)
		goto invalid;
	c &= 0x7FU >> len;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xC0) != 0x80)
			goto invalid;
		c = c << 6 | (s[i] & 0x3F);
	}
	*at += len;
	return c;
invalid:
	(*at)++;
	return 0xFFFD;
}

/* The steps that may come next: each once, marked by the position for which it was added. */
struct threads {
	unsigned *steps;
	unsigned n;
	const char **starts; /* where each began; of find only */
};

struct matcher {
	const struct pattern *pattern;
	size_t *marks; /* by step: one more than the position it was last added at */
	unsigned *stack, *room;
	const char *text, *end;
	size_t work;
};

static bool is_word(const char *text, const char *at, const char *end)
{
	return at >= text && at < end &&
	       ((*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
		*at == '_');
}

static bool holds(const struct matcher *m, enum assertion assertion, const char *at)
{
	switch (assertion) {
	case ASSERT_TEXT_BEGIN:
		return at == m->text;
	case ASSERT_TEXT_END:
		return at == m->end;
	case ASSERT_LINE_BEGIN:
		return at == m->text || at[-1] == '\n';
	case ASSERT_LINE_END:
		return at == m->end || *at == '\n';
	case ASSERT_WORD:
	case ASSERT_NOT_WORD:
		break;
	}
	bool boundary =
	    is_word(m->text, at > m->text ? at - 1 : m->end, m->end) != is_word(m->text, at, m->end);
	return boundary == (assertion == ASSERT_WORD);
}

/* Adds STEP and all that it leads to without a character. True: the match is there. */
static bool follow(struct matcher *m, struct threads *threads, unsigned step, const char *at)
{
	size_t mark = (size_t)(at - m->text) + 1;
	unsigned depth = 0;

	m->stack[depth++] = step;
	while (depth) {
		const struct step *s;

		step = m->stack[--depth];
		m->work++;
		if (m->marks[step] == mark)
			continue;
		m->marks[step] = mark;
		s = &m->pattern->steps[step];
		switch (s->kind) {
		case STEP_MATCH:
			return true;
		case STEP_CLASS:
			threads->steps[threads->n++] = step;
			break;
		case STEP_ASSERT:
			if (holds(m, s->assertion, at))
				m->stack[depth++] = s->next;
			break;
		case STEP_SPLIT:
			m->stack[depth++] = s->other;
			m->stack[depth++] = s->next;
			break;
		case STEP_JUMP:
			m->stack[depth++] = s->next;
			break;
		}
	}
	return false;
}

static bool run(struct matcher *m, struct threads *now, struct threads *then)
{
	const char *at = m->text;

	for (;;) {
		const char *next = at;
		uint32_t c;

		if (follow(m, now, 0, at))
			return true;
		m->work += now->n;
		if (at == m->end || m->work > WORK_MAX)
			return false;
		c = pattern_next_char(&next, m->end);
		then->n = 0;
		for (unsigned i = 0; i < now->n; i++) {
			const struct step *s = &m->pattern->steps[now->steps[i]];

			if (class_has(s->set, c) && follow(m, then, s->next, next))
				return true;
		}
		struct threads swap = *now;
		*now = *then;
		*then = swap;
		at = next;
	}
}

/* What both kinds of matching need; to be freed with matcher_close. */
static void matcher_init(struct matcher *m, const struct pattern *pattern, const char *text, size_t len,
			 struct threads *now, struct threads *then)
{
	size_t n = pattern->n;
	/* A step puts at most two others on the stack, and is taken off it once. */
	unsigned *room = mem_realloc_array(NULL, 4 * n + 2, sizeof(*room));

	*m = (struct matcher){ .pattern = pattern, .text = text, .end = text + len };
	*now = (struct threads){ .steps = room };
	*then = (struct threads){ .steps = room + n };
	m->room = room;
	m->stack = room + 2 * n;
	m->marks = mem_zalloc(n * sizeof(*m->marks));
}

static void matcher_close(struct matcher *m)
{
	free(m->marks);
	free(m->room);
}

bool pattern_matches(const struct pattern *pattern, const char *text, size_t len)
{
	CLEANUP(matcher_close) struct matcher m;
	struct threads now, then;

	matcher_init(&m, pattern, text, len, &now, &then);
	return run(&m, &now, &then);
}

/* --- finding --- */

/* As follow, of a way that began at START. */
static bool follow_from(struct matcher *m, struct threads *threads, unsigned step, const char *at,
			const char *start)
{
	unsigned before = threads->n;
	bool hit = follow(m, threads, step, at);

	for (unsigned i = before; i < threads->n; i++)
		threads->starts[i] = start;
	return hit;
}

/* Threads stand in the order in which a matcher that goes back would try them: what comes to a match ends
 * those behind it, and only those before it may still find a better one. */
static bool find(struct matcher *m, struct threads *now, struct threads *then, const char *at,
		 const char **ret_begin, const char **ret_end)
{
	bool found = false;

	for (;;) {
		const char *next = at;
		uint32_t c;

		if (!found && follow_from(m, now, 0, at, at)) {
			*ret_begin = *ret_end = at;
			found = true;
		}
		m->work += now->n;
		if (at == m->end || (found && !now->n))
			return found;
		if (m->work > WORK_MAX)
			return false;
		c = pattern_next_char(&next, m->end);
		then->n = 0;
		for (unsigned i = 0; i < now->n; i++) {
			const struct step *s = &m->pattern->steps[now->steps[i]];

			if (!class_has(s->set, c) || !follow_from(m, then, s->next, next, now->starts[i]))
				continue;
			*ret_begin = now->starts[i];
			*ret_end = next;
			found = true;
			break;
		}
		struct threads swap = *now;
		*now = *then;
		*then = swap;
		at = next;
	}
}

bool pattern_find(const struct pattern *pattern, const char *text, size_t len, size_t from, size_t *ret_begin,
		  size_t *ret_end)
{
	CLEANUP(matcher_close) struct matcher m;
	CLEANUP(mem_freep) const char **starts = NULL;
	struct threads now, then;
	const char *begin, *end;

	matcher_init(&m, pattern, text, len, &now, &then);
	starts = mem_realloc_array(NULL, 2 * (size_t)pattern->n, sizeof(*starts));
	now.starts = starts;
	then.starts = starts + pattern->n;
	if (!find(&m, &now, &then, text + from, &begin, &end))
		return false;
	*ret_begin = (size_t)(begin - text);
	*ret_end = (size_t)(end - text);
	return true;
}

size_t pattern_steps(const struct pattern *pattern)
{
	return pattern->n;
}
