/* What deletions by other names share with DELETE. */
#pragma once

#include "apiserver/delete.h"
#include "apiserver/edge/request.h"

/* BODY, a meta.v1.DeleteOptions or NULL, into OPTIONS and r->dry_run; faults are in r->errors. */
void delete_read_options(struct request *r, struct delete_options *options, const struct json_object *body);
/* Fails unless r->current is what the preconditions of OPTIONS ask for. */
enum step_result delete_check(struct request *r, const struct delete_options *options);
