/* What has to be done after a CustomResourceDefinition was written and that no client waits for: its status,
 * the end of watches that were opened on an older schema, and, when it is being deleted, the deletion of its
 * objects and then of itself. One thread, asleep while there is nothing to do; what it does is found anew
 * from the definitions, so that it may be stopped anywhere.
 *
 *     terminating: delete objects ─▶ all gone? ─▶ retire the resource ─▶ take the finalizer away
 *                      ▲               │ held by finalizers of their own
 *                      └── later ◀─────┘
 */
#pragma once

#include "apiserver/crd/definitions.h"

struct caretaker;

/* Starts the thread. DEFINITIONS has been made and its core runs; both outlive it. */
int caretaker_new(struct definitions *definitions, struct core *core, struct caretaker **ret,
		  struct err *err);
/* Stops it where it is. The core must still run. NULL is fine. */
void caretaker_free(struct caretaker *caretaker);
