/* The audit log: one audit.k8s.io/v1 Event, a line of JSON, for each stage of each request that the policy
 * (policy.h) wants recorded. https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
 *
 *     who asks is known ─▶ RequestReceived ─▶ (a stream begins: ResponseStarted) ─▶ ResponseComplete
 *
 * Without a policy server->audit is NULL, and all this is one comparison.
 */
#pragma once

#include "apiserver/audit/log.h"
#include "apiserver/edge/request.h"

struct audit;
struct audit_record; /* of one request: r->audit */

/* By the policy in POLICY_FILE, into LOG, which is copied. Fails when the policy cannot be read or is none,
 * or the log cannot be opened. */
int audit_new(const char *policy_file, const struct audit_log_opts *log, struct audit **ret, struct err *err);
void audit_free(struct audit *audit); /* NULL is fine */
/* Lines written, and lost, so far. */
void audit_counts(struct audit *audit, uint64_t *ret_written, uint64_t *ret_lost);

/* r->identity is known (NULL: nobody), impersonation is still to come. */
void audit_begin(struct request *r);
/* The answer's JSON is going to be kept: it is to go by where audit_answer sees it. */
bool audit_wants_answer(const struct request *r);
/* Something of note about the request (audit.k8s.io Event.annotations). Said again it stays as it was first
 * said. */
void audit_annotate(struct request *r, const char *key, const char *value);
/* More of the answer's JSON. */
void audit_answer(struct request *r, const char *json, size_t len);
/* A stream begins. */
void audit_stream(struct request *r);
/* The request is over. */
void audit_end(struct request *r);
