/* Regular expressions. Those that are literals were compiled with their rule.
 * https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library
 */
#include <string.h>

#include "api/cel/cel_functions.h"
#include "lib/pattern.h"

struct regex {
	const struct pattern *pattern;
	struct pattern *own; /* to be freed, or NULL */
	struct cel_value error;
};

static void regex_close(struct regex *regex)
{
	pattern_free(regex->own);
}

/* Text times pattern, as in Kubernetes. */
static uint64_t price(size_t len, const struct pattern *pattern)
{
	return (uint64_t)len * (pattern_steps(pattern) / 5 + 1);
}

/* The expression of a call, whose price for the whole text is paid. False with the error. */
static bool regex_open(struct cel_eval *e, const struct cel_node *node, const struct cel_value *args,
		       struct regex *ret)
{
	struct err err = ERR_INIT;

	*ret = (struct regex){ .pattern = node->pattern };
	if (!ret->pattern) {
		const char *text = cel_copy(&e->arena, args[1].text, args[1].len);

		if (!cel_charge(e, 100 * ((uint64_t)args[1].len + 1))) {
			ret->error = cel_exhausted();
			return false;
		}
		if (strlen(text) != args[1].len)
			err_set(&err, ERR_INVALID, "a regular expression with a NUL character");
		else
			pattern_parse(text, &ret->own, &err);
		if (!ret->own) {
			ret->error = cel_errorf(e, "%s", err.msg);
			return false;
		}
		ret->pattern = ret->own;
	}
	if (!cel_charge(e, price(args[0].len + 10U, ret->pattern))) {
		ret->error = cel_exhausted();
		return false;
	}
	return true;
}

CEL_FUNCTION(cel_matches)
{
	CLEANUP(regex_close) struct regex regex;

	(void)n;
	if (!regex_open(e, node, args, &regex))
		return regex.error;
	return cel_bool(pattern_matches(regex.pattern, args[0].text, args[0].len));
}

CEL_FUNCTION(cel_find)
{
	CLEANUP(regex_close) struct regex regex;
	size_t begin, end;

	(void)n;
	if (!regex_open(e, node, args, &regex))
		return regex.error;
	if (!pattern_find(regex.pattern, args[0].text, args[0].len, 0, &begin, &end))
		return cel_text("", 0);
	return cel_text(args[0].text + begin, end - begin);
}

/* The next match at or behind *FROM, which moves on; an empty one right behind another does not count. */
static bool next_match(const struct regex *regex, const struct cel_value *text, size_t *from, size_t *last,
		       size_t *ret_begin, size_t *ret_end)
{
	while (*from <= text->len &&
	       pattern_find(regex->pattern, text->text, text->len, *from, ret_begin, ret_end)) {
		bool empty = *ret_begin == *ret_end, counts = !empty || *ret_begin != *last;

		*from = *ret_end;
		if (empty)
			do
				++*from;
			while (*from < text->len && (text->text[*from] & 0xC0) == 0x80);
		*last = *ret_end;
		if (counts)
			return true;
	}
	return false;
}

CEL_FUNCTION(cel_find_all)
{
	CLEANUP(regex_close) struct regex regex;
	CLEANUP(buf_close) struct buf found = BUF_INIT;
	int64_t left = n == 3 ? args[2].i : -1;
	size_t from = 0, last = SIZE_MAX, begin, end;
	struct cel_value *items, list;

	if (!regex_open(e, node, args, &regex))
		return regex.error;
	while (left != 0 && next_match(&regex, &args[0], &from, &last, &begin, &end)) {
		struct cel_value match = cel_text(args[0].text + begin, end - begin);

		buf_add(&found, &match, sizeof(match));
		left -= left > 0;
		if (!cel_charge(e, CEL_STEP + price(args[0].len - begin, regex.pattern) / 8))
			return cel_exhausted();
	}
	list = cel_new_list(e, found.len / sizeof(*items), &items);
	if (list.kind != CEL_ERROR && found.len)
		memcpy(items, found.data, found.len);
	return list;
}
