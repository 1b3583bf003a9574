/* Everything that happened to a few resources, in the order it happened.
 *
 * A watch per resource, each resumed from the last revision it saw; their events are handed on merged by
 * revision, so that what one event says can be held against what all others said before it. A quiet resource
 * would hold the others up: twice a second one object of each, the marker, is written. A watch that cannot be
 * resumed, or tells of a revision twice or out of order, is a fault.
 *
 * Of its own and not an informer (lib/informer.h): that one lists again when it lost its place, which is
 * right for a program and hides here what is looked for; and the informer is part of what is tested.
 */
#pragma once

#include "lib/json.h"
#include "tests/churn/churn.h"

enum history_change { HISTORY_ADDED, HISTORY_MODIFIED, HISTORY_DELETED };

struct history_resource {
	const char *path;        /* "/api/v1/pods": listed and watched */
	const char *marker_path; /* the collection that the marker is made in */
	const char *marker;      /* the marker's JSON, named "marker" */
};

struct history_fns {
	/* As soon as a watch tells it, in no order between resources. OBJ is borrowed. */
	void (*live)(size_t resource, enum history_change change, struct json_object *obj, void *arg);
	/* The same merged by revision. */
	void (*merged)(size_t resource, enum history_change change, struct json_object *obj, void *arg);
	/* Markers sent after SENT_MS are in the history at REVISION: calls sent well before them are, too. */
	void (*marked)(uint64_t revision, int64_t sent_ms, void *arg);
	void *arg;
};

struct history;
/* Lists and begins to watch; RESOURCES is kept by pointer. NULL with a fault. */
struct history *history_new(struct churn *churn, const struct history_resource *resources, size_t n,
			    const struct history_fns *fns);
void history_free(struct history *history); /* NULL is fine */
/* Up to which revision events were handed on, and how many were. */
uint64_t history_revision(const struct history *history);
uint64_t history_events(const struct history *history);
/* Watches that were begun again. */
uint64_t history_resumed(const struct history *history);
