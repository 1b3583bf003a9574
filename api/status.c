#include "api/status.h"

#include <string.h>

static void write_member(struct buf *b, bool *first, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	if (!*first)
		buf_char(b, ',');
	*first = false;
	buf_json_string(b, name);
	buf_char(b, ':');
	buf_json_string(b, value);
}

static void write_causes(struct buf *b, const struct field_errors *causes)
{
	buf_str(b, "\"causes\":[");
	for (size_t i = 0; i < causes->n; i++) {
		const struct field_error *cause = &causes->items[i];
		bool first = true;
		buf_str(b, i > 0 ? ",{" : "{");
		write_member(b, &first, "reason", field_error_cause_reason(cause->type));
		write_member(b, &first, "message", cause->message);
		write_member(b, &first, "field", cause->field);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void write_details(struct buf *b, const struct status_details *details)
{
	bool first = true;

	buf_str(b, ",\"details\":{");
	write_member(b, &first, "name", details->name);
	write_member(b, &first, "group", details->group);
	write_member(b, &first, "kind", details->kind);
	write_member(b, &first, "uid", details->uid);
	if (details->causes != NULL && details->causes->n > 0) {
		if (!first)
			buf_char(b, ',');
		first = false;
		write_causes(b, details->causes);
	}
	if (details->retry_after_s > 0) {
		buf_str(b, first ? "\"retryAfterSeconds\":" : ",\"retryAfterSeconds\":");
		buf_int(b, details->retry_after_s);
	}
	buf_char(b, '}');
}

static void write_invalid(struct buf *b, const char *kind, const char *group, const char *name,
			  const struct field_errors *errors)
{
	buf_str(b, kind);
	if (group != NULL && *group != '\0')
		buf_printf(b, ".%s", group);
	buf_printf(b, " \"%s\" is invalid: ", name == NULL ? "" : name);
	field_errors_write(b, errors);
}

/* The message of an error is bounded, the list of what is wrong with an object is longer at times: it is
 * written again from the causes. */
static void write_message(struct buf *b, const struct err *err, const struct status_details *details)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;

	if (err->kind == ERR_CONFLICT && details != NULL && details->causes != NULL &&
	    details->causes->n > 0) {
		field_errors_write_conflicts(&text, details->causes);
		buf_json_string(b, text.data);
		return;
	}
	if (err->kind == ERR_INVALID && details != NULL && details->causes != NULL &&
	    details->causes->n > 0) {
		write_invalid(&text, details->kind == NULL ? "" : details->kind, details->group,
			      details->name, details->causes);
		buf_json_string(b, text.data);
		return;
	}
	buf_json_string(b, err->msg);
}

#define STATUS_HEAD "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"

void status_write(struct buf *b, const struct err *err, const struct status_details *details)
{
	const char *reason = err_status_reason(err->kind);

	buf_str(b, STATUS_HEAD "\"Failure\",\"message\":");
	write_message(b, err, details);
	if (reason != NULL && *reason != '\0') {
		buf_str(b, ",\"reason\":");
		buf_json_string(b, reason);
	}
	if (details != NULL)
		write_details(b, details);
	buf_printf(b, ",\"code\":%d}", err_http_code(err->kind));
}

void status_write_success(struct buf *b, const struct status_details *details)
{
	buf_str(b, STATUS_HEAD "\"Success\"");
	if (details != NULL)
		write_details(b, details);
	buf_char(b, '}');
}

int status_not_found(struct err *err, const struct resource *resource, const char *name)
{
	return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", resource->qualified, name);
}

int status_already_exists(struct err *err, const struct resource *resource, const char *name)
{
	return err_set(err, ERR_ALREADY_EXISTS, "%s \"%s\" already exists", resource->qualified, name);
}

int status_conflict(struct err *err, const struct resource *resource, const char *name, const char *detail)
{
	if (detail == NULL)
		detail = "the object has been modified; please apply your changes to the latest version and "
			 "try again";
	return err_set(err, ERR_CONFLICT, "Operation cannot be fulfilled on %s \"%s\": %s",
		       resource->qualified, name, detail);
}

int status_invalid(struct err *err, const struct resource *resource, const char *name,
		   const struct field_errors *errors)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;

	write_invalid(&text, resource->kind_name, resource->group, name, errors);
	return err_set(err, ERR_INVALID, "%s", text.data);
}
