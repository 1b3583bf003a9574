#include "tests/crash/check_reads.h"

/* STATE, which is there, must be one that OBJECT was in. WHO showed it. */
static bool is_true(const struct timeline *timeline, struct verdict *verdict, const char *who,
		    unsigned object, const struct state *state)
{
	const struct state *truth = timeline_state(timeline, object, state->revision);

	if (state_same(truth, state))
		return true;
	verdict_fault(verdict, "%s showed %s at %s; at that revision it was %s", who,
		      timeline_object_name(timeline, object), timeline_state_text(state),
		      timeline_state_text(truth));
	return false;
}

/* --- answers --- */

static void check_answer(const struct timeline *timeline, struct verdict *verdict, const struct op *op)
{
	const struct state *shown = &op->answer;
	size_t next;

	if (op->outcome != OP_DONE || !shown->revision || op->kind == OP_DELETE)
		return;
	if (!is_true(timeline, verdict, op->kind == OP_GET ? "a get" : "the answer to a write", op->object,
		     shown) ||
	    op->kind != OP_GET)
		return;
	next = timeline_after(timeline, op->object, shown->revision);
	if (next < timeline->n_of[op->object] &&
	    timeline_change(timeline, op->object, next)->revision <= op->floor)
		verdict_fault(verdict,
			      "stale read: a get showed %s at %s when its change at revision %llu was known",
			      timeline_object_name(timeline, op->object), timeline_state_text(shown),
			      (unsigned long long)timeline_change(timeline, op->object, next)->revision);
	if (shown->revision > timeline_ceiling(timeline, op->ended))
		verdict_fault(verdict, "a get showed %s at %s before that was written",
			      timeline_object_name(timeline, op->object), timeline_state_text(shown));
}

/* --- lists --- */

static void check_list_time(const struct timeline *timeline, struct verdict *verdict, const struct list *list)
{
	if (list->asked && list->revision != list->asked)
		verdict_fault(verdict, "a list at revision %llu was answered with revision %llu",
			      (unsigned long long)list->asked, (unsigned long long)list->revision);
	if (list->asked)
		return;
	if (list->revision < list->floor)
		verdict_fault(verdict, "stale list: it has revision %llu when %llu was known",
			      (unsigned long long)list->revision, (unsigned long long)list->floor);
	if (list->revision > timeline_ceiling(timeline, list->ended))
		verdict_fault(verdict, "a list has revision %llu before that was written",
			      (unsigned long long)list->revision);
}

static const struct item *find_item(const struct history *history, const struct list *list, unsigned object)
{
	for (size_t i = list->first; i < list->first + list->n; i++) {
		if (history->items[i].object == object)
			return &history->items[i];
	}
	return NULL;
}

static void check_list(const struct timeline *timeline, struct verdict *verdict, const struct list *list)
{
	const struct history *history = timeline->history;
	static const struct state absent;
	size_t expected = 0;

	check_list_time(timeline, verdict, list);
	for (unsigned object = 0; object < history->n_objects; object++) {
		const struct state *truth = timeline_state(timeline, object, list->revision);
		const struct item *item = find_item(history, list, object);
		bool wanted = selection_matches(history, &list->selection, object, truth);

		expected += wanted;
		if (!wanted ? item != NULL : !item || !state_same(truth, &item->state))
			verdict_fault(verdict, "a list at revision %llu shows %s at %s; it was %s",
				      (unsigned long long)list->revision,
				      timeline_object_name(timeline, object),
				      timeline_state_text(item ? &item->state : &absent),
				      timeline_state_text(wanted ? truth : &absent));
	}
	if (list->n != expected)
		verdict_fault(verdict, "a list at revision %llu has %zu items; there were %zu",
			      (unsigned long long)list->revision, list->n, expected);
}

/* --- streams --- */

/* The next change at or after *AT that a watcher with SELECTION is to see, and as what; false when there is
 * none. */
static bool next_expected(const struct timeline *timeline, const struct selection *selection, size_t *at,
			  struct sighting *ret)
{
	for (; *at < timeline->n; ++*at) {
		const struct change *change = &timeline->changes[*at];
		bool was = selection_matches(timeline->history, selection, change->object, &change->before);
		bool is = selection_matches(timeline->history, selection, change->object, &change->after);

		if (!was && !is)
			continue;
		*ret = (struct sighting){ .type = !is   ? SEEN_DELETED
						  : was ? SEEN_MODIFIED
							: SEEN_ADDED,
					  .object = change->object,
					  .state = is ? change->after : change->before };
		ret->state.revision = change->revision;
		return true;
	}
	return false;
}

/* The first difference only: everything after it is shifted. */
static void check_stream(const struct timeline *timeline, struct verdict *verdict,
			 const struct stream *stream)
{
	static const char *const types[] = { "added", "modified", "deleted", "nothing more to come" };
	size_t at = timeline_find(timeline, stream->start);

	for (size_t i = 0; i < stream->n; i++) {
		const struct sighting *seen = &stream->seen[i];
		struct sighting expected = { .type = SEEN_ALL_TO };
		bool more = next_expected(timeline, &stream->selection, &at, &expected);

		if (seen->type == SEEN_ALL_TO) {
			if (!more || expected.state.revision > seen->state.revision)
				continue;
			verdict_fault(
			    verdict,
			    "%s missed an event: it was told of nothing more up to %llu before %s, %s at %s",
			    stream->name, (unsigned long long)seen->state.revision,
			    timeline_object_name(timeline, expected.object), types[expected.type],
			    timeline_state_text(&expected.state));
			return;
		}
		if (!more || seen->type != expected.type || seen->object != expected.object ||
		    !state_same(&seen->state, &expected.state)) {
			verdict_fault(verdict, "%s, event %zu: saw %s, %s at %s; to be seen was %s, %s at %s",
				      stream->name, i, timeline_object_name(timeline, seen->object),
				      types[seen->type], timeline_state_text(&seen->state),
				      more ? timeline_object_name(timeline, expected.object) : "nothing",
				      types[expected.type], timeline_state_text(&expected.state));
			return;
		}
		at++;
	}
}

/* --- expired --- */

static void check_expiry(const struct timeline *timeline, struct verdict *verdict,
			 const struct expiry *expiry)
{
	const struct history *history = timeline->history;
	int64_t oldest_ms = history->began_ms;
	size_t newer = 0;

	for (size_t i = timeline_find(timeline, expiry->revision); i < timeline->n; i++)
		newer += history->objects[timeline->changes[i].object].resource == expiry->resource;
	for (size_t i = 0; i < history->n_past; i++) {
		const struct past_change *past = &history->past[i];

		if (past->resource != expiry->resource || past->revision <= expiry->revision)
			continue;
		newer++;
		if (past->before_ms < oldest_ms)
			oldest_ms = past->before_ms;
	}
	if (newer < VERDICT_WINDOW_CHANGES && expiry->at_ms - oldest_ms < VERDICT_WINDOW_MS)
		verdict_fault(verdict, "revision %llu expired though only %zu changes came after it",
			      (unsigned long long)expiry->revision, newer);
}

void check_reads(const struct timeline *timeline, struct verdict *verdict)
{
	const struct history *history = timeline->history;

	for (size_t i = 0; i < history->n_ops; i++)
		check_answer(timeline, verdict, &history->ops[i]);
	for (size_t i = 0; i < history->n_lists; i++)
		check_list(timeline, verdict, &history->lists[i]);
	for (size_t i = 0; i < history->n_streams; i++)
		check_stream(timeline, verdict, &history->streams[i]);
	for (size_t i = 0; i < history->n_expiries; i++)
		check_expiry(timeline, verdict, &history->expiries[i]);
}
