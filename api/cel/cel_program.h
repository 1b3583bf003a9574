/* Expressions of the Common Expression Language, compiled and run as Kubernetes does for the rules of custom
 * resources. https://github.com/google/cel-spec/blob/master/doc/langdef.md, and
 * https://kubernetes.io/docs/reference/using-api/cel/
 *
 *     text ─▶ cel_lex ─▶ cel_parse ─▶ cel_check ─▶ cel_eval
 *
 * They see two variables: self, a value of a schema, and oldSelf, what it was before.
 */
#pragma once

#include "api/structural.h"
#include "lib/buf.h"
#include "lib/err.h"

struct cel_program;

enum cel_result { CEL_WANTS_BOOL, CEL_WANTS_STRING };

/* TEXT about values of SCHEMA, which outlives the program; ROOT: about whole objects, or embedded ones. With
 * OPTIONAL_OLD oldSelf is an optional. ERR_INVALID with cel-go's words, appended to RET_FAULTS: they can be
 * longer than an error. The caller's, until cel_program_free; any number of threads may run it. */
int cel_program_new(const char *text, const struct structural *schema, bool root, bool optional_old,
		    enum cel_result wants, struct cel_program **ret, struct buf *ret_faults);
void cel_program_free(struct cel_program *program); /* NULL is fine */
bool cel_program_uses_old(const struct cel_program *program);

#define CEL_COST_OF_RULE   1000000  /* steps of one evaluation */
#define CEL_COST_OF_OBJECT 10000000 /* of all rules for an object */

/* Runs it for VALUE, what it is now, and OLD or NULL. *COST grows by the steps it took. For CEL_WANTS_BOOL
 * *RET_TRUE is set; for CEL_WANTS_STRING the text is appended to RET_TEXT. ERR_INVALID with cel-go's words
 * when it comes to an error, ERR_LIMIT when that is that it took too many steps. */
int cel_program_run(const struct cel_program *program, const struct json_object *value,
		    const struct json_object *old, uint64_t *cost, bool *ret_true, struct buf *ret_text,
		    struct err *err);
/* True when expressions can speak about values of SCHEMA. */
bool cel_program_sees(const struct structural *schema);
