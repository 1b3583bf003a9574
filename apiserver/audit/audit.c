#include "apiserver/audit/audit.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/audit/policy.h"
#include "apiserver/authz/authorize.h"
#include "apiserver/chance.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "lib/timefmt.h"
#include "lib/yaml.h"

#define ANSWER_MAX (4 * 1024 * 1024) /* of what is kept of an answer */
#define ID_MAX     64

struct audit {
	struct audit_policy *policy;
	struct audit_log *log;
};

struct audit_record {
	struct audit_verdict verdict;
	char id[ID_MAX + 1];
	char *uri, *agent;
	char source[HTTP_PEER_SIZE];
	int64_t received_us;
	struct buf answer;
	struct json_object *annotations; /* or NULL */
};

/* --- start and end --- */

int audit_new(const char *policy_file, const struct audit_log_opts *log, struct audit **ret, struct err *err)
{
	struct audit *audit = mem_zalloc(sizeof(*audit));
	if (audit_policy_read(policy_file, &audit->policy, err) < 0 ||
	    audit_log_new(log, &audit->log, err) < 0) {
		audit_free(audit);
		return -1;
	}
	*ret = audit;
	return 0;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	audit_log_free(audit->log);
	audit_policy_free(audit->policy);
	free(audit);
}

void audit_counts(struct audit *audit, uint64_t *ret_written, uint64_t *ret_lost)
{
	audit_log_counts(audit->log, ret_written, ret_lost);
}

/* --- an Event --- */

static void add_member(struct buf *b, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	buf_printf(b, ",\"%s\":", key);
	buf_json_string(b, value);
}

static void add_user(struct buf *b, const char *key, const struct identity *identity)
{
	if (!identity)
		return;
	buf_printf(b, ",\"%s\":", key);
	identity_write(b, identity);
}

static void add_object_ref(struct buf *b, const struct request *r)
{
	const struct route_asked *asked = &r->route.asked;
	if (!asked->is_resource)
		return;
	buf_str(b, ",\"objectRef\":{\"resource\":");
	buf_json_string(b, asked->resource);
	add_member(b, "namespace", asked->namespace_);
	add_member(b, "name", *asked->name ? asked->name : r->name);
	add_member(b, "apiGroup", asked->group);
	add_member(b, "apiVersion", asked->version);
	add_member(b, "subresource", asked->subresource);
	buf_char(b, '}');
}

static void add_status(struct buf *b, const struct request *r)
{
	if (!r->code)
		return; /* the peer hung up before there was an answer */
	buf_str(b, ",\"responseStatus\":{\"metadata\":{}");
	if (r->err.kind != ERR_NONE) {
		buf_str(b, ",\"status\":\"Failure\"");
		add_member(b, "message", r->err.msg);
		add_member(b, "reason", err_status_reason(r->err.kind));
	}
	buf_printf(b, ",\"code\":%d}", r->code);
}

static void drop_managed(struct json_object *obj)
{
	const struct json_object *items = json_get(obj, "items");
	struct json_object *metadata = json_get(obj, "metadata");
	if (metadata)
		json_object_object_del(metadata, "managedFields");
	for (size_t i = 0; i < json_len(items); i++)
		drop_managed(json_at(items, i));
}

/* TEXT as one value on one line; nothing when it is none. */
static void add_object(struct buf *b, const char *key, const char *text, size_t len, bool yaml,
		       bool omit_managed)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	struct yaml_doc *docs = NULL;
	size_t n = 0;
	if (yaml && yaml_parse("body", text, len, &docs, &n, NULL) == 0) {
		obj = n ? json_object_get(docs[0].value) : NULL;
		yaml_docs_free(docs, n);
	} else if (!yaml) {
		json_parse(text, len, &obj, NULL, NULL);
	}
	if (!obj)
		return;
	if (omit_managed && json_object_is_type(obj, json_type_object))
		drop_managed(obj);
	buf_printf(b, ",\"%s\":", key);
	json_write(b, obj);
}

static void add_bodies(struct buf *b, const struct request *r, enum audit_stage stage)
{
	const struct audit_record *record = r->audit;
	const struct audit_verdict *verdict = &record->verdict;
	if (stage == AUDIT_REQUEST_RECEIVED)
		return;
	if (verdict->level >= AUDIT_REQUEST && r->body.len)
		add_object(b, "requestObject", r->body.data, r->body.len, r->media == MEDIA_YAML,
			   verdict->omit_managed_fields);
	if (verdict->level >= AUDIT_REQUEST_RESPONSE && record->answer.len)
		add_object(b, "responseObject", record->answer.data, record->answer.len, false,
			   verdict->omit_managed_fields);
}

static void add_times(struct buf *b, const struct audit_record *record)
{
	char text[TIMEFMT_SIZE];
	add_member(b, "requestReceivedTimestamp", time_format_micro(record->received_us, text));
	add_member(b, "stageTimestamp", time_format_micro(time_now_us(), text));
}

static void add_annotations(struct buf *b, const struct request *r)
{
	buf_printf(b, ",\"annotations\":{\"authorization.k8s.io/decision\":\"%s\"",
		   r->details == DETAILS_REFUSED ? "forbid" : "allow");
	struct json_object *annotations = r->audit->annotations;
	if (annotations) {
		json_object_object_foreach(annotations, key, value)
		{
			add_member(b, key, json_object_get_string(value));
		}
	}
	buf_char(b, '}');
}

static void emit(struct request *r, enum audit_stage stage)
{
	const struct audit_record *record = r->audit;
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	if (record->verdict.omit_stages & (unsigned)stage)
		return;
	buf_str(&b, "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":");
	buf_json_string(&b, audit_level_name(record->verdict.level));
	add_member(&b, "auditID", record->id);
	add_member(&b, "stage", audit_stage_name(stage));
	add_member(&b, "requestURI", record->uri);
	add_member(&b, "verb", authorize_verb(r));
	add_user(&b, "user", r->impersonator ? r->impersonator : r->identity);
	add_user(&b, "impersonatedUser", r->impersonator ? r->identity : NULL);
	if (*record->source) {
		buf_str(&b, ",\"sourceIPs\":[");
		buf_json_string(&b, record->source);
		buf_char(&b, ']');
	}
	add_member(&b, "userAgent", record->agent);
	add_object_ref(&b, r);
	if (stage != AUDIT_REQUEST_RECEIVED)
		add_status(&b, r);
	add_bodies(&b, r, stage);
	add_times(&b, record);
	if (stage != AUDIT_REQUEST_RECEIVED && r->identity)
		add_annotations(&b, r);
	buf_str(&b, "}\n");
	audit_log_add(r->server->audit->log, b.data, b.len);
}

/* --- the way of a request --- */

static void set_id(struct audit_record *record, const char *given)
{
	size_t len = given ? strlen(given) : 0;
	if (len && len <= ID_MAX)
		memcpy(record->id, given, len + 1);
	else
		chance_uuid(record->id);
}

void audit_begin(struct request *r)
{
	const struct audit *audit = r->server->audit;
	const struct route_asked *asked = &r->route.asked;
	if (!audit)
		return;
	struct audit_attributes attributes = {
		.identity = r->identity,
		.verb = authorize_verb(r),
		.is_resource = asked->is_resource,
		.group = asked->group,
		.resource = asked->resource,
		.subresource = asked->subresource,
		.namespace_ = asked->namespace_,
		.name = asked->name,
		.path = r->route.path ? r->route.path : "",
	};
	struct audit_verdict verdict;
	audit_policy_judge(audit->policy, &attributes, &verdict);
	if (verdict.level == AUDIT_NONE)
		return;
	struct audit_record *record = r->audit = mem_zalloc(sizeof(*record));
	record->verdict = verdict;
	record->uri = mem_dup(http_exchange_target(r->exchange));
	record->agent = mem_dup(request_header(r, "User-Agent"));
	record->received_us = time_now_us() - (time_mono_us() - r->started_us);
	record->answer = BUF_INIT_MAX(ANSWER_MAX);
	http_exchange_peer(r->exchange, record->source);
	set_id(record, request_header(r, "Audit-ID"));
	respond_add_header(r, "Audit-Id", record->id);
	if (r->identity)
		emit(r, AUDIT_REQUEST_RECEIVED);
}

bool audit_wants_answer(const struct request *r)
{
	return r->audit && r->audit->verdict.level == AUDIT_REQUEST_RESPONSE;
}

void audit_answer(struct request *r, const char *json, size_t len)
{
	if (audit_wants_answer(r))
		buf_add(&r->audit->answer, json, len);
}

void audit_annotate(struct request *r, const char *key, const char *value)
{
	struct audit_record *record = r->audit;
	if (!record)
		return;
	if (!record->annotations)
		record->annotations = json_object_new_object();
	if (!json_get(record->annotations, key))
		json_set_str(record->annotations, key, value);
}

void audit_stream(struct request *r)
{
	if (r->audit)
		emit(r, AUDIT_RESPONSE_STARTED);
}

void audit_end(struct request *r)
{
	struct audit_record *record = r->audit;
	if (!record)
		return;
	emit(r, AUDIT_RESPONSE_COMPLETE);
	r->audit = NULL;
	free(record->uri);
	free(record->agent);
	buf_close(&record->answer);
	json_object_put(record->annotations);
	free(record);
}
