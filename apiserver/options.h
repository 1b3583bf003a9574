/* Options of writes that come in the query: dryRun, fieldValidation.
 * (meta/v1 CreateOptions, UpdateOptions, PatchOptions.)
 */
#pragma once

#include "apiserver/edge/request.h"

/* A step: reads them into r->dry_run and r->validation, or fails as Invalid. */
enum step_result options_write(struct request *r);
/* Fails as Invalid, with r->errors as the causes. */
enum step_result options_invalid(struct request *r, const char *options_kind);
/* GIVEN is what dryRun says, or NULL: sets r->dry_run, or adds to r->errors. */
void options_read_dry_run(struct request *r, const char *given);
