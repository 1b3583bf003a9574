/* One request on its way through the server: a small struct that walks through the steps of its verb.
 *
 *     target ─▶ begin: route, authenticate, authorise, limits ─▶ body ─▶ step ─▶ step ─▶ ... ─▶ answer
 *                                                                         │ ▲
 *                                          core command, the request waits ▼ │  its reply goes on
 *                                                                        core
 *
 * Everything runs on the edge thread that owns the connection, except the replies of commands, which only
 * post a letter to it. A step looks at what the steps before it left in the request and says how it goes on.
 * Tables of steps are in the files of the verbs (create.c, update.c, delete_step.c, list.c ...); dispatch.c
 * says which belongs to what.
 */
#pragma once

#include <stdbool.h>

#include "api/decode.h"
#include "api/status.h"
#include "apiserver/authn/identity.h"
#include "apiserver/core/core.h"
#include "apiserver/edge/accept.h"
#include "apiserver/edge/edge.h"
#include "apiserver/edge/query.h"
#include "apiserver/edge/route.h"
#include "lib/buf.h"
#include "lib/http_exchange.h"
#include "lib/json.h"

#define REQUEST_BODY_MAX (3 * 1024 * 1024)
/* A body nobody wants is read to its end up to this, so that its sender gets to the answer. */
#define REQUEST_DISCARD_MAX (16 * 1024 * 1024)
#define REQUEST_TRIES       5 /* of a read-modify-write when somebody else was faster */

struct server;
struct service_allocation;
struct request;

enum step_result {
	STEP_NEXT,      /* on to the next one */
	STEP_GOTO,      /* request_goto() has set the next one */
	STEP_WAIT,      /* for request_resume: the step after it runs then */
	STEP_WAIT_HERE, /* the same step runs again then */
	STEP_DONE,      /* answered */
	STEP_FAIL,      /* r->err (and r->details) say why; the machine answers with a Status */
};

/* A row of a table of steps; the last row has no run. */
struct request_step {
	const char *name;
	enum step_result (*run)(struct request *r);
};

/* What the details of a failure's Status name. */
enum request_details {
	DETAILS_NONE,
	DETAILS_EMPTY,   /* "details": {} */
	DETAILS_OBJECT,  /* name, group and plural of what the request is about */
	DETAILS_REFUSED, /* name, group and resource of r->refused */
	DETAILS_KIND,    /* name, group and kind, causes from r->errors (Invalid) */
	DETAILS_CAUSES,  /* causes from r->errors alone (conflicts of apply) */
	DETAILS_BINDING, /* name and "pods/binding" */
	DETAILS_OPTIONS, /* r->options_kind of r->options_group, causes from r->errors */
};

struct request_cause {
	const char *reason, *field;
	char message[320];
};

struct request {
	struct server *server;
	struct edge *edge;
	struct http_exchange *exchange; /* its headers can be read until it is answered */
	struct loop_letter replied;     /* by the core */
	char *target;                   /* path and query as sent, cut up by the route */
	enum route_method method;
	struct route route;
	struct query query;
	struct accept accept;
	enum media media;              /* of the body */
	struct identity *identity;     /* whose rights count */
	struct identity *impersonator; /* who asks to be that one; NULL: nobody does */
	struct audit_record *audit;    /* NULL: the audit policy does not want it recorded */
	struct buf body;               /* at most REQUEST_BODY_MAX */
	size_t room;                   /* bytes of it that count in the server's body_bytes */
	bool hung_up;                  /* the peer did, or the server stops: what waits for long may end */
	void (*hung_up_fn)(struct request *r); /* of a verb that waits for long: told of it, or NULL */
	bool counted_read, counted_write;      /* in_flight.h */
	size_t answer_room; /* bytes of the answer that count in the server's answer_bytes */
	struct loop_timer pausing;
	int code; /* of the answer */
	int64_t started_us;

	const struct request_step *step;
	const struct request_step *again; /* where a read-modify-write starts over after a conflict */
	struct core_command command;      /* one at a time */

	/* Left by one step for the next. */
	struct object *current;     /* what is stored */
	struct json_object *old;    /* the same parsed */
	struct json_origin *origin; /* where the values of old lie in current, or NULL */
	struct json_object *obj;    /* what is to be */
	const char *name;           /* of the object; route.name, or as the body or chance has it */
	char generated[264];
	struct buf managed; /* metadata.managedFields of it: managed.h */
	bool has_managed;
	char manager[132];
	struct buf warnings; /* texts, one a line */
	unsigned tries, pauses;
	bool conditional; /* the client named a resourceVersion: no retry */
	bool dry_run;
	enum field_validation validation;
	struct core_command *companions; /* what is written along with the object, or NULL (companions.h) */
	struct service_allocation *allocation; /* of a Service, or NULL (service/allocate.h) */
	void *state;                           /* of a verb; freed by state_free */
	void (*state_free)(void *state);

	struct err err;
	enum request_details details;
	struct field_errors errors;
	struct {
		const char *group, *resource; /* static, or of the route */
		char name[264];
	} refused;                  /* what may not be done is about this, served or not */
	const char *options_kind;   /* "DeleteOptions" */
	const char *options_group;  /* NULL: meta.k8s.io */
	const char *options_name;   /* or NULL */
	struct request_cause cause; /* one more, with a reason of its own; reason NULL: none */
	long retry_after_s;
};

/* What the edges' HTTP servers do with requests; their ARG is the edge. */
extern const struct http_handler request_handler;

/* The value of a header, or NULL. */
const char *request_header(const struct request *r, const char *name);
/* Calls FN for each header, in the order sent. */
void request_each_header(const struct request *r, void (*fn)(const char *name, const char *value, void *arg),
			 void *arg);
/* Whom the client's certificate names, borrowed while the connection lasts; NULL: nobody we know. */
struct identity *request_certificate(struct request *r);
/* Submits r->command, which holds op and arguments (resource, namespace and name default to the
 * route's); a step returns this as its last act. A dry run is answered at once where it can be. */
enum step_result request_submit(struct request *r);
/* The same for a CORE_LIST, which is answered at once when that is short work: a core's thread that sleeps
 * would have to be woken, and to wake us. */
enum step_result request_list(struct request *r);
/* Waits; the same step runs again after MS milliseconds. r->pauses counts them. */
enum step_result request_pause(struct request *r, int64_t ms);
/* On with the step of STEPS that has NAME, which must be there. */
enum step_result request_goto(struct request *r, const struct request_step *steps, const char *name);
/* Fails with the command's error, with the details that its kind calls for. */
enum step_result request_fail_command(struct request *r);
/* Fails with r->err, of core_check_namespace: it is the namespace of what is created that is missing or
 * refuses. */
enum step_result request_fail_namespace(struct request *r);
/* err_set and details in one: return request_fail(r, DETAILS_OBJECT, ERR_CONFLICT, "..."). */
enum step_result request_fail(struct request *r, enum request_details details, enum err_kind kind,
			      const char *format, ...) PRINTF_LIKE(4, 5);
/* r->err is filled already. */
enum step_result request_fail_as(struct request *r, enum request_details details);
/* On with a request whose step said STEP_WAIT or STEP_WAIT_HERE. On its edge's thread, not from a step. */
void request_resume(struct request *r);
/* Puts away what a read-modify-write round left, before the next. */
void request_drop_round(struct request *r);
