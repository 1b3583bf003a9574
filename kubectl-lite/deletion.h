/* Deleting one object, and waiting until it is gone.
 */
#pragma once

#include "kubectl-lite/objects.h"

struct deletion {
	const char *cascade; /* what becomes of dependents: "background", "foreground" or "orphan" */
	int64_t grace_s;     /* below 0: the object's own */
	bool dry_run;        /* the server is asked and deletes nothing */
};

/* Refuses what is none of the three. */
int deletion_check_cascade(const char *cascade, struct err *err);
/* *ret_uid, to be freed, is that of the object, or NULL. */
int deletion_send(const struct object *object, const struct deletion *how, char **ret_uid, struct err *err);
/* Until the object, or the one of that uid, is gone; fails at DEADLINE_US of CLOCK_MONOTONIC. */
int deletion_wait(const struct object *object, const char *uid, int64_t deadline_us, struct err *err);
