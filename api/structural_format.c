/* The formats that string schemas may name, as strfmt checks them for Kubernetes. A format that is not in the
 * table says nothing about the text. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/structural.h"
#include "api/validate.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

static bool all_in(const char *text, const char *set)
{
	return text[strspn(text, set)] == '\0';
}

#define DIGITS "0123456789"
#define HEX    DIGITS "abcdefABCDEF"

/* --- network --- */

static bool is_ipv4(const char *text)
{
	struct in_addr address;

	return inet_pton(AF_INET, text, &address) == 1;
}

static bool is_ipv6(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_cidr(const char *text)
{
	const char *slash = strchr(text, '/');
	CLEANUP(mem_freep) char *address = slash ? mem_dupn(text, (size_t)(slash - text)) : NULL;
	long bits;

	if (!slash || !slash[1] || strlen(slash + 1) > 3 || !all_in(slash + 1, DIGITS) ||
	    (slash[1] == '0' && slash[2]))
		return false;
	bits = strtol(slash + 1, NULL, 10);
	return (is_ipv4(address) && bits <= 32) || (is_ipv6(address) && bits <= 128);
}

static bool is_mac(const char *text)
{
	size_t len = strlen(text), groups = 0;
	char separator = len > 2 ? text[2] : '\0';

	if (separator != ':' && separator != '-')
		return false;
	for (const char *s = text;; s += 3) {
		if (strspn(s, HEX) < 2)
			return false;
		groups++;
		if (!s[2])
			break;
		if (s[2] != separator)
			return false;
	}
	return groups == 6 || groups == 8 || groups == 20;
}

static bool is_hostname(const char *text)
{
	size_t len = strlen(text);
	bool begins = true;

	if (!len || len > 255)
		return false;
	for (const char *label = text; *label;) {
		size_t n = strcspn(label, ".");

		if (n == 0 || n > 63 || label[0] == '-' || label[n - 1] == '-')
			return false;
		if (strspn(label, DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") < n)
			return false;
		label += n + (label[n] == '.');
		begins = false;
	}
	return !begins;
}

/* A scheme and what follows it, without spaces. */
static bool is_uri(const char *text)
{
	size_t scheme = strspn(text, DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-.");

	if (text[0] == '/')
		return !strpbrk(text, " \t\r\n");
	return scheme > 0 && !strchr(DIGITS "+-.", text[0]) && text[scheme] == ':' && text[scheme + 1] &&
	       !strpbrk(text, " \t\r\n");
}

static bool is_email(const char *text)
{
	const char *at = strrchr(text, '@');

	return at && at > text && at[1] && !strpbrk(text, " \t\r\n,;<>") && is_hostname(at + 1) &&
	       at[-1] != '.' && text[0] != '.';
}

/* --- numbers for things --- */

static bool is_uuid_of(const char *text, char version)
{
	static const size_t groups[] = { 8, 4, 4, 4, 12 };
	const char *s = text;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strspn(s, HEX) < groups[i])
			return false;
		if (i == 2 && version && *s != version)
			return false;
		s += groups[i];
		/* The dashes may be left out. */
		if (i + 1 < ARRAY_SIZE(groups) && *s == '-')
			s++;
	}
	return *s == '\0';
}

static bool is_uuid(const char *text)
{
	return is_uuid_of(text, '\0');
}

static bool is_uuid3(const char *text)
{
	return is_uuid_of(text, '3');
}

static bool is_uuid4(const char *text)
{
	return is_uuid_of(text, '4');
}

static bool is_uuid5(const char *text)
{
	return is_uuid_of(text, '5');
}

static bool is_object_id(const char *text)
{
	return strlen(text) == 24 && all_in(text, HEX);
}

/* The characters of TEXT that count, at most SIZE - 1: false when there are others. */
static bool strip(const char *text, const char *wanted, const char *ignored, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		if (strchr(ignored, *text))
			continue;
		if (!strchr(wanted, *text) || n + 1 >= size)
			return false;
		ret[n++] = *text;
	}
	ret[n] = '\0';
	return true;
}

static bool is_isbn10(const char *text)
{
	char digits[11];
	int sum = 0;

	if (!strip(text, DIGITS "X", "- ", digits, sizeof(digits)) || strlen(digits) != 10)
		return false;
	for (int i = 0; i < 10; i++) {
		if (i < 9 && digits[i] == 'X')
			return false;
		sum += (i + 1) * (digits[i] == 'X' ? 10 : digits[i] - '0');
	}
	return sum % 11 == 0;
}

static bool is_isbn13(const char *text)
{
	char digits[14];
	int sum = 0;

	if (!strip(text, DIGITS, "- ", digits, sizeof(digits)) || strlen(digits) != 13)
		return false;
	for (int i = 0; i < 13; i++)
		sum += (i % 2 ? 3 : 1) * (digits[i] - '0');
	return sum % 10 == 0;
}

static bool is_isbn(const char *text)
{
	return is_isbn10(text) || is_isbn13(text);
}

static bool is_credit_card(const char *text)
{
	char digits[20];
	int sum = 0;
	size_t n;

	if (!strip(text, DIGITS, "- ", digits, sizeof(digits)) || strlen(digits) < 13)
		return false;
	n = strlen(digits);
	for (size_t i = 0; i < n; i++) {
		int digit = digits[n - 1 - i] - '0';
		if (i % 2)
			digit = digit > 4 ? digit * 2 - 9 : digit * 2;
		sum += digit;
	}
	return sum % 10 == 0;
}

static bool is_ssn(const char *text)
{
	char digits[10];

	return strip(text, DIGITS, "- ", digits, sizeof(digits)) && strlen(digits) == 9;
}

/* --- colours --- */

static bool is_hex_color(const char *text)
{
	size_t len;

	text += *text == '#';
	len = strlen(text);
	return (len == 3 || len == 6) && all_in(text, HEX);
}

static bool is_rgb_color(const char *text)
{
	if (strncmp(text, "rgb(", 4) != 0)
		return false;
	text += 4;
	for (int i = 0; i < 3; i++) {
		char *end;
		unsigned long value;

		text += strspn(text, " ");
		if (!strchr(DIGITS, *text) || !*text)
			return false;
		value = strtoul(text, &end, 10);
		if (value > 255)
			return false;
		text = end + strspn(end, " ");
		if (*text++ != (i < 2 ? ',' : ')'))
			return false;
	}
	return *text == '\0';
}

/* --- times and bytes --- */

static bool is_date(const char *text)
{
	CLEANUP(mem_freep) char *moment = mem_printf("%sT00:00:00Z", text);
	int64_t us;

	return strlen(text) == 10 && time_parse(moment, &us);
}

/* A zone may be left out, and a space may stand for the T. */
static bool is_date_time(const char *text)
{
	CLEANUP(mem_freep) char *moment = mem_dup(text);
	CLEANUP(mem_freep) char *zoned = NULL;
	int64_t us;

	if (strlen(text) < 19)
		return false;
	if (moment[10] == 't' || moment[10] == ' ')
		moment[10] = 'T';
	if (time_parse(moment, &us))
		return true;
	zoned = mem_printf("%sZ", moment);
	return time_parse(zoned, &us);
}

static bool is_duration(const char *text)
{
	static const char *const units[] = { "ns", "nanosecond", "us",  "microsecond", "ms",   "millisecond",
					     "s",  "second",     "m",   "minute",      "h",    "hour",
					     "hr", "d",          "day", "w",           "week", "wk" };
	int64_t us;
	char *end;

	if (time_parse_duration(text, &us))
		return true;
	/* "3 days" */
	if (strtod(text, &end) < 0 || end == text)
		return false;
	end += strspn(end, " ");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len = strlen(units[i]);
		if (!strncasecmp(end, units[i], len) && (!end[len] || !strcasecmp(end + len, "s")))
			return true;
	}
	return false;
}

static bool is_base64(const char *text)
{
	size_t len = strlen(text);
	size_t body = strspn(text, DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/");

	return len % 4 == 0 && len - body <= 2 && all_in(text + body, "=");
}

/* --- names --- */

static bool is_short_name(const char *text)
{
	return name_is_dns_label(text, false, NULL);
}

static bool is_long_name(const char *text)
{
	return name_is_dns_subdomain(text, false, NULL);
}

/* Dashes in a format's name do not count. */
static const struct {
	const char *name;
	bool (*holds)(const char *text);
} formats[] = {
	{ "bsonobjectid", is_object_id },
	{ "uri", is_uri },
	{ "email", is_email },
	{ "hostname", is_hostname },
	{ "ipv4", is_ipv4 },
	{ "ipv6", is_ipv6 },
	{ "cidr", is_cidr },
	{ "mac", is_mac },
	{ "uuid", is_uuid },
	{ "uuid3", is_uuid3 },
	{ "uuid4", is_uuid4 },
	{ "uuid5", is_uuid5 },
	{ "isbn", is_isbn },
	{ "isbn10", is_isbn10 },
	{ "isbn13", is_isbn13 },
	{ "creditcard", is_credit_card },
	{ "ssn", is_ssn },
	{ "hexcolor", is_hex_color },
	{ "rgbcolor", is_rgb_color },
	{ "byte", is_base64 },
	{ "date", is_date },
	{ "duration", is_duration },
	{ "datetime", is_date_time },
	{ "k8sshortname", is_short_name },
	{ "k8slongname", is_long_name },
};

bool structural_format_holds(const char *format, const char *text)
{
	char name[32];
	size_t n = 0;

	for (; *format; format++) {
		if (*format == '-')
			continue;
		if (n + 1 >= sizeof(name))
			return true;
		name[n++] = *format;
	}
	name[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].holds(text);
	return true;
}
