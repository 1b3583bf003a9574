/* Watchers: each watches a selection of the objects and resumes from the last revision it saw whenever its
 * watch ends, for whatever reason. Two are scribes, whose word is the truth of a chapter; two go back to an
 * old revision at times.
 *
 *     idle ──watchers_go──▶ watching ──▶ ended ──serving──▶ watching ...
 *                              │ watchers_drain: asked once more for what is left
 *                              ▼
 *                          draining ──orderly end──▶ drained
 */
#pragma once

#include "tests/crash/run.h"

struct watchers;
struct watchers *watchers_new(struct run *run);
void watchers_free(struct watchers *watchers); /* NULL is fine */
/* A new chapter of the history has begun: all watch from its base on. */
void watchers_begin_chapter(struct watchers *watchers);
/* The server serves: those that do not watch go on. */
void watchers_go(struct watchers *watchers);
/* Lets all see what there is up to REVISION, the newest; then calls DONE. */
void watchers_drain(struct watchers *watchers, uint64_t revision, void (*done)(void *arg), void *arg);
