#include "lib/jsonpath.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/jsonpath_tree.h"

enum { TEMPLATE_MAX_BYTES = 1024 * 1024, MAX_NESTED = 32 };

struct parser {
	const char *p;
	unsigned depth; /* ranges and filters within each other */
	struct err *err;
};

static int parse_steps(struct parser *in, struct jsonpath_steps *steps);

/* --- ownership --- */

static void steps_close(struct jsonpath_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		struct jsonpath_step *step = &steps->items[i];
		free(step->name);
		json_object_put(step->literal);
		steps_close(&step->members);
		steps_close(&step->left);
		steps_close(&step->right);
	}
	free(steps->items);
	*steps = (struct jsonpath_steps){ 0 };
}

static void parts_close(struct jsonpath_parts *parts)
{
	for (size_t i = 0; i < parts->n; i++) {
		struct jsonpath_part *part = &parts->items[i];
		free(part->text);
		steps_close(&part->steps);
		if (part->body)
			parts_close(part->body);
		free(part->body);
	}
	free(parts->items);
	*parts = (struct jsonpath_parts){ 0 };
}

void jsonpath_free(struct jsonpath *path)
{
	if (!path)
		return;
	parts_close(&path->parts);
	free(path);
}

/* The new step is zeroed; the pointer is good until the next one. */
static struct jsonpath_step *add_step(struct jsonpath_steps *steps, enum jsonpath_step_type type)
{
	steps->items = mem_realloc_array(steps->items, steps->n + 1, sizeof(*steps->items));
	steps->items[steps->n] = (struct jsonpath_step){ .type = type };
	return &steps->items[steps->n++];
}

static struct jsonpath_part *add_part(struct jsonpath_parts *parts, enum jsonpath_part_type type)
{
	parts->items = mem_realloc_array(parts->items, parts->n + 1, sizeof(*parts->items));
	parts->items[parts->n] = (struct jsonpath_part){ .type = type };
	return &parts->items[parts->n++];
}

/* --- words --- */

static void skip_space(struct parser *in)
{
	while (isspace((unsigned char)*in->p))
		in->p++;
}

/* What a name in dot form ends at. */
static bool ends_name(char c)
{
	return c == '\0' || isspace((unsigned char)c) || strchr(".,[]$@{}()=!<>", c);
}

/* name of ".name"; a backslash takes the next character as it is. */
static char *parse_name(struct parser *in)
{
	struct buf b = BUF_INIT;

	while (!ends_name(*in->p)) {
		if (*in->p == '\\' && in->p[1])
			in->p++;
		buf_char(&b, *in->p++);
	}
	return buf_take(&b);
}

/* 'text' or "text", with the escapes of Go's strings that people use. NULL with an error set. */
static char *parse_quoted(struct parser *in)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	char quote = *in->p++;

	for (; *in->p && *in->p != quote; in->p++) {
		char c = *in->p;
		if (c == '\\' && in->p[1]) {
			c = *++in->p;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
		}
		buf_char(&b, c);
	}
	if (!*in->p) {
		err_set(in->err, ERR_PARSE, "unterminated quoted string");
		return NULL;
	}
	in->p++;
	return buf_take(&b);
}

static bool parse_integer(struct parser *in, int64_t *ret)
{
	char *end;

	errno = 0;
	long long value = strtoll(in->p, &end, 10);
	if (end == in->p || errno || isspace((unsigned char)*in->p))
		return false;
	in->p = end;
	*ret = value;
	return true;
}

/* --- [...] --- */

static int parse_slice(struct parser *in, struct jsonpath_steps *steps)
{
	struct jsonpath_step slice = { .type = STEP_SLICE, .stride = 1, .single = true };
	const char *start = in->p;

	slice.has_start = parse_integer(in, &slice.start);
	if (*in->p == ':') {
		in->p++;
		slice.single = false;
		slice.has_end = parse_integer(in, &slice.end);
		if (*in->p == ':') {
			in->p++;
			if (!parse_integer(in, &slice.stride) || slice.stride <= 0)
				return err_set(in->err, ERR_PARSE, "step must be > 0");
		}
	} else if (!slice.has_start) {
		return err_set(in->err, ERR_PARSE, "invalid array index %.*s", (int)strcspn(start, "]"),
			       start);
	}
	*add_step(steps, STEP_SLICE) = slice;
	return 0;
}

/* One member of [...]: 'name', *, index or slice. */
static int parse_member(struct parser *in, struct jsonpath_steps *steps)
{
	skip_space(in);
	if (*in->p == '\'' || *in->p == '"') {
		char *name = parse_quoted(in);
		if (!name)
			return -1;
		add_step(steps, STEP_FIELD)->name = name;
	} else if (*in->p == '*') {
		in->p++;
		add_step(steps, STEP_ALL);
	} else if (parse_slice(in, steps) < 0) {
		return -1;
	}
	skip_space(in);
	return 0;
}

static int parse_literal(struct parser *in, struct jsonpath_steps *steps)
{
	struct json_object *value = NULL;
	char *end;

	if (*in->p == '\'' || *in->p == '"') {
		CLEANUP(mem_freep) char *text = parse_quoted(in);
		if (!text)
			return -1;
		value = json_object_new_string(text);
	} else if (strncmp(in->p, "true", 4) == 0 || strncmp(in->p, "false", 5) == 0) {
		value = json_object_new_boolean(*in->p == 't');
		in->p += *in->p == 't' ? 4 : 5;
	} else {
		double number = strtod(in->p, &end);
		if (end == in->p)
			return err_set(in->err, ERR_PARSE, "unrecognized value in filter: %.20s", in->p);
		value = json_object_new_double(number);
		in->p = end;
	}
	add_step(steps, STEP_LITERAL)->literal = value;
	return 0;
}

static int parse_side(struct parser *in, struct jsonpath_steps *steps)
{
	skip_space(in);
	int failed = *in->p == '@' || *in->p == '$' || *in->p == '.' ? parse_steps(in, steps)
								     : parse_literal(in, steps);
	skip_space(in);
	return failed;
}

static int parse_compare(struct parser *in, enum jsonpath_compare *ret)
{
	static const struct {
		const char *text;
		enum jsonpath_compare compare;
	} all[] = { { "==", COMPARE_EQ }, { "!=", COMPARE_NE }, { "<=", COMPARE_LE },
		    { ">=", COMPARE_GE }, { "<", COMPARE_LT },  { ">", COMPARE_GT } };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strncmp(in->p, all[i].text, strlen(all[i].text)) == 0) {
			in->p += strlen(all[i].text);
			*ret = all[i].compare;
			return 0;
		}
	return err_set(in->err, ERR_PARSE, "unrecognized filter operator at %.20s", in->p);
}

/* "?(" has been seen. */
static int parse_filter(struct parser *in, struct jsonpath_steps *steps)
{
	size_t at = steps->n;

	if (++in->depth > MAX_NESTED)
		return err_set(in->err, ERR_PARSE, "filters lie too deep");
	add_step(steps, STEP_FILTER); /* pointers move when the sides are parsed elsewhere: refer by index */
	if (parse_side(in, &steps->items[at].left) < 0)
		return -1;
	if (*in->p != ')')
		if (parse_compare(in, &steps->items[at].compare) < 0 ||
		    parse_side(in, &steps->items[at].right) < 0)
			return -1;
	if (*in->p != ')')
		return err_set(in->err, ERR_PARSE, "unterminated filter");
	in->p++;
	in->depth--;
	skip_space(in);
	return 0;
}

static int parse_brackets(struct parser *in, struct jsonpath_steps *steps)
{
	struct jsonpath_steps members = { 0 };
	int failed = 0;

	in->p++;
	skip_space(in);
	if (in->p[0] == '?' && in->p[1] == '(') {
		in->p += 2;
		failed = parse_filter(in, steps);
	} else {
		do
			failed = parse_member(in, &members);
		while (!failed && *in->p == ',' && in->p++);
	}
	if (!failed && *in->p != ']')
		failed = err_set(in->err, ERR_PARSE, "unterminated array");
	if (failed) {
		steps_close(&members);
		return -1;
	}
	in->p++;
	if (members.n == 1) {
		*add_step(steps, STEP_ALL) = members.items[0];
		free(members.items);
	} else if (members.n > 1) {
		add_step(steps, STEP_UNION)->members = members;
	}
	return 0;
}

/* --- paths and templates --- */

static int parse_dot(struct parser *in, struct jsonpath_steps *steps)
{
	in->p++;
	if (*in->p == '.') {
		in->p++;
		add_step(steps, STEP_RECURSIVE);
	}
	if (*in->p == '*') {
		in->p++;
		add_step(steps, STEP_ALL);
		return 0;
	}
	CLEANUP(mem_freep) char *name = parse_name(in);
	if (*name)
		add_step(steps, STEP_FIELD)->name = TAKE(name);
	else if (*in->p != '[')
		add_step(steps, STEP_CURRENT);
	return 0;
}

/* One path, up to the first character that cannot go on with it. */
static int parse_steps(struct parser *in, struct jsonpath_steps *steps)
{
	for (;;) {
		if (*in->p == '$') {
			in->p++;
			add_step(steps, STEP_ROOT);
		} else if (*in->p == '@') {
			in->p++;
			add_step(steps, STEP_CURRENT);
		} else if (*in->p == '.') {
			if (parse_dot(in, steps) < 0)
				return -1;
		} else if (*in->p == '[') {
			if (parse_brackets(in, steps) < 0)
				return -1;
		} else {
			return 0;
		}
	}
}

static bool take_word(struct parser *in, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(in->p, word, len) != 0 || !(isspace((unsigned char)in->p[len]) || in->p[len] == '}'))
		return false;
	in->p += len;
	return true;
}

static int parse_parts(struct parser *in, struct jsonpath_parts *parts, bool in_range);

/* A piece of what is between braces: path, "text", or range. *ret_end is set by "end". */
static int parse_piece(struct parser *in, struct jsonpath_parts *parts, bool in_range, bool *ret_end)
{
	if (take_word(in, "end")) {
		*ret_end = true;
		skip_space(in);
		if (!in_range)
			return err_set(in->err, ERR_PARSE, "not in range, nothing to end");
		return 0;
	}
	if (*in->p == '"' || *in->p == '\'') {
		char *text = parse_quoted(in);
		if (!text)
			return -1;
		add_part(parts, PART_TEXT)->text = text;
		return 0;
	}
	bool range = take_word(in, "range");
	if (range)
		skip_space(in);
	if (!strchr("$@.[", *in->p) || !*in->p)
		return err_set(in->err, ERR_PARSE, "unrecognized character in action: U+%04X '%c'",
			       (unsigned)(unsigned char)*in->p, *in->p);
	struct jsonpath_part *part = add_part(parts, range ? PART_RANGE : PART_EXPR);
	if (parse_steps(in, &part->steps) < 0)
		return -1;
	if (!range)
		return 0;
	skip_space(in);
	if (*in->p != '}')
		return err_set(in->err, ERR_PARSE, "unclosed action");
	in->p++; /* what follows is repeated; the brace of its {end} is left for our caller */
	if (++in->depth > MAX_NESTED)
		return err_set(in->err, ERR_PARSE, "ranges lie too deep");
	part->body = mem_zalloc(sizeof(*part->body));
	if (parse_parts(in, part->body, true) < 0)
		return -1;
	in->depth--;
	return 0;
}

/* Text and actions up to the end, or, in a range, up to and with its {end}; the closing brace of that stays.
 */
static int parse_parts(struct parser *in, struct jsonpath_parts *parts, bool in_range)
{
	while (*in->p) {
		size_t len = strcspn(in->p, "{");
		if (len) {
			add_part(parts, PART_TEXT)->text = mem_dupn(in->p, len);
			in->p += len;
			continue;
		}
		in->p++;
		skip_space(in);
		while (*in->p != '}') {
			bool end = false;
			if (!*in->p)
				return err_set(in->err, ERR_PARSE, "unclosed action");
			if (parse_piece(in, parts, in_range, &end) < 0)
				return -1;
			skip_space(in);
			if (!*in->p && !end && parts->n && parts->items[parts->n - 1].type == PART_RANGE)
				return 0; /* unfinished range at the end */
			if (end)
				return *in->p == '}' ? 0 : err_set(in->err, ERR_PARSE, "unclosed action");
		}
		in->p++;
	}
	return 0; /* a range without {end} goes on to the end of the text */
}

int jsonpath_parse(const char *template, struct jsonpath **ret, struct err *err)
{
	struct parser in = { .p = template, .err = err };
	struct jsonpath *path;

	if (strlen(template) > TEMPLATE_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "the jsonpath template is larger than %d bytes",
			       TEMPLATE_MAX_BYTES);
	path = mem_zalloc(sizeof(*path));
	if (parse_parts(&in, &path->parts, false) < 0) {
		jsonpath_free(path);
		struct err why = err ? *err : ERR_INIT;
		return err_set(err, ERR_PARSE, "error parsing jsonpath %.300s, %.600s", template, why.msg);
	}
	*ret = path;
	return 0;
}

int jsonpath_parse_relaxed(const char *expression, struct jsonpath **ret, struct err *err)
{
	const char *dot = *expression && strchr(".[$@", *expression) ? "" : ".";
	CLEANUP(mem_freep)
	char *template = *expression == '{' ? mem_dup(expression) : mem_printf("{%s%s}", dot, expression);
	struct jsonpath *path;

	if (jsonpath_parse(template, &path, err) < 0)
		return -1;
	if (path->parts.n != 1 || path->parts.items[0].type != PART_EXPR) {
		jsonpath_free(path);
		return err_set(err, ERR_PARSE,
			       "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
			       "'{name1.name2}' or '{.name1.name2}'");
	}
	*ret = path;
	return 0;
}
