/* Records core/v1 Events about objects, as client-go's recorder does: an event that repeats (same object,
 * type, reason, message, field path) within 10 minutes patches the count and lastTimestamp of the first
 * instead of making a new one; at most 25 about one object in a burst, then one in five minutes per object
 * (spam filter). Posting is asynchronous, two requests at a time, and with pauses while answers take long, so
 * that a burst of events leaves the server to the work they tell of; never retried more than 12 times, and
 * never blocks.
 */
#pragma once

#include "lib/api_client.h"

struct event_recorder;
/* COMPONENT: "kubelet", "default-scheduler", "deployment-controller"...; HOST: node name or NULL. */
struct event_recorder *event_recorder_new(struct loop *loop, struct api_client *client, const char *component,
					  const char *host);
void event_recorder_free(struct event_recorder *recorder);

/* What an event is about; all borrowed, NULL members are left out. */
struct event_object {
	const char *api_version;
	const char *kind;
	const char *namespace_; /* NULL: the event goes to "default" */
	const char *name;
	const char *uid;
	uint64_t revision;      /* 0: left out */
	const char *field_path; /* "spec.containers{web}" */
};

/* TYPE is "Normal" or "Warning". */
void event_record(struct event_recorder *recorder, const struct event_object *about, const char *type,
		  const char *reason, const char *message_format, ...) PRINTF_LIKE(5, 6);
/* The object is gone for good: what is not yet sent still is, then nothing of it is kept. (Otherwise the
 * last 4096 objects are remembered for their repeats.) */
void event_recorder_forget(struct event_recorder *recorder, const struct event_object *about);
/* Waits (running the loop) until all posted events are answered, at most TIMEOUT_MS: before exit. */
void event_recorder_flush(struct event_recorder *recorder, int64_t timeout_ms);
