#include "lib/err.h"

#include <stdio.h>
#include <string.h>

static const struct {
	int http_code;
	const char *reason;
} kinds[] = {
	[ERR_NONE] = { 200, "" },
	[ERR_INTERNAL] = { 500, "InternalError" },
	[ERR_BAD_REQUEST] = { 400, "BadRequest" },
	[ERR_UNAUTHORIZED] = { 401, "Unauthorized" },
	[ERR_FORBIDDEN] = { 403, "Forbidden" },
	[ERR_NOT_FOUND] = { 404, "NotFound" },
	[ERR_METHOD_NOT_ALLOWED] = { 405, "MethodNotAllowed" },
	[ERR_NOT_ACCEPTABLE] = { 406, "NotAcceptable" },
	[ERR_CONFLICT] = { 409, "Conflict" },
	[ERR_ALREADY_EXISTS] = { 409, "AlreadyExists" },
	[ERR_GONE] = { 410, "Gone" },
	[ERR_EXPIRED] = { 410, "Expired" },
	[ERR_TOO_LARGE] = { 413, "RequestEntityTooLarge" },
	[ERR_UNSUPPORTED_MEDIA_TYPE] = { 415, "UnsupportedMediaType" },
	[ERR_INVALID] = { 422, "Invalid" },
	[ERR_TOO_MANY_REQUESTS] = { 429, "TooManyRequests" },
	[ERR_SERVICE_UNAVAILABLE] = { 503, "ServiceUnavailable" },
	[ERR_TIMEOUT] = { 504, "Timeout" },
	/* From here on kinds share a reason with one above, which is what a reason maps back to. */
	[ERR_SYSTEM] = { 500, "InternalError" },
	[ERR_CONNECTION] = { 500, "InternalError" },
	[ERR_PARSE] = { 400, "BadRequest" },
	[ERR_CORRUPT] = { 500, "InternalError" },
	[ERR_LIMIT] = { 413, "RequestEntityTooLarge" },
};

/* TEXT may point into err->msg: it is complete before the first byte is stored. */
static void store(struct err *err, const char *text, int would_be)
{
	size_t len = strnlen(text, sizeof(err->msg) - 1);

	memmove(err->msg, text, len);
	err->msg[len] = '\0';
	if (would_be >= (int)sizeof(err->msg)) {
		/* Not in the middle of a UTF-8 sequence: messages are shown and sent as JSON. */
		size_t end = sizeof(err->msg) - 4;

		while (end > 0 && ((unsigned char)err->msg[end] & 0xc0) == 0x80)
			end--;
		memcpy(err->msg + end, "...", 4);
	}
}

int (err_set)(struct err *err, enum err_kind kind, const char *format, ...)
{
	char text[sizeof(err->msg)];
	va_list ap;
	int n;

	if (!err)
		return -1;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	err->kind = kind;
	err->errnum = 0;
	store(err, text, n);
	return -1;
}

int (err_set_errno)(struct err *err, int errnum, const char *format, ...)
{
	char what[sizeof(err->msg)], text[sizeof(err->msg)], reason[128];
	va_list ap;
	int n;

	if (!err)
		return -1;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	n = snprintf(text, sizeof(text), "%s: %s", what, strerror_r(errnum, reason, sizeof(reason)));
	err->kind = ERR_SYSTEM;
	err->errnum = errnum;
	store(err, text, n);
	return -1;
}

int (err_wrap)(struct err *err, const char *format, ...)
{
	char context[sizeof(err->msg)], text[sizeof(err->msg)];
	va_list ap;
	int n;

	if (!err)
		return -1;
	va_start(ap, format);
	vsnprintf(context, sizeof(context), format, ap);
	va_end(ap);
	n = snprintf(text, sizeof(text), "%s: %s", context, err->msg);
	store(err, text, n);
	return -1;
}

int err_http_code(enum err_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(kinds) ? kinds[kind].http_code : 500;
}

const char *err_status_reason(enum err_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(kinds) ? kinds[kind].reason : "InternalError";
}

enum err_kind err_kind_of_status(const char *reason, int http_code)
{
	if (reason && *reason) {
		for (size_t i = ERR_INTERNAL; i < ERR_SYSTEM; i++)
			if (strcmp(kinds[i].reason, reason) == 0)
				return (enum err_kind)i;
		/* "The server took too long to start": retried like Timeout. */
		if (strcmp(reason, "ServerTimeout") == 0)
			return ERR_TIMEOUT;
	}
	if (http_code >= 200 && http_code < 300)
		return ERR_NONE;
	for (size_t i = ERR_INTERNAL; i < ERR_SYSTEM; i++)
		if (kinds[i].http_code == http_code)
			return (enum err_kind)i;
	return http_code >= 400 && http_code < 500 ? ERR_BAD_REQUEST : ERR_INTERNAL;
}
