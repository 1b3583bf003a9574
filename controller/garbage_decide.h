/* What the garbage collector does with one object: a pure function of the object, its owners and its
 * dependants. https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Of one owner reference. */
enum owner_state {
	OWNER_SOLID,   /* it is there and stays */
	OWNER_WAITING, /* it is being deleted in the foreground: waits for its dependants */
	OWNER_GONE,
	OWNER_UNSURE,     /* the cache does not know it: the server must be asked */
	OWNER_UNKNOWABLE, /* of a kind that is not served, or in no namespace it could be in: nothing may
			     follow from it */
};

enum garbage_action {
	GARBAGE_KEEP,
	GARBAGE_ASK,     /* about the owners that are unsure */
	GARBAGE_RELEASE, /* remove the references to owners gone and waiting */
	GARBAGE_UNBLOCK, /* a circle of foreground deletions: its references stop blocking, so that one owner
			    can go */
	GARBAGE_DELETE_BACKGROUND,
	GARBAGE_DELETE_FOREGROUND,
	GARBAGE_DELETE_ORPHAN,
	GARBAGE_ORPHAN_DEPENDANTS, /* remove the dependants' references to it */
	GARBAGE_END_ORPHAN,        /* remove the finalizer orphan */
	GARBAGE_END_FOREGROUND,    /* remove the finalizer foregroundDeletion */
};

struct garbage_facts {
	bool deleting, finalizer_foreground, finalizer_orphan;
	const enum owner_state *owners;
	size_t n_owners;
	size_t dependants;            /* that the cache knows */
	size_t blocking;              /* of these, those with blockOwnerDeletion */
	bool dependant_in_foreground; /* one of them is itself being deleted in the foreground */
};

enum garbage_action garbage_decide(const struct garbage_facts *facts);
