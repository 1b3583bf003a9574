#include "tests/crash/check_writes.h"

static const char *const op_names[OP_KINDS] = { "create", "update", "patch", "tested patch",
						"bind",   "delete", "get" };

/* A fault of OP (number NUMBER). */
#define OP_FAULT(format, ...)                                                                                \
	verdict_fault(verdict, "%s %u of %s " format, op_names[op->kind], number,                            \
		      timeline_object_name(timeline, op->object), __VA_ARGS__)

/* --- who made a change --- */

/* The number that CHANGE put in, 0 when it is not the work of one write. */
static uint32_t writer_of(const struct change *change)
{
	const uint32_t *before = change->before.slots, *after = change->after.slots;

	if (!change->before.revision)
		return after[1] ? 0 : after[0];
	if (after[0] != before[0])
		return after[1] == before[1] ? after[0] : 0;
	return after[1] != before[1] ? after[1] : 0;
}

/* Whether STATE is one on which OP may do its work. */
static bool condition_holds(const struct op *op, const struct state *state)
{
	if (op->kind == OP_CREATE)
		return !state->revision;
	return state->revision && (!op->if_revision || op->if_revision == state->revision) &&
	       (!op->if_uid || op->if_uid == state->uid) &&
	       (op->kind != OP_TEST || op->expect == state->slots[0]) &&
	       (op->kind != OP_BIND || !state->slots[1]);
}

static void land(struct timeline *timeline, struct verdict *verdict, struct change *change, uint32_t number)
{
	const struct history *history = timeline->history;
	const struct op *op = &history->ops[number - history->first_op];
	uint64_t *landed = &timeline->landed[number - history->first_op];

	if (*landed)
		OP_FAULT("happened twice, at revisions %llu and %llu", (unsigned long long)*landed,
			 (unsigned long long)change->revision);
	if (op->outcome == OP_REFUSED)
		OP_FAULT("was refused with %d and is there at revision %llu", op->code,
			 (unsigned long long)change->revision);
	if (op->answer.revision && op->answer.revision != change->revision)
		OP_FAULT("was acknowledged at revision %llu and is there at revision %llu",
			 (unsigned long long)op->answer.revision, (unsigned long long)change->revision);
	if (!condition_holds(op, &change->before))
		OP_FAULT("happened on a state it must not: precondition revision %llu, found %s",
			 (unsigned long long)op->if_revision, timeline_state_text(&change->before));
	if (op->kind == OP_UPDATE && op->carried != change->after.slots[1])
		OP_FAULT("is there in part: %s", timeline_state_text(&change->after));
	if (change->revision <= op->floor)
		OP_FAULT("has revision %llu, and %llu was seen before it began",
			 (unsigned long long)change->revision, (unsigned long long)op->floor);
	*landed = change->revision;
	change->writer = number;
}

static void explain(struct timeline *timeline, struct verdict *verdict, struct change *change)
{
	const struct history *history = timeline->history;
	uint32_t number = writer_of(change);
	const struct op *op = number >= history->first_op && number - history->first_op < history->n_ops
				  ? &history->ops[number - history->first_op]
				  : NULL;

	if (!op || op->object != change->object || op->kind >= OP_DELETE ||
	    change->after.slots[op->slot] != number)
		verdict_fault(verdict, "nobody wrote %s at %s, after %s",
			      timeline_object_name(timeline, change->object),
			      timeline_state_text(&change->after), timeline_state_text(&change->before));
	else
		land(timeline, verdict, change, number);
}

/* --- who deleted --- */

/* A delete that says it was done on this life of the object. */
static bool says_it_did(const struct op *op, const struct change *change)
{
	return op->outcome == OP_DONE && op->answer.uid == change->before.uid;
}

static bool may_have(const struct op *op, const struct change *change)
{
	return op->outcome == OP_LOST && condition_holds(op, &change->before);
}

/* The delete that made CHANGE: who says so, else of the lost ones that may have the one whose time is up
 * first. */
static void explain_deletion(struct timeline *timeline, struct verdict *verdict, struct change *change)
{
	const struct history *history = timeline->history;
	const struct op *best = NULL;

	for (size_t i = 0; i < history->n_ops; i++) {
		const struct op *op = &history->ops[i];

		if (op->kind != OP_DELETE || op->object != change->object || timeline->landed[i] ||
		    change->revision <= op->floor || change->revision > timeline_ceiling(timeline, op->ended))
			continue;
		if (says_it_did(op, change)) {
			best = op;
			break;
		}
		if (may_have(op, change) &&
		    (!best || (op->ended && (!best->ended || op->ended < best->ended))))
			best = op;
	}
	if (best)
		land(timeline, verdict, change, history->first_op + (uint32_t)(best - history->ops));
	else
		verdict_fault(verdict, "nobody deleted %s at revision %llu from %s",
			      timeline_object_name(timeline, change->object),
			      (unsigned long long)change->revision, timeline_state_text(&change->before));
}

/* --- refusals --- */

/* Whether answering CODE to OP is right when the object is in STATE. */
static bool refusal_fits(const struct op *op, const struct state *state)
{
	switch (op->code) {
	case 404:
		return op->kind != OP_CREATE && !state->revision;
	case 409:
		if (op->kind == OP_CREATE)
			return state->revision;
		if (op->kind == OP_BIND)
			return state->revision && state->slots[1];
		return state->revision && ((op->if_revision && op->if_revision != state->revision) ||
					   (op->if_uid && op->if_uid != state->uid));
	case 422:
		return op->kind == OP_TEST && state->revision && state->slots[0] != op->expect;
	default:
		return false;
	}
}

/* There must be a moment in OP's time at which the object was in a state that fits. */
static void check_refusal(const struct timeline *timeline, struct verdict *verdict, const struct op *op,
			  uint32_t number)
{
	uint64_t ceiling = timeline_ceiling(timeline, op->ended);
	size_t first = timeline_after(timeline, op->object, op->floor), i;

	if (refusal_fits(op, timeline_state(timeline, op->object, op->floor)))
		return;
	for (i = first; i < timeline->n_of[op->object]; i++) {
		const struct change *change = timeline_change(timeline, op->object, i);

		if (change->revision > ceiling)
			break;
		if (refusal_fits(op, &change->after))
			return;
	}
	/* Others may have been faster at each of its tries. */
	if (op->code == 409 && op->kind != OP_CREATE && i - first >= VERDICT_TRIES)
		return;
	OP_FAULT("was refused with %d without a reason: %s before it, %zu changes during it", op->code,
		 timeline_state_text(timeline_state(timeline, op->object, op->floor)), i - first);
}

/* --- all --- */

static void check_op(const struct timeline *timeline, struct verdict *verdict, size_t i)
{
	const struct op *op = &timeline->history->ops[i];
	uint32_t number = timeline->history->first_op + (uint32_t)i;
	uint64_t landed = timeline->landed[i], ceiling = timeline_ceiling(timeline, op->ended);

	if (op->outcome == OP_DONE && op->kind != OP_GET && !landed)
		OP_FAULT("was acknowledged (revision %llu) and is lost",
			 (unsigned long long)op->answer.revision);
	if (landed && landed > ceiling)
		OP_FAULT("has revision %llu, and one that began after its end has %llu",
			 (unsigned long long)landed, (unsigned long long)ceiling + 1);
	if (op->outcome == OP_LOST && landed)
		verdict->lost_happened++;
	if (op->outcome == OP_REFUSED)
		check_refusal(timeline, verdict, op, number);
	if (op->outcome == OP_OPEN)
		OP_FAULT("was never answered%s", "");
}

void check_writes(struct timeline *timeline, struct verdict *verdict)
{
	for (size_t i = 0; i < timeline->n; i++) {
		if (!timeline->changes[i].deleted)
			explain(timeline, verdict, &timeline->changes[i]);
	}
	timeline_landed(timeline);
	for (size_t i = 0; i < timeline->n; i++) {
		if (timeline->changes[i].deleted)
			explain_deletion(timeline, verdict, &timeline->changes[i]);
	}
	timeline_landed(timeline);
	for (size_t i = 0; i < timeline->history->n_ops; i++)
		check_op(timeline, verdict, i);
}
