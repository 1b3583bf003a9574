/* Strings: positions count characters, not bytes.
 * https://pkg.go.dev/github.com/google/cel-go/ext#Strings
 */
#include <string.h>

#include "api/cel/cel_functions.h"

static size_t char_len(const char *at, const char *end)
{
	size_t len = 1;

	while (at + len < end && (at[len] & 0xC0) == 0x80)
		len++;
	return len;
}

/* Where character I begins; NULL beyond the end. */
static const char *at_character(const struct cel_value *v, int64_t i)
{
	const char *at = v->text, *end = at + v->len;

	if (i < 0)
		return NULL;
	for (; i > 0 && at < end; i--)
		at += char_len(at, end);
	return i ? NULL : at;
}

static const char *find(const char *at, const char *end, const struct cel_value *part)
{
	return part->len ? memmem(at, (size_t)(end - at), part->text, part->len) : at;
}

static struct cel_value out_of_range(struct cel_eval *e, int64_t i)
{
	return cel_errorf(e, "index out of range: %lld", (long long)i);
}

/* Looking for one text in another. */
static bool charge_search(struct cel_eval *e, const struct cel_value *args)
{
	return cel_charge(e, (uint64_t)args[0].len + args[1].len);
}

CEL_FUNCTION(cel_contains)
{
	(void)node, (void)n;
	if (!charge_search(e, args))
		return cel_exhausted();
	return cel_bool(find(args[0].text, args[0].text + args[0].len, &args[1]) != NULL);
}

CEL_FUNCTION(cel_starts_with)
{
	(void)node, (void)n;
	cel_charge(e, args[1].len);
	return cel_bool(args[0].len >= args[1].len && !memcmp(args[0].text, args[1].text, args[1].len));
}

CEL_FUNCTION(cel_ends_with)
{
	(void)node, (void)n;
	cel_charge(e, args[1].len);
	return cel_bool(args[0].len >= args[1].len &&
			!memcmp(args[0].text + args[0].len - args[1].len, args[1].text, args[1].len));
}

CEL_FUNCTION(cel_char_at)
{
	const char *at, *end = args[0].text + args[0].len;

	(void)node, (void)n;
	cel_charge(e, args[0].len);
	at = at_character(&args[0], args[1].i);
	if (!at)
		return out_of_range(e, args[1].i);
	return at == end ? cel_text("", 0) : cel_text(at, char_len(at, end));
}

CEL_FUNCTION(cel_index_of)
{
	const char *from = n == 3 ? at_character(&args[0], args[2].i) : args[0].text, *found;

	(void)node;
	if (!charge_search(e, args))
		return cel_exhausted();
	if (!from)
		return out_of_range(e, args[2].i);
	found = find(from, args[0].text + args[0].len, &args[1]);
	return cel_int(found ? (int64_t)cel_characters(args[0].text, (size_t)(found - args[0].text)) : -1);
}

CEL_FUNCTION(cel_last_index_of)
{
	const char *from = args[0].text + args[0].len;

	(void)node;
	if (!cel_charge(e, ((uint64_t)args[0].len + 1) * (args[1].len + 1U)))
		return cel_exhausted();
	if (n == 3)
		from = at_character(&args[0], args[2].i);
	if (!from)
		return out_of_range(e, args[2].i);
	if (args[1].len > args[0].len)
		return cel_int(-1);
	if (from > args[0].text + args[0].len - args[1].len)
		from = args[0].text + args[0].len - args[1].len;
	for (;; from--) {
		if ((*from & 0xC0) != 0x80 && !memcmp(from, args[1].text, args[1].len))
			return cel_int((int64_t)cel_characters(args[0].text, (size_t)(from - args[0].text)));
		if (from == args[0].text)
			return cel_int(-1);
	}
}

CEL_FUNCTION(cel_substring)
{
	const char *from, *to = args[0].text + args[0].len;

	(void)node;
	cel_charge(e, args[0].len);
	from = at_character(&args[0], args[1].i);
	if (!from)
		return out_of_range(e, args[1].i);
	if (n == 3)
		to = at_character(&args[0], args[2].i);
	if (!to)
		return out_of_range(e, args[2].i);
	if (to < from)
		return cel_errorf(e, "invalid substring range. start: %lld, end: %lld", (long long)args[1].i,
				  (long long)args[2].i);
	return cel_text(from, (size_t)(to - from));
}

/* --- letters --- */

static struct cel_value mapped(struct cel_eval *e, const struct cel_value *v, char first, char last)
{
	char *text;

	if (!cel_charge(e, v->len))
		return cel_exhausted();
	text = cel_copy(&e->arena, v->text, v->len);
	for (uint32_t i = 0; i < v->len; i++)
		if (text[i] >= first && text[i] <= last)
			text[i] ^= 0x20;
	return cel_text(text, v->len);
}

CEL_FUNCTION(cel_lower)
{
	(void)node, (void)n;
	return mapped(e, &args[0], 'A', 'Z');
}

CEL_FUNCTION(cel_upper)
{
	(void)node, (void)n;
	return mapped(e, &args[0], 'a', 'z');
}

/* Unicode's white space, of which each is at most three bytes. */
static bool is_space(const char *at, size_t len)
{
	static const char *const wide[] = { "\xC2\x85", "\u00A0", "\u1680", "\u2028",
					    "\u2029",   "\u202F", "\u205F", "\u3000" };

	if (len == 1)
		return *at == ' ' || (*at >= '\t' && *at <= '\r');
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (strlen(wide[i]) == len && !memcmp(wide[i], at, len))
			return true;
	return len == 3 && !memcmp(at, "\u2000", 2) && (unsigned char)at[2] >= 0x80 &&
	       (unsigned char)at[2] <= 0x8A;
}

CEL_FUNCTION(cel_trim)
{
	const char *from = args[0].text, *end = from + args[0].len;

	(void)node, (void)n;
	cel_charge(e, args[0].len);
	while (from < end && is_space(from, char_len(from, end)))
		from += char_len(from, end);
	while (end > from) {
		const char *last = end - 1;

		while (last > from && (*last & 0xC0) == 0x80)
			last--;
		if (!is_space(last, (size_t)(end - last)))
			break;
		end = last;
	}
	return cel_text(from, (size_t)(end - from));
}

/* --- parts --- */

/* The next place of PART in what is left; an empty one is between all characters. */
static const char *next_place(const char *at, const char *end, const struct cel_value *part, bool first)
{
	if (part->len)
		return find(at, end, part);
	if (first)
		return at;
	return at < end ? at + char_len(at, end) : NULL;
}

/* Charges for what comes out before it is made: a long text for each of many short ones. */
CEL_FUNCTION(cel_replace)
{
	const char *at = args[0].text, *end = at + args[0].len, *place;
	int64_t left = n == 4 ? args[3].i : -1;
	CLEANUP(buf_close) struct buf made = BUF_INIT;
	bool first = true;

	(void)node;
	if (!charge_search(e, args))
		return cel_exhausted();
	while (left != 0 && (place = next_place(at, end, &args[1], first))) {
		buf_add(&made, at, (size_t)(place - at));
		buf_add(&made, args[2].text, args[2].len);
		at = place + args[1].len;
		left -= left > 0;
		first = false;
		if (!cel_charge(e, args[2].len + 1U))
			return cel_exhausted();
	}
	buf_add(&made, at, (size_t)(end - at));
	return cel_charge(e, made.len) ? cel_new_text(e, made.data, made.len) : cel_exhausted();
}

/* How many parts there are, LIMIT at most. */
static size_t count_parts(const struct cel_value *v, const struct cel_value *by, int64_t limit)
{
	const char *at = v->text, *end = at + v->len;
	size_t parts = 1;

	if (!by->len)
		parts = cel_characters(v->text, v->len);
	else
		while ((at = find(at, end, by))) {
			parts++;
			at += by->len;
		}
	return limit >= 0 && parts > (size_t)limit ? (size_t)limit : parts;
}

CEL_FUNCTION(cel_split)
{
	const char *at = args[0].text, *end = at + args[0].len;
	struct cel_value *items, list;
	size_t parts;

	(void)node;
	if (!cel_charge(e, ((uint64_t)args[0].len + args[1].len) * 4))
		return cel_exhausted();
	parts = count_parts(&args[0], &args[1], n == 3 ? args[2].i : -1);
	list = cel_new_list(e, parts, &items);
	if (list.kind == CEL_ERROR)
		return list;
	for (size_t i = 0; i < parts; i++) {
		const char *to = end;

		if (i + 1 < parts)
			to = args[1].len ? find(at, end, &args[1]) : at + char_len(at, end);
		items[i] = cel_text(at, (size_t)(to - at));
		at = to + args[1].len;
	}
	return list;
}

CEL_FUNCTION(cel_join)
{
	size_t len = cel_list_len(&args[0]);
	CLEANUP(buf_close) struct buf made = BUF_INIT;

	(void)node;
	for (size_t i = 0; i < len; i++) {
		struct cel_value item = cel_list_at(e, &args[0], i);

		if (item.kind != CEL_STRING)
			return item.kind == CEL_ERROR ? item : cel_error(CEL_NO_OVERLOAD);
		if (i && n == 2)
			buf_add(&made, args[1].text, args[1].len);
		buf_add(&made, item.text, item.len);
		if (!cel_charge(e, (uint64_t)item.len + (n == 2 ? args[1].len : 0) + 1))
			return cel_exhausted();
	}
	return cel_new_text(e, made.data ? made.data : "", made.len);
}

CEL_FUNCTION(cel_quote)
{
	static const char escaped[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
	CLEANUP(buf_close) struct buf made = BUF_INIT;

	(void)node, (void)n;
	if (!cel_charge(e, 2U * args[0].len))
		return cel_exhausted();
	buf_char(&made, '"');
	for (uint32_t i = 0; i < args[0].len; i++) {
		char c = args[0].text[i];
		const char *found = c ? strchr(escaped, c) : NULL;

		if (found)
			buf_char(&made, '\\');
		buf_char(&made, found ? letters[found - escaped] : c);
	}
	buf_char(&made, '"');
	return cel_new_text(e, made.data, made.len);
}
