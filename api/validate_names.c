/* Names: RFC 1123 and 1035 labels, keys, ports, variables; qualified names and label values are lib/label's.
 * Matched by hand instead of regexec(3): every write checks a dozen of them. Each fault's text is Kubernetes'
 * own, the regular expression included.
 */
#include <string.h>

#include "api/validate.h"
#include "lib/label.h"

#define LABEL_RE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

#define SUBDOMAIN_TEXT                                                                                       \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "    \
	"and must "                                                                                          \
	"start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "    \
	"'" LABEL_RE "(\\." LABEL_RE ")*')"
#define LABEL_TEXT                                                                                           \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "    \
	"start and "                                                                                         \
	"end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "   \
	"'" LABEL_RE "')"
#define LABEL_1035_TEXT                                                                                      \
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "         \
	"alphabetic "                                                                                        \
	"character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "  \
	"validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

#define WILDCARD_TEXT                                                                                        \
	"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must " \
	"consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character "  \
	"(e.g. '*.example.com', regex used for validation is '\\*\\." LABEL_RE "(\\." LABEL_RE ")*')"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static void add_fault(struct name_faults *faults, const char *text)
{
	if (faults->n < NAME_FAULTS_MAX)
		faults->text[faults->n++] = text;
}

/* A prefix that ends in '-' is judged as if an 'a' stood in place of the last two characters, so that
 * "web-" is fine and "web--" too, while "-" alone is not: Kubernetes' rule for generateName. */
static size_t masked_len(const char *name, size_t len, bool is_prefix)
{
	return is_prefix && len > 1 && name[len - 1] == '-' ? len - 2 : len;
}

static bool label_matches(const char *s, size_t len)
{
	if (len == 0 || !is_lower_alnum(s[0]) || !is_lower_alnum(s[len - 1]))
		return false;
	for (size_t i = 1; i + 1 < len; i++)
		if (!is_lower_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

static bool label_matches_masked(const char *s, size_t len, bool is_prefix)
{
	size_t masked = masked_len(s, len, is_prefix);

	/* The 'a' that the mask stands for ends the label, so only the start and the middle are left. */
	if (masked == len)
		return label_matches(s, len);
	if (masked > 0 && !is_lower_alnum(s[0]))
		return false;
	for (size_t i = 1; i < masked; i++)
		if (!is_lower_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

static bool subdomain_matches(const char *s, size_t len, bool is_prefix)
{
	size_t start = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] != '.')
			continue;
		if (!label_matches(s + start, i - start))
			return false;
		start = i + 1;
	}
	/* The mask may swallow a dot ("a.-"): then an 'a' follows the label before it. */
	if (is_prefix && len - start == 1 && s[start] == '-')
		return start > 1;
	return label_matches_masked(s + start, len - start, is_prefix);
}

void name_check_dns_subdomain(const char *name, bool is_prefix, struct name_faults *faults)
{
	size_t len = strlen(name);

	if (len > 253)
		add_fault(faults, "must be no more than 253 characters");
	if (!subdomain_matches(name, len, is_prefix))
		add_fault(faults, SUBDOMAIN_TEXT);
}

void name_check_wildcard_subdomain(const char *name, struct name_faults *faults)
{
	size_t len = strlen(name);

	if (len > 253)
		add_fault(faults, "must be no more than 253 characters");
	if (strncmp(name, "*.", 2) != 0 || !subdomain_matches(name + 2, len - 2, false))
		add_fault(faults, WILDCARD_TEXT);
}

void name_check_dns_label(const char *name, bool is_prefix, struct name_faults *faults)
{
	size_t len = strlen(name);

	if (len > 63)
		add_fault(faults, "must be no more than 63 characters");
	if (!label_matches_masked(name, len, is_prefix))
		add_fault(faults, LABEL_TEXT);
}

void name_check_dns1035_label(const char *name, bool is_prefix, struct name_faults *faults)
{
	size_t len = strlen(name);

	if (len > 63)
		add_fault(faults, "must be no more than 63 characters");
	if (!label_matches_masked(name, len, is_prefix) || (name[0] >= '0' && name[0] <= '9'))
		add_fault(faults, LABEL_1035_TEXT);
}

void name_check_path_segment(const char *name, bool is_prefix, struct name_faults *faults)
{
	if (!is_prefix && strcmp(name, ".") == 0)
		add_fault(faults, "may not be '.'");
	else if (!is_prefix && strcmp(name, "..") == 0)
		add_fault(faults, "may not be '..'");
	if (strchr(name, '/'))
		add_fault(faults, "may not contain '/'");
	if (strchr(name, '%'))
		add_fault(faults, "may not contain '%'");
}

static void add_label_fault(const char *text, void *arg)
{
	add_fault(arg, text);
}

void name_check_qualified(const char *name, struct name_faults *faults)
{
	label_key_faults(name, add_label_fault, faults);
}

void name_check_label_value(const char *value, struct name_faults *faults)
{
	label_value_faults(value, add_label_fault, faults);
}

void name_check_config_key(const char *key, struct name_faults *faults)
{
	size_t len = strlen(key), i = 0;

	if (len > 253)
		add_fault(faults, "must be no more than 253 characters");
	while (i < len && (is_alnum(key[i]) || strchr("-._", key[i])))
		i++;
	if (len == 0 || i < len)
		add_fault(faults,
			  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
			  "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
			  "'[-._a-zA-Z0-9]+')");
	if (strcmp(key, ".") == 0)
		add_fault(faults, "must not be '.'");
	else if (strcmp(key, "..") == 0)
		add_fault(faults, "must not be '..'");
	else if (strncmp(key, "..", 2) == 0)
		add_fault(faults, "must not start with '..'");
}

void name_check_port_name(const char *name, struct name_faults *faults)
{
	size_t len = strlen(name);
	bool has_letter = false, has_other = len == 0;

	if (len > 15)
		add_fault(faults, "must be no more than 15 characters");
	for (size_t i = 0; i < len; i++) {
		has_letter = has_letter || (name[i] >= 'a' && name[i] <= 'z');
		has_other = has_other || (!is_lower_alnum(name[i]) && name[i] != '-');
	}
	if (has_other)
		add_fault(faults, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
	if (!has_letter)
		add_fault(faults, "must contain at least one letter (a-z)");
	if (strstr(name, "--"))
		add_fault(faults, "must not contain consecutive hyphens");
	if (len > 0 && (name[0] == '-' || name[len - 1] == '-'))
		add_fault(faults, "must not begin or end with a hyphen");
}

void name_check_env_var(const char *name, struct name_faults *faults)
{
	bool matches = *name != '\0';

	for (const char *p = name; *p; p++)
		matches = matches && *p >= ' ' && *p <= '~' && *p != '=';
	if (!matches)
		add_fault(faults,
			  "a valid environment variable name must consist only of printable ASCII characters "
			  "other than '='");
}

void name_check_http_header(const char *name, struct name_faults *faults)
{
	bool matches = *name != '\0';

	for (const char *p = name; *p; p++)
		matches = matches && (is_alnum(*p) || *p == '-');
	if (!matches)
		add_fault(faults, "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
				  "'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')");
}

static bool answer(const struct name_faults *faults, struct buf *ret_message)
{
	if (faults->n > 0 && ret_message)
		buf_str(ret_message, faults->text[0]);
	return faults->n == 0;
}

bool name_is_dns_subdomain(const char *name, bool is_prefix, struct buf *ret_message)
{
	struct name_faults faults = { .n = 0 };

	name_check_dns_subdomain(name, is_prefix, &faults);
	return answer(&faults, ret_message);
}

bool name_is_dns_label(const char *name, bool is_prefix, struct buf *ret_message)
{
	struct name_faults faults = { .n = 0 };

	name_check_dns_label(name, is_prefix, &faults);
	return answer(&faults, ret_message);
}

bool name_is_dns1035_label(const char *name, bool is_prefix, struct buf *ret_message)
{
	struct name_faults faults = { .n = 0 };

	name_check_dns1035_label(name, is_prefix, &faults);
	return answer(&faults, ret_message);
}

bool name_is_path_segment(const char *name, bool is_prefix, struct buf *ret_message)
{
	struct name_faults faults = { .n = 0 };

	name_check_path_segment(name, is_prefix, &faults);
	return answer(&faults, ret_message);
}

bool name_is_qualified(const char *name, struct buf *ret_message)
{
	struct name_faults faults = { .n = 0 };

	name_check_qualified(name, &faults);
	return answer(&faults, ret_message);
}

bool name_is_label_value(const char *value, struct buf *ret_message)
{
	struct name_faults faults = { .n = 0 };

	name_check_label_value(value, &faults);
	return answer(&faults, ret_message);
}
