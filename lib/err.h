/* One error type. It is passed last, filled by whoever finds the fault, and gets one piece of context
 * per layer on its way up, outermost first:
 *
 *     create pod default/web-0: image store/web:1: digest mismatch
 *
 * Functions that can fail return 0 or -1 (or NULL) and fill *err; on failure their outputs are
 * untouched. err may be NULL when the caller does not care. Libraries return errors and do not log
 * them; whoever drops an error logs it, once.
 */
#pragma once

#include <stdbool.h>

#include "lib/mem.h"

/* What went wrong, as Kubernetes names it (meta/v1 StatusReason). err_http_code() and
 * err_status_reason() read the one table that maps a kind to code and reason. */
enum err_kind {
	ERR_NONE,
	ERR_INTERNAL,               /* 500 InternalError */
	ERR_BAD_REQUEST,            /* 400 BadRequest */
	ERR_UNAUTHORIZED,           /* 401 Unauthorized */
	ERR_FORBIDDEN,              /* 403 Forbidden */
	ERR_NOT_FOUND,              /* 404 NotFound */
	ERR_METHOD_NOT_ALLOWED,     /* 405 MethodNotAllowed */
	ERR_NOT_ACCEPTABLE,         /* 406 NotAcceptable */
	ERR_CONFLICT,               /* 409 Conflict */
	ERR_ALREADY_EXISTS,         /* 409 AlreadyExists */
	ERR_GONE,                   /* 410 Gone */
	ERR_EXPIRED,                /* 410 Expired */
	ERR_TOO_LARGE,              /* 413 RequestEntityTooLarge */
	ERR_UNSUPPORTED_MEDIA_TYPE, /* 415 UnsupportedMediaType */
	ERR_INVALID,                /* 422 Invalid */
	ERR_TOO_MANY_REQUESTS,      /* 429 TooManyRequests */
	ERR_SERVICE_UNAVAILABLE,    /* 503 ServiceUnavailable */
	ERR_TIMEOUT,                /* 504 Timeout */
	/* Faults of this machine, not of a request; 500 when they reach a client. */
	ERR_SYSTEM,     /* errnum says which */
	ERR_CONNECTION, /* the peer could not be reached or hung up */
	ERR_PARSE,      /* text that is not what it should be; 400 */
	ERR_CORRUPT,    /* data on disk that is not what was written */
	ERR_LIMIT,      /* a size or count over its limit; 413 */
};

struct err {
	enum err_kind kind; /* ERR_NONE: no error */
	int errnum;         /* errno of an ERR_SYSTEM, else 0 */
	char msg[1024];     /* without a trailing newline; cut with "..." when longer */
};

#define ERR_INIT ((struct err){ .kind = ERR_NONE })

/* Fill *err; return -1, so that a failing function can end with `return err_set(...)`. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same for a failed system call: appends ": " and strerror(errnum). */
int err_set_errno(struct err *err, int errnum, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts "context: " before the message of *err; keeps the kind. Returns -1. */
int err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Lets compilers and analyzers see that it is -1, so that they know which outputs were written. */
static inline int err_failed(int minus_one)
{
	(void)minus_one;
	return -1;
}
#define err_set(...)       err_failed(err_set(__VA_ARGS__))
#define err_set_errno(...) err_failed(err_set_errno(__VA_ARGS__))
#define err_wrap(...)      err_failed(err_wrap(__VA_ARGS__))

/* HTTP status code and Kubernetes StatusReason of a kind. */
int err_http_code(enum err_kind kind);
const char *err_status_reason(enum err_kind kind);
/* The kind for a Status with that reason, or, when REASON is NULL or unknown, for that HTTP code. */
enum err_kind err_kind_of_status(const char *reason, int http_code);
