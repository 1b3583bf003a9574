/* What the clients of an apiserver did and saw while it was killed again and again, in the order in which
 * they did and saw it: the material that verdict.h judges.
 *
 * A few objects are written all the time. Each has two slots, and each write puts its own number, which no
 * other write has, into one of them; so a state tells which writes made it. In a ConfigMap the slots are
 * data.a and data.b, in a Pod an annotation and spec.nodeName (which a binding sets).
 *
 * All records are made by one thread, so a counter (the clock) orders them: what ended at a smaller clock
 * than something else began at happened before it. A chapter is the part of a run between two moments at
 * which nothing was under way and the state was listed; the history holds one chapter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mem.h"

#define HISTORY_SLOTS 2
#define NO_REVISION   UINT64_MAX

enum history_resource { HISTORY_CONFIG_MAP, HISTORY_POD, HISTORY_RESOURCES };

struct history_object {
	enum history_resource resource;
	unsigned namespace_; /* a number; the clients give it its name */
};

/* An object as an answer or event showed it. */
struct state {
	uint64_t revision; /* 0: it is not there */
	uint64_t uid;      /* a hash of it */
	uint32_t slots[HISTORY_SLOTS];
	bool torn; /* its parts do not fit together: parts of two writes */
};

bool state_same(const struct state *a, const struct state *b);

struct selection {
	enum history_resource resource;
	int namespace_; /* -1: all */
	int object;     /* -1: all */
	int half;       /* objects whose slot 0 is even (0) or odd (1); -1: all */
	bool unbound;   /* slot 1 never set */
};

#define SELECT_ALL(resource_) ((struct selection){ (resource_), -1, -1, -1, false })

enum op_kind {
	OP_CREATE, /* slot 0 */
	OP_UPDATE, /* the whole: slot 0 anew, slot 1 as the client knew it; always with if_revision */
	OP_PATCH,  /* a merge patch of one slot */
	OP_TEST,   /* a JSON patch of slot 0 that tests its value first */
	OP_BIND,   /* slot 1, once in a life */
	OP_DELETE,
	OP_GET,
	OP_KINDS
};

enum op_outcome {
	OP_OPEN,    /* under way */
	OP_DONE,    /* the server said so */
	OP_REFUSED, /* the server said so, with `code` */
	OP_LOST     /* the connection died first */
};

struct op {
	enum op_kind kind;
	enum op_outcome outcome;
	unsigned object;
	unsigned slot;         /* that it writes */
	uint64_t if_revision;  /* precondition, 0: none */
	uint64_t if_uid;       /* precondition, 0: none */
	uint32_t expect;       /* OP_TEST: of slot 0 */
	uint32_t carried;      /* OP_UPDATE: slot 1 as sent */
	uint32_t began, ended; /* clock; ended 0: not yet */
	uint64_t floor;        /* greatest revision that anybody had seen when it began */
	int code;
	struct state answer; /* OP_DONE: as the answer showed it; OP_DELETE: the uid alone, if that */
};

struct item {
	unsigned object;
	struct state state;
};

/* A LIST, all pages of it. */
struct list {
	struct selection selection;
	uint64_t asked;        /* exactly this revision; 0: the newest */
	uint32_t began, ended; /* of its first page */
	uint64_t floor;
	uint64_t revision; /* as answered */
	size_t first, n;   /* in history.items */
};

enum sighting_type {
	SEEN_ADDED,
	SEEN_MODIFIED,
	SEEN_DELETED,
	SEEN_ALL_TO /* everything up to state.revision was sent: a bookmark, or a watch that was ended in
		       order */
};

struct sighting {
	enum sighting_type type;
	unsigned object;
	struct state state;
};

/* What one watcher saw after START, over all its connections. */
struct stream {
	char name[48];
	struct selection selection;
	bool scribe; /* sees all of a resource for the whole chapter: what it saw is the chapter's truth, one
			each */
	uint64_t start;
	struct sighting *seen;
	size_t n, cap;
};

/* A watch or list at REVISION was answered with 410. */
struct expiry {
	enum history_resource resource;
	uint64_t revision;
	int64_t at_ms; /* time_mono_ms() */
};

/* A change of an earlier chapter; only how many and how old they are matters by then. */
struct past_change {
	enum history_resource resource;
	uint64_t revision;
	int64_t before_ms; /* when its chapter began: it was made after that */
};

struct history {
	const struct history_object *objects;
	size_t n_objects;

	uint64_t base_revision; /* of the list that began the chapter */
	struct state *base;     /* of each object there */
	uint32_t first_op;      /* ops[0] writes this number */

	uint32_t clock;
	uint64_t seen; /* greatest revision that an answer or event showed */
	struct op *ops;
	size_t n_ops, cap_ops;
	size_t first_lost; /* of the ops that were lost since the server was last known dead */
	struct list *lists;
	size_t n_lists, cap_lists;
	struct item *items;
	size_t n_items, cap_items;
	struct stream *streams;
	size_t n_streams, cap_streams;
	struct expiry *expiries;
	size_t n_expiries, cap_expiries;

	int64_t began_ms; /* time_mono_ms() when the chapter began */
	struct past_change *past;
	size_t n_past, cap_past;
};

/* OBJECTS stay the caller's. The first chapter begins at revision 0 with nothing there. */
void history_init(struct history *history, const struct history_object *objects, size_t n_objects);
void history_close(struct history *history);
/* Begins a chapter after LIST, all of whose resources' objects are in ITEMS. */
void history_next_chapter(struct history *history, uint64_t revision, const struct item *items, size_t n);

/* An operation begins; its number is what it writes. KIND, object, slot and conditions are of *OP. */
uint32_t history_begin(struct history *history, const struct op *op);
struct op *history_op(struct history *history, uint32_t number);
/* ANSWER may be NULL. */
void history_done(struct history *history, uint32_t number, const struct state *answer);
void history_refused(struct history *history, uint32_t number, int code);
/* It may happen until history_server_died. */
void history_lost(struct history *history, uint32_t number);
/* Nothing that was lost happens from here on. */
void history_server_died(struct history *history);
/* Somebody saw REVISION. */
void history_saw(struct history *history, uint64_t revision);
uint32_t history_tick(struct history *history);
/* Copies LIST (first and n are filled in) and its N ITEMS. */
void history_list(struct history *history, const struct list *list, const struct item *items, size_t n);
/* Index of a new stream. */
size_t history_stream(struct history *history, const struct stream *stream);
void history_sighting(struct history *history, size_t index, const struct sighting *sighting);
void history_expired(struct history *history, enum history_resource resource, uint64_t revision);

bool selection_matches(const struct history *history, const struct selection *selection, unsigned object,
		       const struct state *state);
