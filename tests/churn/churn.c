#include "tests/churn/churn.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/timefmt.h"

enum { RETRY_MS = 50, GIVE_UP_MS = 60000, LOOK_MS = 100, SHOWN_BYTES = 6000 };

static void stop_asked(int signo, void *arg)
{
	(void)signo;
	((struct churn *)arg)->stopped = true;
}

int churn_open(struct churn *churn, const struct churn_opts *opts, const struct programs_extra *extra,
	       struct err *err)
{
	CLEANUP(mem_freep) char *kubeconfig = mem_printf("%s/kubeconfig", opts->dir);
	CLEANUP(mem_freep) char *journal = mem_printf("%s.journal", opts->dir);
	const struct kubeconfig_overrides overrides = { .path = kubeconfig };
	struct kubeconfig config = { 0 };

	*churn = (struct churn){ .opts = opts, .began_ms = time_mono_ms() };
	churn->journal = fopen(journal, "we+");
	if (!churn->journal)
		return err_set(err, ERR_SYSTEM, "cannot write %s", journal);
	churn->loop = loop_new(err);
	if (!churn->loop || loop_signal(churn->loop, SIGTERM, stop_asked, churn, err) < 0 ||
	    loop_signal(churn->loop, SIGINT, stop_asked, churn, err) < 0 ||
	    kubeconfig_load(&overrides, &config, err) < 0)
		return -1;
	churn->client = api_client_new(churn->loop, &config, "knarr-churn", err);
	kubeconfig_close(&config);
	if (!churn->client)
		return -1;
	churn->programs = programs_new(churn, opts->dir, opts->bin_dir, extra, err);
	return churn->programs ? 0 : -1;
}

void churn_close(struct churn *churn)
{
	programs_free(churn->programs);
	api_client_free(churn->client);
	loop_free(churn->loop);
	mem_fclosep(&churn->journal);
}

/* --- the journal --- */

static void write_line(struct churn *churn, const char *mark, const char *text)
{
	int64_t ms = time_mono_ms() - churn->began_ms;

	fprintf(churn->journal, "%4lld.%03lld %s%s\n", (long long)(ms / 1000), (long long)(ms % 1000), mark,
		text);
	fflush(churn->journal);
}

void churn_note(struct churn *churn, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *text = mem_vprintf(format, ap);
	va_end(ap);
	write_line(churn, "", text);
}

void churn_fault(struct churn *churn, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *text = mem_vprintf(format, ap);
	va_end(ap);
	churn->faults++;
	write_line(churn, "FAULT: ", text);
	fprintf(stderr, "fault: %s\n", text);
}

void churn_show_journal(struct churn *churn)
{
	char text[SHOWN_BYTES + 1];
	long end = ftell(churn->journal);

	fseek(churn->journal, end > SHOWN_BYTES ? end - SHOWN_BYTES : 0, SEEK_SET);
	text[fread(text, 1, SHOWN_BYTES, churn->journal)] = '\0';
	fprintf(stderr, "the last of %s.journal:\n%s", churn->opts->dir, text);
	fseek(churn->journal, 0, SEEK_END);
}

void churn_tell(struct churn *churn, const struct churn_count *counts, size_t n)
{
	CLEANUP(buf_close) struct buf line = BUF_INIT;
	CLEANUP(buf_close) struct buf report = BUF_INIT;
	struct err err = ERR_INIT;

	buf_printf(&report, "{\"part\":\"churn-%s\",\"seconds\":%lld,\"failed\":%s,\"counts\":{",
		   churn->opts->shape, (long long)(churn->opts->fire_ms / 1000),
		   churn->faults ? "true" : "false");
	for (size_t i = 0; i < n; i++) {
		buf_printf(&line, "%s%llu %s", i ? ", " : "", (unsigned long long)counts[i].n,
			   counts[i].what);
		buf_printf(&report, "%s\"%s\":%llu", i ? "," : "", counts[i].what,
			   (unsigned long long)counts[i].n);
	}
	buf_str(&report, "}}\n");
	printf("%s; %u faults\n", line.data, churn->faults);
	if (churn->opts->report &&
	    buf_write_file_atomic(churn->opts->report, report.data, report.len, 0644, &err) < 0)
		fprintf(stderr, "error: %s\n", err.msg);
}

int64_t churn_between(struct rng *rng, int64_t least, int64_t most)
{
	return least + rng_below(rng, (uint32_t)(most - least + 1));
}

/* --- waiting and calling --- */

void churn_wait(struct churn *churn, int64_t ms)
{
	int64_t until_ms = time_mono_ms() + ms, left_ms;

	while (!churn->stopped && (left_ms = until_ms - time_mono_ms()) > 0)
		loop_turn(churn->loop, (int)left_ms);
}

bool churn_until(struct churn *churn, const char *what, int64_t limit_ms,
		 bool (*condition)(struct buf *why, void *arg), void *arg)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;
	int64_t until_ms = time_mono_ms() + limit_ms;

	while (!churn->stopped) {
		buf_reset(&why);
		if (condition(&why, arg))
			return true;
		if (time_mono_ms() > until_ms) {
			churn_fault(churn, "not so within %lld s: %s: %s", (long long)(limit_ms / 1000), what,
				    why.len ? why.data : "no reason");
			return false;
		}
		churn_wait(churn, LOOK_MS);
	}
	return false;
}

struct call {
	bool done;
	int code;
	long retry_after_s;
	struct buf *body;
};

static void answered(const struct api_response *response, void *arg)
{
	struct call *call = arg;

	call->done = true;
	/* A 2xx whose body was cut off is no answer. */
	call->code = response->code >= 200 && response->code < 300 && response->err.kind != ERR_NONE
			 ? 0
			 : response->code;
	if (call->body && call->code)
		buf_add(call->body, response->data, response->len);
}

int churn_call(struct churn *churn, const char *method, const char *path, const char *content_type,
	       const char *body, struct buf *ret, bool *ret_repeated)
{
	int64_t until_ms = time_mono_ms() + GIVE_UP_MS;
	bool repeated = false;

	while (time_mono_ms() < until_ms) {
		struct call call = { .body = ret };
		if (ret)
			buf_reset(ret);
		api_client_call(churn->client, method, path, content_type, body, body ? strlen(body) : 0,
				answered, &call);
		while (!call.done)
			loop_turn(churn->loop, -1);
		if (ret_repeated)
			*ret_repeated = repeated;
		if (call.code > 0 && call.code < 500 && call.code != 429)
			return call.code;
		repeated = true;
		churn_wait(churn, RETRY_MS);
	}
	churn_fault(churn, "%s %s: no answer for a minute", method, path);
	return -1;
}

struct json_object *churn_get(struct churn *churn, const char *path)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;
	int code = churn_call(churn, "GET", path, NULL, NULL, &body, NULL);

	if (code < 0)
		return NULL;
	if (code != 200)
		churn_fault(churn, "GET %s: answered %d: %s", path, code, body.data);
	else if (json_parse(body.data, body.len, &obj, NULL, &err) < 0)
		churn_fault(churn, "GET %s: %s", path, err.msg);
	return obj;
}
