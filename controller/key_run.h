/* One run of a work queue's key that makes any number of calls and is over when the last is answered.
 *
 *     struct key_run *run = key_run_begin(queue, key, client, "namespace");
 *     key_run_call(run, "DELETE", path, NULL, body, NULL, NULL);
 *     key_run_end(run);       // the deciding is over; the run is gone when its calls are too
 */
#pragma once

#include "lib/api_client.h"
#include "lib/work_queue.h"

struct key_run {
	struct work_queue *queue;
	struct api_client *client;
	const char *what; /* the kind of thing, for the log */
	char *key;
	size_t holds; /* calls under way, and the deciding */
	bool failed;  /* the key is tried again after its back-off */
};

/* KEY is copied, WHAT is not. */
struct key_run *key_run_begin(struct work_queue *queue, const char *key, struct api_client *client,
			      const char *what);
/* content_type NULL: application/json. ANSWERED (may be NULL) gets the answer with ARG; it may make further
 * calls, and says with key_run_check what a failure means; without it that is done for all. */
void key_run_call(struct key_run *run, const char *method, const struct buf *path, const char *content_type,
		  const struct buf *body,
		  void (*answered)(struct key_run *run, const struct api_response *response, void *arg),
		  void *arg);
/* True for a success. 404 and 409 are none but no failure either: somebody was faster, and the watch tells.
 * Others are logged and the run has failed. */
bool key_run_check(struct key_run *run, const struct api_response *response);
void key_run_end(struct key_run *run);

/* DeleteOptions for the object with UID, and no other of its name. */
void key_run_delete_options(struct buf *b, const char *uid);
