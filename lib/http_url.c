#include "lib/http_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

static bool is_printable(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	}
	return true;
}

/* ":8443", or nothing. */
static bool read_port(const char *p, const char *end, bool tls, uint16_t *ret)
{
	unsigned port = 0;

	if (p == end) {
		*ret = tls ? 443 : 80;
		return true;
	}
	if (*p++ != ':' || p == end || end - p > 5)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		port = port * 10 + (unsigned)(*p - '0');
	}
	*ret = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

int http_url_parse(const char *url, struct http_url *ret, struct err *err)
{
	struct http_url u = { .tls = strncasecmp(url, "https://", 8) == 0 };
	const char *host = url + (u.tls ? 8 : 7);

	if ((!u.tls && strncasecmp(url, "http://", 7) != 0) || !is_printable(url))
		return err_set(err, ERR_BAD_REQUEST, "\"%.400s\" is no http or https URL", url);
	const char *end = host + strcspn(host, "/?#");
	const char *host_end;
	if (*host == '[') {
		const char *bracket = memchr(host, ']', (size_t)(end - host));

		host_end = bracket ? bracket + 1 : host;
	} else {
		const char *colon = memchr(host, ':', (size_t)(end - host));

		host_end = colon ? colon : end;
	}
	if (host_end == host || memchr(host, '@', (size_t)(end - host)) ||
	    !read_port(host_end, end, u.tls, &u.port))
		return err_set(err, ERR_BAD_REQUEST, "\"%.400s\" has no valid host and port", url);
	u.authority = mem_dupn(host, (size_t)(end - host));
	u.host = *host == '[' ? mem_dupn(host + 1, (size_t)(host_end - host) - 2)
			      : mem_dupn(host, (size_t)(host_end - host));
	u.target = end;
	u.end = end + strcspn(end, "#");
	*ret = u;
	return 0;
}

void http_url_close(struct http_url *url)
{
	free(url->host);
	free(url->authority);
	*url = (struct http_url){ 0 };
}
