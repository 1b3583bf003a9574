/* Semantic versions.
 * https://semver.org/
 */
#include <ctype.h>
#include <string.h>

#include "api/cel/cel_functions.h"

#define TEXT_MAX 256

struct semver {
	uint64_t numbers[3];
	const char *prerelease; /* "rc.1", or "" */
};

/* Identifiers between dots: letters, digits and hyphens; numbers without zeros before them when STRICT. */
static bool are_identifiers(const char *at, size_t len, bool strict)
{
	size_t own = 0, digits = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i == len || at[i] == '.') {
			if (!own || (strict && own > 1 && own == digits && at[i - own] == '0'))
				return false;
			own = digits = 0;
		} else if (isalnum((unsigned char)at[i]) || at[i] == '-') {
			own++;
			digits += isdigit((unsigned char)at[i]) != 0;
		} else {
			return false;
		}
	}
	return true;
}

static bool parse_number(const char **at, bool lenient, uint64_t *ret)
{
	const char *from = *at;

	*ret = 0;
	for (; isdigit((unsigned char)**at); ++*at)
		if (__builtin_mul_overflow(*ret, 10, ret) ||
		    __builtin_add_overflow(*ret, (uint64_t)(**at - '0'), ret))
			return false;
	return *at > from && (lenient || *at == from + 1 || *from != '0');
}

/* LENIENT: a v before it, zeros before numbers, and numbers left out at the end are fine. */
static bool parse(struct cel_eval *e, const struct cel_value *v, bool lenient, struct semver *ret)
{
	const char *at;
	size_t len;

	if (v->len >= TEXT_MAX || memchr(v->text, '\0', v->len))
		return false;
	at = cel_copy(&e->arena, v->text, v->len);
	at += lenient && *at == 'v';
	*ret = (struct semver){ .prerelease = "" };
	for (unsigned i = 0; i < 3; i++) {
		if (i && *at != '.') {
			if (lenient)
				break;
			return false;
		}
		at += i > 0;
		if (!parse_number(&at, lenient, &ret->numbers[i]))
			return false;
	}
	if (*at == '-') {
		len = strcspn(++at, "+");
		if (!are_identifiers(at, len, true))
			return false;
		ret->prerelease = cel_copy(&e->arena, at, len);
		at += len;
	}
	return !*at || (*at == '+' && are_identifiers(at + 1, strlen(at + 1), false));
}

/* --- order --- */

static bool is_numeric(const char *at, size_t len)
{
	return strspn(at, "0123456789") >= len;
}

/* Numbers by value, before words, and words as ASCII has them. */
static int compare_identifiers(const char *a, size_t a_len, const char *b, size_t b_len)
{
	bool a_number = is_numeric(a, a_len), b_number = is_numeric(b, b_len);
	size_t len = a_len < b_len ? a_len : b_len;
	int order;

	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (a_number && a_len != b_len)
		return a_len < b_len ? -1 : 1;
	order = memcmp(a, b, len);
	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_prereleases(const char *a, const char *b)
{
	if (!*a || !*b)
		return (*b != '\0') - (*a != '\0');
	while (*a && *b) {
		size_t a_len = strcspn(a, "."), b_len = strcspn(b, ".");
		int order = compare_identifiers(a, a_len, b, b_len);

		if (order)
			return order;
		a += a_len + (a[a_len] == '.');
		b += b_len + (b[b_len] == '.');
	}
	return (*a != '\0') - (*b != '\0');
}

static int compare(const struct semver *a, const struct semver *b)
{
	for (unsigned i = 0; i < 3; i++)
		if (a->numbers[i] != b->numbers[i])
			return a->numbers[i] < b->numbers[i] ? -1 : 1;
	return compare_prereleases(a->prerelease, b->prerelease);
}

int cel_semver_order(const struct cel_value *a, const struct cel_value *b)
{
	int order = compare(a->data, b->data);

	return (order > 0) - (order < 0);
}

/* --- functions --- */

CEL_FUNCTION(cel_semver)
{
	struct semver *made = cel_alloc(&e->arena, sizeof(*made));

	(void)node;
	if (!parse(e, &args[0], n == 2 && args[1].b, made))
		return cel_error("invalid semantic version");
	return (struct cel_value){ .kind = CEL_SEMVER, .data = made };
}

CEL_FUNCTION(cel_is_semver)
{
	struct semver ignored;

	(void)node;
	return cel_bool(parse(e, &args[0], n == 2 && args[1].b, &ignored));
}

CEL_FUNCTION(cel_semver_part)
{
	const struct semver *semver = args[0].data;
	unsigned i = !strcmp(node->name, "major") ? 0 : !strcmp(node->name, "minor") ? 1 : 2;

	(void)e, (void)n;
	return cel_int((int64_t)semver->numbers[i]);
}

CEL_FUNCTION(cel_semver_less)
{
	(void)e, (void)node, (void)n;
	return cel_bool(cel_semver_order(&args[0], &args[1]) < 0);
}

CEL_FUNCTION(cel_semver_greater)
{
	(void)e, (void)node, (void)n;
	return cel_bool(cel_semver_order(&args[0], &args[1]) > 0);
}

CEL_FUNCTION(cel_semver_compare)
{
	(void)e, (void)node, (void)n;
	return cel_int(cel_semver_order(&args[0], &args[1]));
}
