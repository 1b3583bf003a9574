#include "lib/label.h"

#include <stddef.h>
#include <string.h>

#define NAME_MAX_BYTES   63
#define PREFIX_MAX_BYTES 253

#define NAME_RULE                                                                                            \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "          \
	"alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " \
	"'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define SUBDOMAIN_RULE                                                                                       \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "    \
	"and "                                                                                               \
	"must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation "  \
	"is "                                                                                                \
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define VALUE_RULE                                                                                           \
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and " \
	"must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "   \
	"regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

/* Who is told of faults. */
struct listener {
	void (*tell)(const char *text, void *arg);
	void *arg;
};

static void fault(const struct listener *listener, const char *text)
{
	listener->tell(text, listener->arg);
}

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool is_name(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
			return false;
	return true;
}

/* Labels of lower case letters, digits and inner dashes, joined by single dots. */
static bool is_subdomain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool first = i == 0 || s[i - 1] == '.', last = i + 1 == len || s[i + 1] == '.';

		if (s[i] == '.' ? first || last : !is_lower_alnum(s[i]) && (s[i] != '-' || first || last))
			return false;
	}
	return len > 0;
}

static void check_prefix(const char *prefix, size_t len, const struct listener *listener)
{
	if (len == 0) {
		fault(listener, "prefix part must be non-empty");
		return;
	}
	if (len > PREFIX_MAX_BYTES)
		fault(listener, "prefix part must be no more than 253 characters");
	if (!is_subdomain(prefix, len))
		fault(listener, "prefix part " SUBDOMAIN_RULE);
}

void label_key_faults(const char *key, void (*tell)(const char *text, void *arg), void *arg)
{
	const struct listener listener = { tell, arg };
	const char *slash = strchr(key, '/');
	const char *name = slash ? slash + 1 : key;

	if (strchr(name, '/')) {
		fault(&listener,
		      "a valid label key " NAME_RULE
		      " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
		return;
	}
	if (slash)
		check_prefix(key, (size_t)(slash - key), &listener);
	if (!*name)
		fault(&listener, "name part must be non-empty");
	else if (strlen(name) > NAME_MAX_BYTES)
		fault(&listener, "name part must be no more than 63 characters");
	if (!is_name(name))
		fault(&listener, "name part " NAME_RULE);
}

void label_value_faults(const char *value, void (*tell)(const char *text, void *arg), void *arg)
{
	const struct listener listener = { tell, arg };

	if (strlen(value) > NAME_MAX_BYTES)
		fault(&listener, "must be no more than 63 characters");
	if (*value && !is_name(value))
		fault(&listener, VALUE_RULE);
}

/* All faults as one text. */
struct faults {
	struct buf *text;
	size_t n;
};

static void join(const char *text, void *arg)
{
	struct faults *f = arg;

	if (f->text) {
		if (f->n > 0)
			buf_str(f->text, "; ");
		buf_str(f->text, text);
	}
	f->n++;
}

bool label_key_check(const char *key, struct buf *ret_faults)
{
	struct faults f = { .text = ret_faults };

	label_key_faults(key, join, &f);
	return f.n == 0;
}

bool label_value_check(const char *value, struct buf *ret_faults)
{
	struct faults f = { .text = ret_faults };

	label_value_faults(value, join, &f);
	return f.n == 0;
}
