/* What users do to the control plane, drawn from the seed alone: one act after the other, each repeated until
 * the server has answered it.
 */
#pragma once

#include "tests/churn/wanted.h"
#include "tests/support/rng.h"

struct churn;
struct acts;
/* WE_DELETE is told the uid of each pod before its deletion is asked for. */
struct acts *acts_new(struct churn *churn, struct wanted *wanted,
		      void (*we_delete)(const char *uid, void *arg), void *arg);
void acts_free(struct acts *acts);
/* The next one. */
void acts_next(struct acts *acts);
/* Ends what waits for a further act: paused Deployments go on. */
void acts_settle(struct acts *acts);
/* Deletes all that is wanted. */
void acts_delete_all(struct acts *acts);
size_t acts_count(const struct acts *acts);
/* Second bindings of bound pods that were tried and refused with 409. */
size_t acts_refused(const struct acts *acts);
