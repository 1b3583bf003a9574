/* Names of images, as docker's reference grammar has them:
 *     [DOMAIN[:PORT]/]PATH[:TAG][@DIGEST]
 * https://github.com/distribution/reference
 */
#include <ctype.h>
#include <string.h>

#include "lib/buf.h"
#include "nodeagent/digest.h"
#include "nodeagent/image_store.h"

#define MAX_NAME 255
#define MAX_TAG  128

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower-case words separated by ".", "_", "__" or dashes. */
static bool is_path_component(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t word = i;
		while (i < len && is_lower_or_digit(s[i]))
			i++;
		if (i == word)
			return false;
		if (i == len)
			return true;
		size_t separator = i;
		while (i < len && !is_lower_or_digit(s[i]))
			i++;
		size_t n = i - separator;
		bool dashes = strspn(s + separator, "-") >= n;
		if (!dashes && !(n == 1 && (s[separator] == '.' || s[separator] == '_')) &&
		    !(n == 2 && !strncmp(s + separator, "__", 2)))
			return false;
	}
	return false;
}

static bool is_domain(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t host = colon ? (size_t)(colon - s) : len;
	if (!host || (colon && host + 1 == len))
		return false;
	for (size_t i = host + 1; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
	}
	for (size_t i = 0; i < host; i++) {
		bool edge = i == 0 || i + 1 == host || s[i - 1] == '.' || s[i + 1] == '.';
		if (!isalnum((unsigned char)s[i]) && (edge || (s[i] != '-' && s[i] != '.')))
			return false;
	}
	return true;
}

static bool is_path(const char *s, size_t len)
{
	while (len) {
		const char *slash = memchr(s, '/', len);
		size_t n = slash ? (size_t)(slash - s) : len;
		if (!is_path_component(s, n) || (slash && n + 1 == len))
			return false;
		s += slash ? n + 1 : n;
		len -= slash ? n + 1 : n;
		if (!slash)
			return true;
	}
	return false;
}

static bool is_tag(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' && (i == 0 || (s[i] != '.' && s[i] != '-')))
			return false;
	}
	return len && len <= MAX_TAG;
}

static int invalid(const char *reference, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST, "couldn't parse image name \"%s\": invalid reference format",
		       reference);
}

int image_reference_normalise(const char *reference, char **ret, struct err *err)
{
	const char *digest = strchr(reference, '@');
	size_t len = digest ? (size_t)(digest - reference) : strlen(reference);
	if (!len || len > MAX_NAME + MAX_TAG || (digest && !digest_valid(digest + 1)))
		return invalid(reference, err);
	/* A colon after the last slash begins the tag; before it, a port. */
	size_t last = len;
	while (last > 0 && reference[last - 1] != '/')
		last--;
	const char *tag = memchr(reference + last, ':', len - last);
	size_t name = tag ? (size_t)(tag - reference) : len;
	if (tag && !is_tag(tag + 1, len - name - 1))
		return invalid(reference, err);

	/* The first part is a domain when it looks like one: a dot, a port, or localhost. */
	const char *slash = memchr(reference, '/', name);
	size_t domain = slash ? (size_t)(slash - reference) : 0;
	if (domain && !memchr(reference, '.', domain) && !memchr(reference, ':', domain) &&
	    !(domain == 9 && !strncmp(reference, "localhost", 9)))
		domain = 0;
	const char *path = domain ? slash + 1 : reference;
	size_t path_len = name - (size_t)(path - reference);
	for (size_t i = 0; i < path_len; i++) {
		if (isupper((unsigned char)path[i]))
			return err_set(err, ERR_BAD_REQUEST,
				       "couldn't parse image name \"%s\": invalid reference format: "
				       "repository name (%.*s) must be lowercase",
				       reference, (int)path_len, path);
	}
	if ((domain && !is_domain(reference, domain)) || !is_path(path, path_len))
		return invalid(reference, err);

	bool hub = !domain || (domain == 9 && !strncmp(reference, "docker.io", 9)) ||
		   (domain == 15 && !strncmp(reference, "index.docker.io", 15));
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	if (hub)
		buf_str(&b, memchr(path, '/', path_len) ? "docker.io/" : "docker.io/library/");
	else
		buf_add(&b, reference, domain + 1);
	buf_add(&b, path, path_len);
	if (b.len > MAX_NAME)
		return invalid(reference, err);
	if (tag)
		buf_add(&b, tag, len - name);
	else if (!digest)
		buf_str(&b, ":latest");
	if (digest)
		buf_str(&b, digest);
	*ret = buf_take(&b);
	return 0;
}
