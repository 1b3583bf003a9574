#include "tests/crash/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 96

const char *timeline_object_name(const struct timeline *timeline, unsigned object)
{
	static char texts[2][TEXT_SIZE];
	static unsigned turn;
	char *text = texts[turn++ % 2];

	snprintf(text, TEXT_SIZE, "%s %u",
		 timeline->history->objects[object].resource == HISTORY_POD ? "pod" : "configmap", object);
	return text;
}

const char *timeline_state_text(const struct state *state)
{
	static char texts[2][TEXT_SIZE];
	static unsigned turn;
	char *text = texts[turn++ % 2];

	if (state->revision)
		snprintf(text, TEXT_SIZE, "(revision %llu, uid %llx, values %u and %u%s)",
			 (unsigned long long)state->revision, (unsigned long long)state->uid, state->slots[0],
			 state->slots[1], state->torn ? ", torn" : "");
	else
		snprintf(text, TEXT_SIZE, "(not there)");
	return text;
}

/* --- putting it together --- */

static bool same_content(const struct state *a, const struct state *b)
{
	return a->uid == b->uid && memcmp(a->slots, b->slots, sizeof(a->slots)) == 0;
}

/* Whether what the scribe saw can follow from BEFORE. */
static void check_step(const struct timeline *timeline, struct verdict *verdict,
		       const struct sighting *sighting, const struct state *before)
{
	const char *wrong = NULL;

	if (sighting->state.torn)
		wrong = "is made of parts of two writes";
	else if (sighting->type == SEEN_ADDED && before->revision)
		wrong = "was added though it was there";
	else if (sighting->type != SEEN_ADDED && !before->revision)
		wrong = "was changed though it was not there";
	else if (sighting->type == SEEN_MODIFIED && before->uid != sighting->state.uid)
		wrong = "got another uid by an update";
	else if (sighting->type == SEEN_DELETED && !same_content(before, &sighting->state))
		wrong = "was deleted from a state that it was not in";
	if (wrong)
		verdict_fault(verdict, "%s %s: at %s, after %s",
			      timeline_object_name(timeline, sighting->object), wrong,
			      timeline_state_text(&sighting->state), timeline_state_text(before));
}

static void add_change(struct timeline *timeline, struct verdict *verdict, const struct sighting *sighting)
{
	unsigned object = sighting->object;
	size_t n = timeline->n_of[object];
	struct change *change = &timeline->changes[timeline->n];
	const struct state *before =
	    n ? &timeline->changes[timeline->of[object][n - 1]].after : &timeline->history->base[object];

	check_step(timeline, verdict, sighting, before);
	*change = (struct change){ .revision = sighting->state.revision,
				   .object = object,
				   .deleted = sighting->type == SEEN_DELETED,
				   .before = *before };
	if (!change->deleted)
		change->after = sighting->state;
	timeline->of[object] = mem_realloc_array(timeline->of[object], n + 1, sizeof(**timeline->of));
	timeline->of[object][n] = timeline->n++;
	timeline->n_of[object]++;
}

/* The next change that SCRIBE saw at or after *AT, or NULL. */
static const struct sighting *next_change(const struct stream *scribe, size_t *at)
{
	while (scribe && *at < scribe->n) {
		if (scribe->seen[*at].type != SEEN_ALL_TO)
			return &scribe->seen[*at];
		++*at;
	}
	return NULL;
}

static const struct stream *scribe_of(const struct history *history, enum history_resource resource)
{
	for (size_t i = 0; i < history->n_streams; i++) {
		const struct stream *stream = &history->streams[i];

		if (stream->scribe && stream->selection.resource == resource)
			return stream;
	}
	return NULL;
}

/* Merges what the scribes saw by revision. Each must grow, and no revision may be in two. */
static void merge(struct timeline *timeline, struct verdict *verdict)
{
	const struct stream *scribes[HISTORY_RESOURCES];
	size_t at[HISTORY_RESOURCES] = { 0 };
	uint64_t last = timeline->history->base_revision;

	for (size_t i = 0; i < HISTORY_RESOURCES; i++)
		scribes[i] = scribe_of(timeline->history, (enum history_resource)i);
	for (;;) {
		const struct sighting *next = NULL;
		size_t from = 0;

		for (size_t i = 0; i < HISTORY_RESOURCES; i++) {
			const struct sighting *candidate = next_change(scribes[i], &at[i]);

			if (candidate && (!next || candidate->state.revision < next->state.revision)) {
				next = candidate;
				from = i;
			}
		}
		if (!next)
			return;
		at[from]++;
		if (next->state.revision <= last) {
			verdict_fault(verdict, "revisions do not grow: %s came after revision %llu at %s",
				      timeline_object_name(timeline, next->object), (unsigned long long)last,
				      timeline_state_text(&next->state));
			continue;
		}
		last = next->state.revision;
		add_change(timeline, verdict, next);
	}
}

void timeline_init(struct timeline *timeline, const struct history *history, struct verdict *verdict)
{
	size_t most = 1;

	*timeline = (struct timeline){ .history = history };
	for (size_t i = 0; i < history->n_streams; i++)
		most += history->streams[i].scribe ? history->streams[i].n : 0;
	timeline->changes = mem_zalloc(most * sizeof(*timeline->changes));
	timeline->of = mem_zalloc(history->n_objects * sizeof(*timeline->of));
	timeline->n_of = mem_zalloc(history->n_objects * sizeof(*timeline->n_of));
	timeline->landed = mem_zalloc((history->n_ops + 1) * sizeof(*timeline->landed));
	timeline->least_after = mem_zalloc((history->n_ops + 1) * sizeof(*timeline->least_after));
	merge(timeline, verdict);
	timeline_landed(timeline);
}

void timeline_close(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->history->n_objects; i++)
		free(timeline->of[i]);
	free(timeline->of);
	free(timeline->n_of);
	free(timeline->changes);
	free(timeline->landed);
	free(timeline->least_after);
}

/* --- reading it --- */

const struct change *timeline_change(const struct timeline *timeline, unsigned object, size_t i)
{
	return &timeline->changes[timeline->of[object][i]];
}

size_t timeline_after(const struct timeline *timeline, unsigned object, uint64_t revision)
{
	size_t low = 0, high = timeline->n_of[object];

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (timeline_change(timeline, object, middle)->revision <= revision)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct state *timeline_state(const struct timeline *timeline, unsigned object, uint64_t revision)
{
	size_t after = timeline_after(timeline, object, revision);

	return after ? &timeline_change(timeline, object, after - 1)->after
		     : &timeline->history->base[object];
}

size_t timeline_find(const struct timeline *timeline, uint64_t revision)
{
	size_t low = 0, high = timeline->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (timeline->changes[middle].revision <= revision)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- time --- */

void timeline_landed(struct timeline *timeline)
{
	uint64_t least = NO_REVISION;

	timeline->least_after[timeline->history->n_ops] = least;
	for (size_t i = timeline->history->n_ops; i-- > 0;) {
		if (timeline->landed[i] && timeline->landed[i] < least)
			least = timeline->landed[i];
		timeline->least_after[i] = least;
	}
}

uint64_t timeline_ceiling(const struct timeline *timeline, uint32_t clock)
{
	const struct history *history = timeline->history;
	size_t low = 0, high = history->n_ops;

	if (!clock)
		return NO_REVISION;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (history->ops[middle].began <= clock)
			low = middle + 1;
		else
			high = middle;
	}
	return timeline->least_after[low] - (timeline->least_after[low] == NO_REVISION ? 0 : 1);
}
