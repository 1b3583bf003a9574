#include "controller/garbage_decide.h"

static enum garbage_action decide_owner(const struct garbage_facts *f)
{
	if (f->finalizer_orphan)
		return f->dependants > 0 ? GARBAGE_ORPHAN_DEPENDANTS : GARBAGE_END_ORPHAN;
	if (f->finalizer_foreground && f->blocking == 0)
		return GARBAGE_END_FOREGROUND;
	return GARBAGE_KEEP;
}

enum garbage_action garbage_decide(const struct garbage_facts *f)
{
	size_t count[OWNER_UNKNOWABLE + 1] = { 0 };

	if (f->deleting)
		return decide_owner(f);
	for (size_t i = 0; i < f->n_owners; i++)
		count[f->owners[i]]++;
	if (f->n_owners == 0 || count[OWNER_UNKNOWABLE] > 0)
		return GARBAGE_KEEP;
	if (count[OWNER_UNSURE] > 0)
		return GARBAGE_ASK;
	if (count[OWNER_SOLID] > 0)
		return count[OWNER_SOLID] == f->n_owners ? GARBAGE_KEEP : GARBAGE_RELEASE;
	if (count[OWNER_WAITING] > 0 && f->dependants > 0)
		return f->dependant_in_foreground ? GARBAGE_UNBLOCK : GARBAGE_DELETE_FOREGROUND;
	/* What the object was marked for, when it was made or by an earlier attempt, still holds. */
	if (f->finalizer_orphan)
		return GARBAGE_DELETE_ORPHAN;
	return f->finalizer_foreground ? GARBAGE_DELETE_FOREGROUND : GARBAGE_DELETE_BACKGROUND;
}
