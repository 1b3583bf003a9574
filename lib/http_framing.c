#include "lib/http_framing.h"

#include <string.h>
#include <strings.h>

bool http_request_has_token(const char *list, const char *token)
{
	size_t len = strlen(token);

	for (const char *p = list; *p;) {
		p += strspn(p, " \t,");
		size_t n = strcspn(p, ",");
		const char *next = p + n;

		while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		if (n == len && strncasecmp(p, token, len) == 0)
			return true;
		p = next;
	}
	return false;
}

/* NULL, or what is wrong with it. */
static const char *read_length(struct http_request_reader *request, const char *value)
{
	uint64_t length = 0;

	if (!*value)
		return "invalid Content-Length";
	for (; *value; value++)
		if (*value < '0' || *value > '9' || __builtin_mul_overflow(length, 10, &length) ||
		    __builtin_add_overflow(length, (uint64_t)(*value - '0'), &length))
			return "invalid Content-Length";
	request->length = length;
	return NULL;
}

/* What a Host may hold (RFC 3986 section 3.2.2): a name or an address, and a port. */
static bool is_host(const char *value)
{
	return value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-._~!$&'()*+,;=%:[]")] == '\0';
}

/* The headers that say how the request goes on, all of which are looked at: a second one counts. */
struct framing {
	unsigned lengths, codings, hosts;
	bool upgrade, wants_upgrade, close, keep_alive, foreign_coding;
};

static const char *look_at(struct http_request_reader *request, const char *name, size_t name_len,
			   const char *value, struct framing *framing)
{
	switch (name_len) {
	case 4:
		if (strcasecmp(name, "Host") != 0)
			break;
		framing->hosts++;
		if (!is_host(value))
			return "invalid Host header";
		break;
	case 6:
		if (strcasecmp(name, "Expect") == 0 && request->minor > 0)
			request->expects = strcasecmp(value, "100-continue") == 0;
		break;
	case 7:
		framing->upgrade |= strcasecmp(name, "Upgrade") == 0;
		break;
	case 10:
		if (strcasecmp(name, "Connection") != 0)
			break;
		framing->close |= http_request_has_token(value, "close");
		framing->keep_alive |= http_request_has_token(value, "keep-alive");
		framing->wants_upgrade |= http_request_has_token(value, "upgrade");
		break;
	case 14:
		if (strcasecmp(name, "Content-Length") != 0)
			break;
		framing->lengths++;
		return read_length(request, value);
	case 17:
		if (strcasecmp(name, "Transfer-Encoding") != 0)
			break;
		framing->codings++;
		framing->foreign_coding |= strcasecmp(value, "chunked") != 0;
		break;
	default:
		break;
	}
	return NULL;
}

static const char *judge(struct http_request_reader *request, const struct framing *framing, int *ret_code)
{
	if (framing->lengths + framing->codings > 1)
		return "more than one length of the body";
	if (framing->hosts > 1)
		return "too many Host headers";
	if (framing->hosts == 0 && request->minor > 0)
		return "missing required Host header";
	if (framing->codings && request->minor == 0)
		return "Transfer-Encoding in HTTP/1.0";
	if (framing->foreign_coding) {
		*ret_code = 501;
		return "unsupported transfer encoding";
	}
	request->keep_alive = (request->minor > 0 || framing->keep_alive) && !framing->close;
	request->upgrades = framing->upgrade && framing->wants_upgrade && request->minor > 0;
	request->chunked = framing->codings > 0;
	return NULL;
}

const char *http_framing_read(struct http_request_reader *request, int *ret_code)
{
	struct framing framing = { 0 };
	const char *text = request->head.data, *fault = NULL;

	for (unsigned i = 0; i < request->n_headers && !fault; i++)
		fault = look_at(request, text + request->headers[i].name, request->headers[i].name_len,
				text + request->headers[i].value, &framing);
	return fault ? fault : judge(request, &framing, ret_code);
}
