/* meta/v1 Status bodies: what every refused request gets. */
#pragma once

#include "api/field_error.h"
#include "api/resource.h"
#include "lib/buf.h"
#include "lib/err.h"

/* Details of a Status; NULL members are left out. */
struct status_details {
	const char *name, *group, *kind, *uid;
	const struct field_errors *causes; /* or NULL; with ERR_INVALID and ERR_CONFLICT the message is made
					      of all of them */
	long retry_after_s;                /* 0: none */
};

/* Appends
 * {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":...,"reason":...,"details":...,
 * "code":...}. reason is left out for kinds without one (ERR_SYSTEM...: InternalError). */
void status_write(struct buf *b, const struct err *err, const struct status_details *details);
/* Status of a success: {"status":"Success","details":{...}} (deletions). */
void status_write_success(struct buf *b, const struct status_details *details);

/* Errors in Kubernetes' words: pods "x" not found; pods "x" already exists; Operation cannot be
 * fulfilled on pods "x": the object has been modified; please apply your changes to the latest version and
 * try again; Pod "x" is invalid: ... All return -1. */
int status_not_found(struct err *err, const struct resource *resource, const char *name);
int status_already_exists(struct err *err, const struct resource *resource, const char *name);
/* DETAIL NULL: the object has been modified. */
int status_conflict(struct err *err, const struct resource *resource, const char *name, const char *detail);
int status_invalid(struct err *err, const struct resource *resource, const char *name,
		   const struct field_errors *errors);
