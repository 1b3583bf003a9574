#include "controller/key_run.h"

#include <stdlib.h>

#include "lib/log.h"
#include "lib/mem.h"

struct call {
	struct key_run *run;
	void (*answered)(struct key_run *run, const struct api_response *response, void *arg);
	void *arg;
};

struct key_run *key_run_begin(struct work_queue *queue, const char *key, struct api_client *client,
			      const char *what)
{
	struct key_run *run = mem_zalloc(sizeof(*run));

	*run = (struct key_run){
		.queue = queue, .client = client, .what = what, .key = mem_dup(key), .holds = 1
	};
	return run;
}

bool key_run_check(struct key_run *run, const struct api_response *response)
{
	if (response->err.kind == ERR_NONE)
		return true;
	if (response->err.kind == ERR_NOT_FOUND || response->err.kind == ERR_CONFLICT)
		return false;
	log_warn("a controller's write failed", run->what, run->key, "error", response->err.msg, NULL);
	run->failed = true;
	return false;
}

static void call_done(const struct api_response *response, void *arg)
{
	CLEANUP(mem_freep) struct call *call = arg;

	if (call->answered)
		call->answered(call->run, response, call->arg);
	else
		key_run_check(call->run, response);
	key_run_end(call->run);
}

void key_run_call(struct key_run *run, const char *method, const struct buf *path, const char *content_type,
		  const struct buf *body,
		  void (*answered)(struct key_run *run, const struct api_response *response, void *arg),
		  void *arg)
{
	struct call *call = mem_alloc(sizeof(*call));

	*call = (struct call){ .run = run, .answered = answered, .arg = arg };
	run->holds++;
	api_client_call(run->client, method, path->data, content_type, body ? body->data : NULL,
			body ? body->len : 0, call_done, call);
}

void key_run_end(struct key_run *run)
{
	if (--run->holds > 0)
		return;
	work_queue_done(run->queue, run->key, run->failed ? WORK_RETRY : WORK_OK);
	free(run->key);
	free(run);
}

void key_run_delete_options(struct buf *b, const char *uid)
{
	buf_str(b, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":");
	buf_json_string(b, uid);
	buf_str(b, "}}");
}
