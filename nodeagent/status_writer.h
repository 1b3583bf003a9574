/* Pod statuses on their way to the API. Writes for different pods are in flight together, for one pod one at
 * a time, in order. While one is under way newer statuses replace those that wait, except milestones: states
 * that an observer must be able to see (a container ran, it ended) however short they were.
 */
#pragma once

#include <stdbool.h>

#include "lib/api_client.h"
#include "lib/json.h"
#include "lib/loop.h"

struct status_writer;
/* Both outlive it. */
struct status_writer *status_writer_new(struct loop *loop, struct api_client *api);
/* What was not written by then is not. NULL is fine. */
void status_writer_free(struct status_writer *writer);

/* Queues STATUS (a reference is taken) for the pod; failed writes are tried again until they succeed or the
 * pod is gone. */
void status_writer_put(struct status_writer *writer, const char *uid, const char *namespace_,
		       const char *name, struct json_object *status, bool milestone);
/* After everything queued is written, deletes the pod for good: grace period 0, only this UID. */
void status_writer_delete(struct status_writer *writer, const char *uid, const char *namespace_,
			  const char *name);
/* The pod is gone from the API: drops what is queued. */
void status_writer_forget(struct status_writer *writer, const char *uid);
