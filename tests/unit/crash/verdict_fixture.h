/* A history that a test writes down as of a server that is right, and then makes wrong; and what the verdict
 * says of it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/crash/verdict.h"

#define UNUSED __attribute__((unused))

enum { CONFIG_MAP, OTHER_CONFIG_MAP, POD, OBJECTS };

static const struct history_object verdict_objects[OBJECTS] = { { HISTORY_CONFIG_MAP, 0 },
								{ HISTORY_CONFIG_MAP, 1 },
								{ HISTORY_POD, 0 } };

struct fixture {
	struct history history;
	size_t scribe[HISTORY_RESOURCES], watcher;
	struct state now[OBJECTS];
	uint64_t revision; /* of the server */
	uint64_t uid;
};

static inline UNUSED size_t add_stream(struct history *history, const char *name, struct selection selection,
				       bool scribe)
{
	struct stream stream = { .selection = selection, .scribe = scribe, .start = 10 };

	snprintf(stream.name, sizeof(stream.name), "%s", name);
	return history_stream(history, &stream);
}

/* A chapter that begins at revision 10 with nothing there. */
static inline UNUSED int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	history_init(&f->history, verdict_objects, OBJECTS);
	history_next_chapter(&f->history, 10, NULL, 0);
	f->revision = 10;
	f->uid = 100;
	for (size_t i = 0; i < HISTORY_RESOURCES; i++)
		f->scribe[i] = add_stream(&f->history, "scribe", SELECT_ALL((enum history_resource)i), true);
	f->watcher = add_stream(&f->history, "watcher", SELECT_ALL(HISTORY_CONFIG_MAP), false);
	*state = f;
	return 0;
}

static inline UNUSED int teardown(void **state)
{
	struct fixture *f = *state;

	history_close(&f->history);
	free(f);
	return 0;
}

/* --- what happens on a server that is right --- */

static inline UNUSED uint32_t begin(struct fixture *f, enum op_kind kind, unsigned object,
				    uint64_t if_revision)
{
	struct op op = { .kind = kind, .object = object, .if_revision = if_revision };

	op.slot =
	    kind == OP_BIND || (kind == OP_PATCH && verdict_objects[object].resource == HISTORY_CONFIG_MAP);
	op.carried = f->now[object].slots[1];
	op.expect = f->now[object].slots[0];
	return history_begin(&f->history, &op);
}

/* The write NUMBER happens. */
static inline UNUSED void happen(struct fixture *f, uint32_t number)
{
	const struct op *op = history_op(&f->history, number);
	struct state *state = &f->now[op->object];

	f->revision++;
	if (op->kind == OP_CREATE)
		*state = (struct state){ .uid = f->uid++ };
	state->revision = f->revision;
	if (op->kind != OP_DELETE)
		state->slots[op->slot] = number;
}

static inline UNUSED void see(struct fixture *f, size_t stream, enum sighting_type type, unsigned object)
{
	struct sighting sighting = { type, object, f->now[object] };

	history_sighting(&f->history, stream, &sighting);
}

/* The scribe, and for ConfigMaps the watcher, see what OBJECT became. */
static inline UNUSED void show(struct fixture *f, enum sighting_type type, unsigned object)
{
	see(f, f->scribe[verdict_objects[object].resource], type, object);
	if (verdict_objects[object].resource == HISTORY_CONFIG_MAP)
		see(f, f->watcher, type, object);
	if (type == SEEN_DELETED)
		f->now[object] = (struct state){ 0 };
}

/* A write from beginning to end. */
static inline UNUSED uint32_t write_done(struct fixture *f, enum op_kind kind, unsigned object)
{
	uint32_t number = begin(f, kind, object, kind == OP_UPDATE ? f->now[object].revision : 0);

	happen(f, number);
	if (kind == OP_DELETE)
		history_done(&f->history, number, &(struct state){ .uid = f->now[object].uid });
	else
		history_done(&f->history, number, &f->now[object]);
	show(f, kind == OP_CREATE ? SEEN_ADDED : kind == OP_DELETE ? SEEN_DELETED : SEEN_MODIFIED, object);
	return number;
}

static inline UNUSED void get(struct fixture *f, unsigned object, const struct state *shown)
{
	uint32_t number = begin(f, OP_GET, object, 0);

	if (shown)
		history_done(&f->history, number, shown);
	else
		history_refused(&f->history, number, 404);
}

static inline UNUSED void refuse(struct fixture *f, enum op_kind kind, unsigned object, uint64_t if_revision,
				 int code)
{
	history_refused(&f->history, begin(f, kind, object, if_revision), code);
}

static inline UNUSED void list(struct fixture *f, uint64_t asked, uint64_t revision, const struct item *items,
			       size_t n)
{
	struct list record = { .selection = SELECT_ALL(HISTORY_CONFIG_MAP), .asked = asked };

	record.began = history_tick(&f->history);
	record.floor = f->history.seen;
	record.ended = history_tick(&f->history);
	record.revision = revision;
	history_list(&f->history, &record, items, n);
	history_saw(&f->history, revision);
}

/* --- judging --- */

static inline UNUSED void expect_sound(struct fixture *f)
{
	struct verdict verdict = { 0 };

	verdict_judge(&verdict, &f->history);
	if (verdict.faults)
		fail_msg("found in a sound history: %s", verdict.text.data);
	verdict_close(&verdict);
}

static inline UNUSED void expect_fault(struct fixture *f, const char *text)
{
	struct verdict verdict = { 0 };

	verdict_judge(&verdict, &f->history);
	if (!verdict.faults)
		fail_msg("not found: %s", text);
	if (!strstr(verdict.text.data, text))
		fail_msg("\"%s\" is not in: %s", text, verdict.text.data);
	verdict_close(&verdict);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
