#include "lib/quantity.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define NANO INT64_C(1000000000)

static const __int128 max_nano = (__int128)((unsigned __int128)-1 >> 1);

static const struct suffix {
	const char *name;
	enum quantity_format format;
	int exponent; /* of 10, or of 2 */
} suffixes[] = {
	/* Decimal ones in the order of their exponents, from -9 by 3: formatting indexes them. */
	{ "n", QUANTITY_DECIMAL_SI, -9 }, { "u", QUANTITY_DECIMAL_SI, -6 }, { "m", QUANTITY_DECIMAL_SI, -3 },
	{ "", QUANTITY_DECIMAL_SI, 0 },   { "k", QUANTITY_DECIMAL_SI, 3 },  { "M", QUANTITY_DECIMAL_SI, 6 },
	{ "G", QUANTITY_DECIMAL_SI, 9 },  { "T", QUANTITY_DECIMAL_SI, 12 }, { "P", QUANTITY_DECIMAL_SI, 15 },
	{ "E", QUANTITY_DECIMAL_SI, 18 }, { "Ki", QUANTITY_BINARY_SI, 10 }, { "Mi", QUANTITY_BINARY_SI, 20 },
	{ "Gi", QUANTITY_BINARY_SI, 30 }, { "Ti", QUANTITY_BINARY_SI, 40 }, { "Pi", QUANTITY_BINARY_SI, 50 },
	{ "Ei", QUANTITY_BINARY_SI, 60 },
};
#define FIRST_BINARY 10

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "e3", "E-3": an exponent of 32 bits. "E" alone is exa and not for here. */
static bool parse_exponent(const char *s, struct suffix *ret)
{
	long exponent;
	char *end;

	if ((s[0] != 'e' && s[0] != 'E') || !s[1])
		return false;
	if (!is_digit(s[1]) && !((s[1] == '+' || s[1] == '-') && is_digit(s[2])))
		return false;
	exponent = strtol(s + 1, &end, 10);
	if (*end || exponent > INT32_MAX || exponent < INT32_MIN)
		return false;
	*ret = (struct suffix){ .name = s, .format = QUANTITY_DECIMAL_EXPONENT, .exponent = (int)exponent };
	return true;
}

static bool parse_suffix(const char *s, struct suffix *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (suffixes[i].name[0] == s[0] && strcmp(suffixes[i].name, s) == 0) {
			*ret = suffixes[i];
			return true;
		}
	}
	return parse_exponent(s, ret);
}

/* The digits of a quantity: what stands before and behind the point, without leading zeros. */
struct digits {
	const char *whole, *fraction;
	size_t n_whole, n_fraction;
};

static const char *split_digits(const char *s, struct digits *ret)
{
	while (*s == '0')
		s++;
	*ret = (struct digits){ .whole = s, .fraction = "" };
	while (is_digit(*s))
		s++;
	ret->n_whole = (size_t)(s - ret->whole);
	if (*s == '.') {
		ret->fraction = ++s;
		while (is_digit(*s))
			s++;
		ret->n_fraction = (size_t)(s - ret->fraction);
	}
	return s;
}

/* Divides by 1000 while nothing is lost and there is a suffix for it; the exponent of 10 that is left to say.
 */
static int take_thousands(__int128 *nano, enum quantity_format format)
{
	int exponent = -9;

	while (*nano != 0 && *nano % 1000 == 0 && (exponent < 18 || format == QUANTITY_DECIMAL_EXPONENT)) {
		*nano /= 1000;
		exponent += 3;
	}
	return exponent;
}

/* Whether it may be more than 2^63-1. Kubernetes reads up to 18 digits with a decimal suffix into 64 bits and
 * a scale, uncapped ("9999E" stays), and all others with big decimals, capped. That the canonical form must
 * be of the first kind, too, keeps a value the same when it is read again. */
static bool is_uncapped(const struct digits *d, const struct suffix *suffix, __int128 nano)
{
	if (suffix->format == QUANTITY_BINARY_SI || d->n_whole + d->n_fraction > 18 || nano == max_nano ||
	    (int64_t)suffix->exponent - (int64_t)d->n_fraction < -9)
		return false;
	take_thousands(&nano, suffix->format);
	return nano < (__int128)NANO * NANO;
}

/* The digits as an integer of the unit 10^-9 * 10^SCALE..., saturating, rounded up.
 * SHIFT moves the decimal point to the right. */
static __int128 scale_digits(const struct digits *d, int64_t shift)
{
	int64_t n = (int64_t)(d->n_whole + d->n_fraction), end = (int64_t)d->n_whole + shift;
	__int128 value = 0;
	bool rest = false;

	/* Positions from the first digit to where the point comes to lie, digits ending earlier. */
	for (int64_t i = 0; i < n || i < end; i++) {
		char c = i >= n                    ? '0'
			 : i < (int64_t)d->n_whole ? d->whole[i]
						   : d->fraction[i - (int64_t)d->n_whole];

		if (i >= end) {
			rest = rest || c != '0';
			continue;
		}
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, c - '0', &value))
			return max_nano;
		/* A zero times any power of ten: an exponent may be in the billions. */
		if (i >= n && value == 0)
			break;
	}
	return rest ? value + 1 : value;
}

/* The value of binary quantities: digits * 2^EXPONENT, exact down to a nano, rounded up below. */
static __int128 scale_binary(const struct digits *d, int exponent)
{
	struct digits whole = { .whole = d->whole, .n_whole = d->n_whole, .fraction = "" };
	struct digits fraction = { .whole = d->fraction, .n_whole = d->n_fraction, .fraction = "" };
	/* 18 digits behind the point decide all but what no one writes; further ones round up. */
	__int128 units = scale_digits(&whole, 0);
	__int128 part = scale_digits(&fraction, 18 - (int64_t)d->n_fraction), nano;

	if (units > INT64_MAX >> exponent)
		return max_nano;
	/* part < 10^18 and 2^60 < 1.2 * 10^18: the product fits; from units of 10^-18 to nano. */
	nano = part << exponent;
	nano = nano / NANO + (nano % NANO != 0);
	return (units << exponent) * NANO + nano;
}

bool quantity_parse(const char *s, struct quantity *ret)
{
	const __int128 cap = (__int128)INT64_MAX * NANO;
	struct suffix suffix;
	struct digits digits;
	struct quantity q;
	bool negative;

	if (!s || !*s)
		return false;
	negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if (!is_digit(*s) && *s != '.')
		return false;
	s = split_digits(s, &digits);
	if (!parse_suffix(s, &suffix))
		return false;
	q.format = suffix.format;
	q.nano = suffix.format == QUANTITY_BINARY_SI ? scale_binary(&digits, suffix.exponent)
						     : scale_digits(&digits, (int64_t)suffix.exponent + 9);
	if (q.nano > cap && !is_uncapped(&digits, &suffix, q.nano))
		q.nano = cap;
	/* Less than one byte of a binary quantity is said in decimal. */
	if (q.format == QUANTITY_BINARY_SI && q.nano > 0 && q.nano < NANO)
		q.format = QUANTITY_DECIMAL_SI;
	if (negative)
		q.nano = -q.nano;
	*ret = q;
	return true;
}

static char *put_int(char *p, __int128 value)
{
	unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
	char digits[40];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + (int)(rest % 10));
		rest /= 10;
	} while (rest);
	if (value < 0)
		*p++ = '-';
	memcpy(p, digits + i, sizeof(digits) - i);
	return p + sizeof(digits) - i;
}

static void put_binary(char *p, __int128 value)
{
	size_t i = FIRST_BINARY;
	const char *suffix = "";

	for (; value % 1024 == 0 && i < ARRAY_SIZE(suffixes); i++) {
		value /= 1024;
		suffix = suffixes[i].name;
	}
	strcpy(put_int(p, value), suffix);
}

static void put_decimal(char *p, __int128 nano, enum quantity_format format)
{
	int exponent = take_thousands(&nano, format);

	p = put_int(p, nano);
	if (format == QUANTITY_DECIMAL_SI) {
		strcpy(p, suffixes[(exponent + 9) / 3].name);
	} else if (exponent != 0) {
		*p++ = 'e';
		*put_int(p, exponent) = '\0';
	} else {
		*p = '\0';
	}
}

const char *quantity_format(const struct quantity *q, char *buf)
{
	const __int128 kibi = (__int128)1024 * NANO;

	if (q->nano == 0)
		strcpy(buf, "0");
	/* What has no binary suffix is read as a decimal quantity: it is written as one. */
	else if (q->format == QUANTITY_BINARY_SI && q->nano % kibi == 0)
		put_binary(buf, q->nano / NANO);
	else
		put_decimal(buf, q->nano, q->format == QUANTITY_BINARY_SI ? QUANTITY_DECIMAL_SI : q->format);
	return buf;
}

int quantity_cmp(const struct quantity *a, const struct quantity *b)
{
	return a->nano < b->nano ? -1 : a->nano > b->nano;
}

/* Away from zero, as Kubernetes rounds. */
static int64_t divide_up(__int128 value, int64_t by)
{
	__int128 result = value / by;

	if (value % by > 0)
		result++;
	else if (value % by < 0)
		result--;
	return result > INT64_MAX ? INT64_MAX : result < INT64_MIN ? INT64_MIN : (int64_t)result;
}

bool quantity_is_whole(const struct quantity *q)
{
	return q->nano % NANO == 0;
}

int64_t quantity_milli(const struct quantity *q)
{
	return divide_up(q->nano, NANO / 1000);
}

int64_t quantity_value(const struct quantity *q)
{
	return divide_up(q->nano, NANO);
}

int64_t quantity_milli_of(const char *s)
{
	struct quantity q;

	return quantity_parse(s, &q) ? quantity_milli(&q) : 0;
}

int64_t quantity_value_of(const char *s)
{
	struct quantity q;

	return quantity_parse(s, &q) ? quantity_value(&q) : 0;
}

struct quantity quantity_of_value(int64_t value, enum quantity_format format)
{
	return (struct quantity){ .nano = (__int128)value * NANO, .format = format };
}

struct quantity quantity_of_milli(int64_t milli)
{
	return (struct quantity){ .nano = (__int128)milli * (NANO / 1000), .format = QUANTITY_DECIMAL_SI };
}
