/* One request on its way through the server: a small struct that walks through the steps of its verb.
 *
 *     target ─▶ begin: route, authenticate, authorise, limits ─▶ body ─▶ step ─▶ step ─▶ ... ─▶ answer
 *                                                                         │ ▲
 *                                     core command, connection suspended  ▼ │  its reply resumes it
 *                                                                        core
 *
 * Everything runs on the edge thread that owns the connection, except the replies of commands, which only
 * resume. A step looks at what the steps before it left in the request and says how it goes on. Tables of
 * steps are in the files of the verbs (create.c, update.c, delete_step.c, list.c ...); dispatch.c says which
 * belongs to what.
 */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "api/decode.h"
#include "api/status.h"
#include "apiserver/authn/identity.h"
#include "apiserver/core/core.h"
#include "apiserver/edge/accept.h"
#include "apiserver/edge/attendant.h"
#include "apiserver/edge/query.h"
#include "apiserver/edge/route.h"
#include "lib/buf.h"
#include "lib/json.h"

#define REQUEST_BODY_MAX (3 * 1024 * 1024)
#define REQUEST_TRIES    5 /* of a read-modify-write when somebody else was faster */

struct server;
struct request;

enum step_result {
	STEP_NEXT,      /* on to the next one */
	STEP_GOTO,      /* request_goto() has set the next one */
	STEP_WAIT,      /* suspended; the step after it runs when resumed */
	STEP_WAIT_HERE, /* suspended; the same step runs again when resumed */
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
	DETAILS_BINDING, /* name and "pods/binding" */
	DETAILS_OPTIONS, /* r->options_kind of r->options_group, causes from r->errors */
};

struct request_cause {
	const char *reason, *field;
	char message[320];
};

struct request {
	struct server *server;
	struct MHD_Connection *connection;
	char *target; /* path and query as sent, cut up by the route */
	enum route_method method;
	struct route route;
	struct query query;
	struct accept accept;
	enum media media;              /* of the body */
	struct identity *identity;     /* whose rights count */
	struct identity *impersonator; /* who asks to be that one; NULL: nobody does */
	struct buf body;               /* at most REQUEST_BODY_MAX */
	size_t room;                   /* bytes of it that count in the server's body_bytes */
	size_t discarded;              /* bytes of a body nobody wants */
	bool begun, busy, whole; /* the header is there; the server waits for it to end; the body is there */
	bool close;              /* the connection takes no other request */
	bool counted_read, counted_write;
	size_t answer_room;    /* bytes of the answer that count in the server's answer_bytes */
	struct attend sending; /* of a large answer: when it must have been taken */
	struct attend pausing;
	int code; /* of the answer */
	int64_t started_us;

	const struct request_step *step;
	const struct request_step *again; /* where a read-modify-write starts over after a conflict */
	struct core_command command;      /* one at a time */

	/* Left by one step for the next. */
	struct object *current;  /* what is stored */
	struct json_object *old; /* the same parsed */
	struct json_object *obj; /* what is to be */
	const char *name;        /* of the object; route.name, or as the body or chance has it */
	char generated[264];
	struct buf managed;  /* metadata.managedFields of it: managed.h */
	bool has_managed;
	char manager[132];
	struct buf warnings; /* texts, one a line */
	struct buf headers;  /* further ones of the answer: "Name: value" lines */
	unsigned tries, pauses;
	bool conditional; /* the client named a resourceVersion: no retry */
	bool dry_run;
	enum field_validation validation;
	void *state; /* of a verb; freed by state_free */
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

/* libmicrohttpd's callbacks. */
void *request_target(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_access(void *cls, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_size, void **con_cls);
void request_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
		       enum MHD_RequestTerminationCode why);

/* The value of a header, or NULL. */
const char *request_header(const struct request *r, const char *name);
/* Calls FN for each header, in the order sent. */
void request_each_header(const struct request *r, void (*fn)(const char *name, const char *value, void *arg),
			 void *arg);
/* Suspends and submits r->command, which holds op and arguments (resource, namespace and name default to the
 * route's); a step returns this as its last act. */
enum step_result request_submit(struct request *r);
/* Suspends; the same step runs again after MS milliseconds. r->pauses counts them. */
enum step_result request_pause(struct request *r, int64_t ms);
/* On with the step of STEPS that has NAME, which must be there. */
enum step_result request_goto(struct request *r, const struct request_step *steps, const char *name);
/* Fails with the command's error, with the details that its kind calls for. */
enum step_result request_fail_command(struct request *r);
/* err_set and details in one: return request_fail(r, DETAILS_OBJECT, ERR_CONFLICT, "..."). */
enum step_result request_fail(struct request *r, enum request_details details, enum err_kind kind,
			      const char *format, ...) PRINTF_LIKE(4, 5);
/* r->err is filled already. */
enum step_result request_fail_as(struct request *r, enum request_details details);
/* It will not be suspended any more: the server may stop. Done when answered, but for streams. */
void request_unbusy(struct request *r);
/* It is answered, and no longer in flight: how long its sender takes for the answer hinders nobody. */
void request_release_share(struct request *r);
/* Puts away what a read-modify-write round left, before the next. */
void request_drop_round(struct request *r);
