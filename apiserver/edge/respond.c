#include "apiserver/edge/respond.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/custom.h"
#include "apiserver/audit/audit.h"
#include "apiserver/edge/gzip.h"
#include "apiserver/edge/in_flight.h"
#include "apiserver/edge/server.h"
#include "apiserver/table.h"
#include "apiserver/view.h"
#include "lib/log.h"
#include "lib/timefmt.h"
#include "lib/yaml.h"

#define TYPE_JSON "application/json"
#define TYPE_YAML "application/yaml"
#define TYPE_TEXT "text/plain; charset=utf-8"
/* An answer over LARGE bytes must be taken in time; all of them together hold no more than LARGE_MAX. */
#define LARGE     (64 * 1024)
#define LARGE_MAX (256 * 1024 * 1024)

/* 299 - "text" (RFC 7234 5.5), quotes and backslashes escaped; longer texts than a header may hold are cut.
 */
static void add_warning(struct request *r, const char *text, size_t len)
{
	CLEANUP(buf_close) struct buf value = BUF_INIT;
	buf_str(&value, "299 - \"");
	for (size_t i = 0; i < len && i < 1024; i++) {
		if (text[i] == '"' || text[i] == '\\')
			buf_char(&value, '\\');
		buf_char(&value, (unsigned char)text[i] < ' ' ? ' ' : text[i]);
	}
	buf_char(&value, '"');
	http_exchange_add_header(r->exchange, "Warning", value.data);
}

static void add_warnings(struct request *r)
{
	const int warnings_max = 16; /* of a header's room */
	const char *line = r->warnings.data;
	for (int n = 0; line && *line && n < warnings_max; n++) {
		size_t len = strcspn(line, "\n");
		add_warning(r, line, len);
		line += len + (line[len] == '\n');
	}
}

void respond_add_header(struct request *r, const char *name, const char *value)
{
	http_exchange_add_header(r->exchange, name, value);
}

/* What holds for every answer; the exchange is answered next. */
static void begin(struct request *r, int code)
{
	const struct resource *resource = r->route.resource;
	/* A version that is on its way out says so with everything that can be asked of it. */
	const char *deprecated = !resource          ? NULL
				 : resource->custom ? resource->custom->warning
						    : resource->kind->deprecated;
	if (deprecated && code != 405)
		add_warning(r, deprecated, strlen(deprecated));
	if (r->warnings.len)
		add_warnings(r);
	if (r->retry_after_s)
		http_exchange_add_header(r->exchange, "Retry-After", log_num(r->retry_after_s));
	r->code = code;
	in_flight_release(r);
}

bool respond_take_room(struct request *r, size_t len)
{
	struct server *server = r->server;
	if (len <= LARGE)
		return true;
	/* What a write did is told in any case. */
	bool reads = r->method == METHOD_GET || r->method == METHOD_HEAD;
	if (atomic_fetch_add(&server->answer_bytes, (int64_t)len) + (int64_t)len > LARGE_MAX && reads) {
		server->answer_bytes -= (int64_t)len;
		r->retry_after_s = 1;
		request_fail(r, DETAILS_EMPTY, ERR_TOO_MANY_REQUESTS,
			     "The server has received too many requests and has asked us to try again later");
		return false;
	}
	r->answer_room = len;
	http_exchange_limit(r->exchange, server->answer_ms);
	return true;
}

bool respond_compresses(const struct request *r, uint64_t len)
{
	return len >= GZIP_MIN_BYTES && !audit_wants_answer(r) && r->method == METHOD_GET &&
	       gzip_wanted(request_header(r, "Accept-Encoding"));
}

enum step_result respond_buf(struct request *r, int code, const char *content_type, struct buf *body)
{
	if (respond_compresses(r, body->len)) {
		gzip_buf(body);
		respond_add_header(r, "Content-Encoding", "gzip");
		respond_add_header(r, "Vary", "Accept-Encoding");
	}
	if (!respond_take_room(r, body->len)) {
		buf_close(body);
		return respond_failure(r);
	}
	size_t len = body->len;
	char *data = buf_take(body);
	begin(r, code);
	http_exchange_send(r->exchange, code, content_type, data, len, free, data);
	return STEP_DONE;
}

enum step_result respond_text(struct request *r, int code, const char *text)
{
	struct buf body = BUF_INIT;
	buf_str(&body, text);
	return respond_buf(r, code, TYPE_TEXT, &body);
}

enum step_result respond_page_not_found(struct request *r)
{
	return respond_text(r, 404, "404 page not found\n");
}

enum step_result respond_json(struct request *r, int code, struct buf *body)
{
	audit_answer(r, body->data, body->len);
	if (!r->accept.yaml && !r->accept.pretty)
		return respond_buf(r, code, TYPE_JSON, body);
	CLEANUP(json_putp) struct json_object *value = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	if (json_parse(body->data, body->len, &value, NULL, &r->err) < 0) {
		buf_close(body);
		r->accept.yaml = r->accept.pretty = false;
		return respond_failure(r);
	}
	buf_close(body);
	if (r->accept.yaml)
		yaml_write(&text, value);
	else
		json_write_indented(&text, value);
	return respond_buf(r, code, r->accept.yaml ? TYPE_YAML : TYPE_JSON, &text);
}

void respond_hash(const struct buf *body, char ret[RESPOND_HASH_SIZE])
{
	unsigned char digest[64] = { 0 };
	gnutls_hash_fast(GNUTLS_DIG_SHA512, body->data ? body->data : "", body->len, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02X", digest[i]);
}

/* RFC 9110 13.1.2: a list of tags, or an asterisk; a weak one is as good. */
static bool has_tag(const char *list, const char *tag)
{
	return list && (strcmp(list, "*") == 0 || strstr(list, tag));
}

enum step_result respond_tagged(struct request *r, const char *content_type, const char *hash,
				struct buf *body)
{
	char tag[RESPOND_HASH_SIZE + 2];
	snprintf(tag, sizeof(tag), "\"%s\"", hash);
	respond_add_header(r, "ETag", tag);
	respond_add_header(r, "Vary", "Accept");
	if (!has_tag(request_header(r, "If-None-Match"), tag))
		return respond_buf(r, 200, content_type, body);
	buf_reset(body);
	return respond_buf(r, 304, content_type, body);
}

static void release_object(void *object)
{
	object_unref(object);
}

/* The shared bytes themselves go out: the response holds the reference until they are sent. */
static enum step_result respond_shared(struct request *r, int code, struct object *object)
{
	size_t len;
	const char *bytes = object_bytes(object, &len);
	if (!respond_take_room(r, len)) {
		object_unref(object);
		return respond_failure(r);
	}
	begin(r, code);
	audit_answer(r, bytes, len);
	http_exchange_send(r->exchange, code, TYPE_JSON, bytes, len, release_object, object);
	return STEP_DONE;
}

enum step_result respond_object_of(struct request *r, int code, const struct resource *resource,
				   struct object *object)
{
	size_t len;
	const char *bytes = object_bytes(object, &len);
	if (r->accept.form == ACCEPT_OBJECT && !r->accept.yaml && !r->accept.pretty &&
	    !respond_compresses(r, len))
		return respond_shared(r, code, object);
	CLEANUP(object_unrefp) struct object *owned = object;
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	enum table_include include;
	char meta[64];
	switch (r->accept.form) {
	case ACCEPT_TABLE:
		if (!table_include_parse(r->query.include_object, &include)) {
			request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "unrecognized includeObject value: %s",
				     r->query.include_object);
			return respond_failure(r);
		}
		snprintf(meta, sizeof(meta), "\"resourceVersion\":\"%llu\"",
			 (unsigned long long)object_revision(owned));
		table_begin(&body, resource, meta, true);
		table_row(&body, resource, owned, include, time_now_us(), true);
		table_end(&body);
		break;
	case ACCEPT_METADATA:
	case ACCEPT_METADATA_LIST:
		table_write_metadata(&body, owned);
		break;
	case ACCEPT_OBJECT:
	case ACCEPT_DISCOVERY:
	case ACCEPT_DISCOVERY_BETA:
		buf_add(&body, bytes, len);
		break;
	}
	return respond_json(r, code, &body);
}

enum step_result respond_object(struct request *r, int code, struct object *object)
{
	return respond_object_of(r, code, r->route.resource, view_show(r->route.resource, object));
}

/* A cause that Kubernetes gives a reason of its own. The Status is taken apart again for it: these are rare.
 */
static void add_cause(struct buf *b, const struct request_cause *cause)
{
	CLEANUP(json_putp) struct json_object *status = NULL;
	if (json_parse(b->data, b->len, &status, NULL, NULL) < 0)
		return;
	struct json_object *item = json_object_new_object();
	json_set_str(item, "reason", cause->reason);
	json_set_str(item, "message", cause->message);
	if (cause->field)
		json_set_str(item, "field", cause->field);
	json_object_array_add(json_ensure_array(json_ensure_object(status, "details"), "causes"), item);
	buf_reset(b);
	json_write(b, status);
}

void respond_write_status(struct buf *b, struct request *r)
{
	const struct resource *resource = r->route.resource;
	struct status_details details = { .retry_after_s = r->retry_after_s };
	switch (r->details) {
	case DETAILS_OBJECT:
		details.name = r->name;
		details.group = resource ? resource->group : NULL;
		details.kind = resource ? resource->plural : NULL;
		break;
	case DETAILS_REFUSED:
		details.name = r->refused.name;
		details.group = r->refused.group;
		details.kind = r->refused.resource;
		break;
	case DETAILS_KIND:
		details.name = r->name;
		details.group = resource ? resource->group : NULL;
		details.kind = resource ? resource->kind_name : NULL;
		details.causes = &r->errors;
		break;
	case DETAILS_CAUSES:
		details.causes = &r->errors;
		break;
	case DETAILS_BINDING:
		details.name = r->name;
		details.kind = "pods/binding";
		break;
	case DETAILS_OPTIONS:
		details.group = r->options_group ? r->options_group : "meta.k8s.io";
		details.kind = r->options_kind;
		details.name = r->options_name;
		details.causes = &r->errors;
		break;
	case DETAILS_NONE:
	case DETAILS_EMPTY:
		break;
	}
	bool with_details = r->details != DETAILS_NONE || r->retry_after_s;
	status_write(b, &r->err, with_details ? &details : NULL);
	if (r->cause.reason)
		add_cause(b, &r->cause);
}

enum step_result respond_failure(struct request *r)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	respond_write_status(&body, r);
	return respond_json(r, err_http_code(r->err.kind), &body);
}

enum step_result respond_success(struct request *r, int code, const char *uid)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	const struct resource *resource = r->route.resource;
	struct status_details details = {
		.name = r->name, .group = resource->group, .kind = resource->plural, .uid = uid
	};
	if (uid) {
		status_write_success(&body, &details);
	} else {
		buf_printf(&body,
			   "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
			   "\"Success\",\"code\":%d}",
			   code);
	}
	return respond_json(r, code, &body);
}

/* Pieces on their way past the audit log. */
struct tapped {
	struct request *r;
	bool (*next)(const char **ret_data, size_t *ret_len, void *arg);
	void (*release)(void *arg);
	void *arg;
};

static bool tapped_next(const char **ret_data, size_t *ret_len, void *arg)
{
	struct tapped *tapped = arg;
	if (!tapped->next(ret_data, ret_len, tapped->arg))
		return false;
	audit_answer(tapped->r, *ret_data, *ret_len);
	return true;
}

static void tapped_release(void *arg)
{
	struct tapped *tapped = arg;
	tapped->release(tapped->arg);
	free(tapped);
}

enum step_result respond_pieces(struct request *r, const char *content_type, uint64_t len,
				bool (*next)(const char **ret_data, size_t *ret_len, void *arg),
				void (*release)(void *arg), void *arg)
{
	begin(r, 200);
	if (audit_wants_answer(r)) {
		struct tapped *tapped = mem_alloc(sizeof(*tapped));
		*tapped = (struct tapped){ r, next, release, arg };
		http_exchange_send_pieces(r->exchange, 200, content_type, len, tapped_next, tapped_release,
					  tapped);
		return STEP_DONE;
	}
	http_exchange_send_pieces(r->exchange, 200, content_type, len, next, release, arg);
	return STEP_DONE;
}

enum step_result respond_stream(struct request *r, const char *content_type,
				ssize_t (*read)(char *data, size_t size, void *arg),
				void (*closed)(void *arg), void *arg)
{
	begin(r, 200);
	audit_stream(r);
	http_exchange_stream(r->exchange, content_type, read, closed, arg);
	return STEP_DONE;
}

enum step_result respond_passed_on(struct request *r, int code, const char *content_type,
				   ssize_t (*read)(char *data, size_t size, void *arg), void *arg)
{
	begin(r, code);
	http_exchange_stream_code(r->exchange, code, content_type, read, NULL, arg);
	return STEP_DONE;
}
