#include "tests/crash/history.h"

#include <stdlib.h>
#include <string.h>

#include "lib/timefmt.h"

/* Room for one more at the end of ARRAY, which has N of CAP. */
#define GROW(array, n, cap)                                                                                  \
	do {                                                                                                 \
		if ((n) == (cap)) {                                                                          \
			(cap) = (cap) ? (cap)*2 : 64;                                                        \
			(array) = mem_realloc_array((array), (cap), sizeof(*(array)));                       \
		}                                                                                            \
	} while (0)

bool state_same(const struct state *a, const struct state *b)
{
	return a->revision == b->revision && a->uid == b->uid && a->torn == b->torn &&
	       memcmp(a->slots, b->slots, sizeof(a->slots)) == 0;
}

void history_init(struct history *history, const struct history_object *objects, size_t n_objects)
{
	*history = (struct history){
		.objects = objects, .n_objects = n_objects, .first_op = 1, .began_ms = time_mono_ms()
	};
	history->base = mem_zalloc(n_objects * sizeof(*history->base));
}

static void forget(struct history *history)
{
	for (size_t i = 0; i < history->n_streams; i++)
		free(history->streams[i].seen);
	history->n_ops = history->n_lists = history->n_items = history->n_streams = history->n_expiries = 0;
	history->first_lost = 0;
}

void history_close(struct history *history)
{
	forget(history);
	free(history->base);
	free(history->ops);
	free(history->lists);
	free(history->items);
	free(history->streams);
	free(history->expiries);
	free(history->past);
	*history = (struct history){ 0 };
}

static void remember_changes(struct history *history)
{
	for (size_t i = 0; i < history->n_streams; i++) {
		const struct stream *stream = &history->streams[i];

		for (size_t k = 0; stream->scribe && k < stream->n; k++) {
			if (stream->seen[k].type == SEEN_ALL_TO)
				continue;
			GROW(history->past, history->n_past, history->cap_past);
			history->past[history->n_past++] =
			    (struct past_change){ stream->selection.resource, stream->seen[k].state.revision,
						  history->began_ms };
		}
	}
}

void history_next_chapter(struct history *history, uint64_t revision, const struct item *items, size_t n)
{
	history->first_op += (uint32_t)history->n_ops;
	remember_changes(history);
	forget(history);
	history->clock = 0;
	history->began_ms = time_mono_ms();
	history->base_revision = revision;
	history_saw(history, revision);
	memset(history->base, 0, history->n_objects * sizeof(*history->base));
	for (size_t i = 0; i < n; i++)
		history->base[items[i].object] = items[i].state;
}

uint32_t history_tick(struct history *history)
{
	return ++history->clock;
}

void history_saw(struct history *history, uint64_t revision)
{
	if (revision > history->seen)
		history->seen = revision;
}

uint32_t history_begin(struct history *history, const struct op *op)
{
	struct op *new_;

	GROW(history->ops, history->n_ops, history->cap_ops);
	new_ = &history->ops[history->n_ops++];
	*new_ = *op;
	new_->outcome = OP_OPEN;
	new_->began = history_tick(history);
	new_->floor = history->seen;
	return history->first_op + (uint32_t)history->n_ops - 1;
}

struct op *history_op(struct history *history, uint32_t number)
{
	return &history->ops[number - history->first_op];
}

void history_done(struct history *history, uint32_t number, const struct state *answer)
{
	struct op *op = history_op(history, number);

	op->outcome = OP_DONE;
	op->ended = history_tick(history);
	if (answer)
		op->answer = *answer;
	history_saw(history, op->answer.revision);
}

void history_refused(struct history *history, uint32_t number, int code)
{
	struct op *op = history_op(history, number);

	op->outcome = OP_REFUSED;
	op->code = code;
	op->ended = history_tick(history);
}

void history_lost(struct history *history, uint32_t number)
{
	history_op(history, number)->outcome = OP_LOST;
}

void history_server_died(struct history *history)
{
	for (size_t i = history->first_lost; i < history->n_ops; i++) {
		if (history->ops[i].outcome == OP_LOST && !history->ops[i].ended)
			history->ops[i].ended = history_tick(history);
	}
	history->first_lost = history->n_ops;
}

void history_list(struct history *history, const struct list *list, const struct item *items, size_t n)
{
	struct list *new_;

	GROW(history->lists, history->n_lists, history->cap_lists);
	new_ = &history->lists[history->n_lists++];
	*new_ = *list;
	new_->first = history->n_items;
	new_->n = n;
	for (size_t i = 0; i < n; i++) {
		GROW(history->items, history->n_items, history->cap_items);
		history->items[history->n_items++] = items[i];
	}
}

size_t history_stream(struct history *history, const struct stream *stream)
{
	struct stream *new_;

	GROW(history->streams, history->n_streams, history->cap_streams);
	new_ = &history->streams[history->n_streams];
	*new_ = *stream;
	new_->seen = NULL;
	new_->n = new_->cap = 0;
	return history->n_streams++;
}

void history_sighting(struct history *history, size_t index, const struct sighting *sighting)
{
	struct stream *stream = &history->streams[index];

	history_tick(history);
	GROW(stream->seen, stream->n, stream->cap);
	stream->seen[stream->n++] = *sighting;
	history_saw(history, sighting->state.revision);
}

void history_expired(struct history *history, enum history_resource resource, uint64_t revision)
{
	GROW(history->expiries, history->n_expiries, history->cap_expiries);
	history->expiries[history->n_expiries++] = (struct expiry){ resource, revision, time_mono_ms() };
}

bool selection_matches(const struct history *history, const struct selection *selection, unsigned object,
		       const struct state *state)
{
	const struct history_object *about = &history->objects[object];

	return state->revision && about->resource == selection->resource &&
	       (selection->namespace_ < 0 || about->namespace_ == (unsigned)selection->namespace_) &&
	       (selection->object < 0 || object == (unsigned)selection->object) &&
	       (selection->half < 0 || state->slots[0] % 2 == (unsigned)selection->half) &&
	       (!selection->unbound || !state->slots[1]);
}
