/* GET of one object, and of collections. */
#include "apiserver/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/gzip.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/options.h"
#include "apiserver/table.h"
#include "apiserver/view.h"
#include "lib/timefmt.h"

/* A list over this must be taken in time. Of its bytes only what is under way is held for it, and what
 * surrounds them: objects are shared. */
#define LIST_LARGE (64 * 1024)
/* Lines are for people: what is larger nobody reads, and taking it apart would fill the memory. */
#define LIST_PRETTY_MAX (4 * 1024 * 1024)
#define LIST_BLOCK      (128 * 1024)

static enum step_result get_object(struct request *r)
{
	struct object *object = NULL;
	if (core_get(r->server->core, r->route.resource, r->route.namespace_, r->name, &object, &r->err) < 0)
		return request_fail_as(r, DETAILS_OBJECT);
	return respond_object(r, 200, object);
}

const struct request_step get_steps[] = { { "get", get_object }, { NULL, NULL } };

static bool selectable(const struct resource *resource, const char *key)
{
	if (strcmp(key, "metadata.name") == 0 ||
	    (strcmp(key, "metadata.namespace") == 0 && resource->namespaced))
		return true;
	for (const char *const *field = resource->kind->selectable_fields; field && *field; field++)
		if (strcmp(key, *field) == 0)
			return true;
	return false;
}

static void rename_field(const struct resource *resource, struct selector_requirement *requirement)
{
	const char *stored = view_stored_field(resource, requirement->key);
	if (stored == requirement->key)
		return;
	free(requirement->key);
	requirement->key = mem_dup(stored);
}

static enum step_result check_fields(struct request *r, const struct selector *fields)
{
	const struct resource *resource = r->route.resource;
	for (size_t i = 0; i < fields->n; i++) {
		const char *key = fields->requirements[i].key;
		if (selectable(resource, key)) {
			rename_field(resource, &fields->requirements[i]);
			continue;
		}
		if (resource->kind->selectable_fields)
			return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "field label not supported: %s",
					    key);
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "\"%s\" is not a known field selector: only \"metadata.name\"%s", key,
				    resource->namespaced ? ", \"metadata.namespace\"" : "");
	}
	return STEP_NEXT;
}

enum step_result list_selection_parse(struct request *r, struct list_selection *ret)
{
	const struct query *query = &r->query;
	if (query->label_selector && *query->label_selector) {
		if (selector_parse(query->label_selector, &ret->labels, &r->err) < 0)
			return request_fail_as(r, DETAILS_NONE);
		ret->filter.labels = &ret->labels;
	}
	if (query->field_selector && *query->field_selector) {
		if (selector_parse_fields(query->field_selector, &ret->fields, &r->err) < 0)
			return request_fail_as(r, DETAILS_NONE);
		ret->filter.fields = &ret->fields;
		ret->filter.name = selector_exact(&ret->fields, "metadata.name");
	}
	ret->filter.namespace_ = *r->route.namespace_ ? r->route.namespace_ : NULL;
	if (*r->name) /* a watch of one object by its path */
		ret->filter.name = r->name;
	return check_fields(r, &ret->fields);
}

void list_selection_close(struct list_selection *selection)
{
	selector_close(&selection->labels);
	selector_close(&selection->fields);
	*selection = (struct list_selection){ 0 };
}

struct list_state {
	struct list_selection selection;
	char *after_key;
};

static void list_state_free(void *state)
{
	struct list_state *list = state;
	list_selection_close(&list->selection);
	free(list->after_key);
	free(list);
}

static void forbid_match(struct request *r, const char *detail)
{
	struct field_path path;
	field_path_init(&path, "resourceVersionMatch");
	field_error_forbidden(&r->errors, &path, detail);
}

/* meta/v1 validation.ValidateListOptions */
static enum step_result check_options(struct request *r)
{
	static const char *const supported[] = { "Exact", "NotOlderThan", "", NULL };
	const struct query *query = &r->query;
	const char *match = query->resource_version_match ? query->resource_version_match : "";
	const char *version = query->resource_version ? query->resource_version : "";
	struct field_path path;
	field_path_init(&path, "resourceVersionMatch");
	if (*match && !*version)
		forbid_match(r, "resourceVersionMatch is forbidden unless resourceVersion is provided");
	else if (*match && query->continue_ && *query->continue_)
		forbid_match(r, "resourceVersionMatch is forbidden when continue is provided");
	if (*match && strcmp(match, "Exact") != 0 && strcmp(match, "NotOlderThan") != 0)
		field_error_not_supported(&r->errors, &path, match, supported);
	if (strcmp(match, "Exact") == 0 && strcmp(version, "0") == 0)
		forbid_match(r, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
	if (query->has_send_initial_events) {
		field_path_init(&path, "sendInitialEvents");
		field_error_forbidden(&r->errors, &path, "sendInitialEvents is forbidden for list");
	}
	return r->errors.n ? options_invalid(r, "ListOptions") : STEP_NEXT;
}

/* Which snapshot: a page's, exactly the one named, one not older, or now. */
static enum step_result choose_snapshot(struct request *r, struct list_state *state)
{
	const struct query *query = &r->query;
	const char *match = query->resource_version_match ? query->resource_version_match : "";
	uint64_t revision;
	if (list_parse_revision(query->resource_version, &revision, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	if (query->continue_ && *query->continue_) {
		if (revision)
			return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
					    "specifying resource version is not allowed when using continue");
		if (list_continue_parse(query->continue_, &r->command.at_revision, &state->after_key,
					&r->err) < 0)
			return request_fail_as(r, DETAILS_NONE);
		r->command.after_key = state->after_key;
	} else if (strcmp(match, "Exact") == 0 || (!*match && revision && query->limit > 0)) {
		r->command.at_revision = revision;
	} else {
		r->command.not_older_than = revision;
	}
	return STEP_NEXT;
}

static enum step_result list_submit(struct request *r)
{
	struct list_state *state = mem_zalloc(sizeof(*state));
	r->state = state;
	r->state_free = list_state_free;
	r->command = (struct core_command){ .op = CORE_LIST };
	if (check_options(r) == STEP_FAIL || list_selection_parse(r, &state->selection) == STEP_FAIL ||
	    choose_snapshot(r, state) == STEP_FAIL)
		return STEP_FAIL;
	r->command.filter = state->selection.filter;
	r->command.limit = r->query.limit > 0 ? (size_t)r->query.limit : 0;
	return request_list(r);
}

/* A list on its way: its head, then each object's bytes after what separates it from the one before. */
struct list_body {
	struct buf head;
	struct object **objects;
	size_t n;
	size_t at; /* object; n: the end of the list */
	enum { LIST_HEAD, LIST_SEPARATOR, LIST_OBJECT, LIST_ENDED } next;
	const char *piece; /* what is left of one that is read */
	size_t piece_len;
};

static const char list_end[] = "]}";

static bool list_next(const char **ret_data, size_t *ret_len, void *arg)
{
	struct list_body *body = arg;
	switch (body->next) {
	case LIST_HEAD:
		*ret_data = body->head.data;
		*ret_len = body->head.len;
		body->next = LIST_SEPARATOR;
		return true;
	case LIST_SEPARATOR:
		*ret_data = body->at == body->n ? list_end : body->at ? ",{" : "{";
		*ret_len = strlen(*ret_data);
		body->next = body->at == body->n ? LIST_ENDED : LIST_OBJECT;
		return true;
	case LIST_OBJECT:
		*ret_data = object_listed_bytes(body->objects[body->at++], ret_len);
		body->next = LIST_SEPARATOR;
		return true;
	case LIST_ENDED:
		break;
	}
	return false;
}

static void list_body_free(void *cls)
{
	struct list_body *body = cls;
	for (size_t i = 0; i < body->n; i++)
		object_unref(body->objects[i]);
	free(body->objects);
	buf_close(&body->head);
	free(body);
}

/* The same as a stream of bytes, for the compressor. */
static ssize_t list_read(char *data, size_t size, void *arg)
{
	struct list_body *body = arg;
	size_t put = 0;
	while (put < size && (body->piece_len || list_next(&body->piece, &body->piece_len, body))) {
		size_t n = body->piece_len < size - put ? body->piece_len : size - put;
		memcpy(data + put, body->piece, n);
		put += n;
		body->piece += n;
		body->piece_len -= n;
	}
	return (ssize_t)put;
}

static ssize_t list_read_compressed(char *data, size_t size, void *arg)
{
	size_t n = gzip_stream_read(arg, data, size);
	return n ? (ssize_t)n : -1;
}

static void compressed_free(void *arg)
{
	gzip_stream_free(arg);
}

static enum step_result respond_compressed(struct request *r, struct list_body *body)
{
	respond_add_header(r, "Content-Encoding", "gzip");
	respond_add_header(r, "Vary", "Accept-Encoding");
	return respond_stream(r, "application/json", list_read_compressed, compressed_free,
			      gzip_stream_new(list_read, list_body_free, body));
}

static enum step_result respond_objects(struct request *r, struct buf *head, struct object *const *objects,
					size_t n)
{
	struct list_body *body = mem_zalloc(sizeof(*body));
	uint64_t total = head->len + sizeof(list_end) - 1;
	body->head = *head;
	*head = BUF_INIT;
	body->n = n;
	body->objects = mem_alloc((n ? n : 1) * sizeof(struct object *));
	for (size_t i = 0; i < n; i++) {
		size_t len;
		body->objects[i] = object_ref(objects[i]);
		object_listed_bytes(objects[i], &len);
		total += len + (i ? 2 : 1);
	}
	if (!r->accept.yaml && (!r->accept.pretty || total > LIST_PRETTY_MAX)) {
		bool compressed = respond_compresses(r, total);
		if (total > LIST_LARGE &&
		    !respond_take_room(r, LIST_BLOCK + (compressed ? (size_t)GZIP_BYTES : 0) +
					      body->head.len + n * sizeof(struct object *))) {
			list_body_free(body);
			return STEP_FAIL;
		}
		if (compressed)
			return respond_compressed(r, body);
		return respond_pieces(r, "application/json", total, list_next, list_body_free, body);
	}
	CLEANUP(buf_close) struct buf whole = BUF_INIT;
	const char *piece;
	size_t len;
	buf_reserve(&whole, total + 1);
	while (list_next(&piece, &len, body))
		buf_add(&whole, piece, len);
	list_body_free(body);
	return respond_json(r, 200, &whole);
}

static void write_meta(struct buf *b, uint64_t revision, const char *continue_, size_t remaining)
{
	buf_printf(b, "\"resourceVersion\":\"%llu\"", (unsigned long long)revision);
	if (!continue_)
		return;
	buf_printf(b, ",\"continue\":\"%s\"", continue_);
	if (remaining)
		buf_printf(b, ",\"remainingItemCount\":%zu", remaining);
}

static enum step_result respond_table(struct request *r, struct object *const *objects, size_t n,
				      const char *meta)
{
	enum table_include include;
	if (!table_include_parse(r->query.include_object, &include))
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "unrecognized includeObject value: %s",
				    r->query.include_object);
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	int64_t now_us = time_now_us();
	table_begin(&body, r->route.resource, meta, true);
	for (size_t i = 0; i < n; i++)
		table_row(&body, r->route.resource, objects[i], include, now_us, i == 0);
	table_end(&body);
	return respond_json(r, 200, &body);
}

static enum step_result respond_list(struct request *r, struct object *const *objects, size_t n,
				     uint64_t revision, const char *continue_, size_t remaining)
{
	const struct resource *resource = r->route.resource;
	CLEANUP(buf_close) struct buf meta = BUF_INIT;
	CLEANUP(buf_close) struct buf head = BUF_INIT;
	write_meta(&meta, revision, continue_, remaining);
	switch (r->accept.form) {
	case ACCEPT_TABLE:
		return respond_table(r, objects, n, meta.data);
	case ACCEPT_METADATA:
	case ACCEPT_METADATA_LIST:
		buf_printf(&head,
			   "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/"
			   "v1\",\"metadata\":{%s},"
			   "\"items\":[",
			   meta.data);
		for (size_t i = 0; i < n; i++) {
			if (i)
				buf_char(&head, ',');
			table_write_metadata(&head, objects[i]);
		}
		buf_str(&head, list_end);
		return respond_json(r, 200, &head);
	case ACCEPT_OBJECT:
	case ACCEPT_DISCOVERY:
	case ACCEPT_DISCOVERY_BETA:
		break;
	}
	buf_printf(&head, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{%s},\"items\":[",
		   resource->list_kind, resource->group_version, meta.data);
	return respond_objects(r, &head, objects, n);
}

enum step_result list_respond(struct request *r, struct object *const *objects, size_t n, uint64_t revision,
			      const char *continue_, size_t remaining)
{
	const struct resource *resource = r->route.resource;
	if (resource->stored == resource && !resource->custom)
		return respond_list(r, objects, n, revision, continue_, remaining);
	struct object **shown = mem_alloc((n ? n : 1) * sizeof(*shown));
	for (size_t i = 0; i < n; i++)
		shown[i] = view_show(resource, object_ref(objects[i]));
	enum step_result result = respond_list(r, shown, n, revision, continue_, remaining);
	for (size_t i = 0; i < n; i++)
		object_unref(shown[i]);
	free(shown);
	return result;
}

/* The snapshot of a page is gone. Whoever can live with a list that is not of one moment gets a token to go
 * on with.
 */
static enum step_result respond_expired(struct request *r)
{
	static const char empty[] = "\"metadata\":{";
	CLEANUP(buf_close) struct buf token = BUF_INIT;
	CLEANUP(buf_close) struct buf status = BUF_INIT;
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	r->err = r->command.err;
	r->details = DETAILS_NONE;
	respond_write_status(&status, r);
	list_continue_write(&token, LIST_CONTINUE_NOW, r->command.after_key);
	const char *metadata = strstr(status.data, empty);
	size_t before = metadata ? (size_t)(metadata - status.data) + strlen(empty) : 0;
	buf_add(&body, status.data, before);
	if (metadata)
		buf_printf(&body, "\"continue\":\"%s\"", token.data);
	buf_str(&body, status.data + before);
	return respond_json(r, err_http_code(r->err.kind), &body);
}

static enum step_result list_reply(struct request *r)
{
	struct core_command *command = &r->command;
	if (command->err.kind == ERR_EXPIRED && command->after_key)
		return respond_expired(r);
	if (command->err.kind != ERR_NONE)
		return request_fail_command(r);
	CLEANUP(buf_close) struct buf token = BUF_INIT;
	if (command->ret_more && command->ret_n)
		list_continue_write(&token, (int64_t)command->ret_revision,
				    object_key(command->ret_objects[command->ret_n - 1]));
	return list_respond(r, command->ret_objects, command->ret_n, command->ret_revision, token.data,
			    command->ret_remaining);
}

const struct request_step list_steps[] = { { "submit", list_submit },
					   { "reply", list_reply },
					   { NULL, NULL } };
