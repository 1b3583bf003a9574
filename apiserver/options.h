/* Options of writes that come in the query: dryRun, fieldValidation.
 * (meta/v1 CreateOptions, UpdateOptions, PatchOptions.)
 */
#pragma once

#include "apiserver/edge/request.h"

/* A step: reads them into r->dry_run and r->validation, or fails as Invalid. */
enum step_result options_write(struct request *r);
/* r->validation from what the query says; for what has options of its own. */
enum step_result options_invalid(struct request *r, const char *options_kind);
