#include "lib/event_recorder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

#define REPEAT_WINDOW_MS    (10 * 60 * 1000)
#define BURST               25
#define REFILL_MS           (5 * 60 * 1000)
#define MAX_SUBJECTS        4096 /* as client-go's caches */
#define MAX_PER_SUBJECT     64
#define MAX_ATTEMPTS        12
#define DROPPED_PER_WARNING 1000
#define MAX_IN_FLIGHT                                                                                        \
	2 /* events are for people: a burst of them must not take the server's time from the work */
#define BUSY_MS      5    /* a server that takes so long for one has other work: it gets the next one after */
#define PAUSE_TIMES  8    /* so many times as long */
#define PAUSE_MAX_MS 1000 /* and this at most */
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 10000
#define MAX_MESSAGE  1024 /* core/v1 Event: validated by the server */

/* One Event object of the API. What happens to it:
 *
 *   recorded ──▶ POST under way ──201──▶ posted ──recorded again──▶ PATCH under way ──▶ posted
 *                                          ▲ not again within 10 minutes: forgotten
 *
 * Repeats that come while a request is under way only count up; one PATCH tells of all of them. */
struct event {
	TAILQ_ENTRY(event) link; /* of the subject, oldest first */
	struct subject *subject;
	char *name;
	char *type, *reason, *message;
	char *field_path;
	char *resource_version; /* of the object, when it was first recorded */
	int64_t first_us, last_us;
	int64_t last_ms;
	uint64_t count;
	uint64_t sent_count; /* that the server knows; 0: not posted */
	uint64_t sending_count;
	unsigned attempts;
};
TAILQ_HEAD(event_list, event);

/* An object that events are about. At most one request about it is under way, so its events arrive in the
 * order in which they were recorded. */
struct subject {
	TAILQ_ENTRY(subject) link; /* of the recorder's `settled` or, with something to send, `unsettled` */
	struct event_recorder *recorder;
	char *key;
	char *api_version, *kind, *namespace_, *name, *uid;
	bool of_cluster; /* has no namespace of its own */
	struct event_list events;
	size_t n_events;
	double tokens; /* spam filter */
	int64_t refilled_ms;
	struct http_call *call;
	int64_t called_ms;
	struct event *sending; /* by CALL, waits for its turn, or is to be retried by TIMER */
	TAILQ_ENTRY(subject) turn;
	bool waits; /* for its turn */
	bool ended; /* not kept when all is sent */
	struct loop_timer timer;
};
TAILQ_HEAD(subject_list, subject);

struct event_recorder {
	struct loop *loop;
	struct api_client *client;
	char *component;
	char *host;
	struct map subjects;
	struct subject_list settled;   /* all is sent; least recently used first */
	struct subject_list unsettled; /* something is sent or waits to be, oldest first */
	uint64_t n_dropped;            /* subjects with unsent events that made room */
	uint64_t names;                /* given to events */
	size_t in_flight;
	struct loop_timer pause;     /* armed: the server is busy, nothing is sent */
	struct subject_list waiting; /* by turn */
};

static void send_next(struct subject *subject);
static void pause_over(struct loop_timer *timer, void *arg);

struct event_recorder *event_recorder_new(struct loop *loop, struct api_client *client, const char *component,
					  const char *host)
{
	struct event_recorder *recorder = mem_zalloc(sizeof(*recorder));

	recorder->loop = loop;
	recorder->client = client;
	recorder->component = mem_dup(component);
	recorder->host = mem_dup(host);
	recorder->names = arc4random_uniform(1000);
	loop_timer_init(&recorder->pause, loop, pause_over, recorder);
	TAILQ_INIT(&recorder->settled);
	TAILQ_INIT(&recorder->unsettled);
	TAILQ_INIT(&recorder->waiting);
	return recorder;
}

static void event_free(struct event *event)
{
	TAILQ_REMOVE(&event->subject->events, event, link);
	event->subject->n_events--;
	free(event->name);
	free(event->type);
	free(event->reason);
	free(event->message);
	free(event->field_path);
	free(event->resource_version);
	free(event);
}

/* EVENT is what is to be sent of the subject; NULL: nothing. */
static void set_sending(struct subject *subject, struct event *event)
{
	struct event_recorder *recorder = subject->recorder;

	TAILQ_REMOVE(subject->sending ? &recorder->unsettled : &recorder->settled, subject, link);
	TAILQ_INSERT_TAIL(event ? &recorder->unsettled : &recorder->settled, subject, link);
	subject->sending = event;
}

static void subject_free(struct subject *subject)
{
	struct event_recorder *recorder = subject->recorder;
	struct event *event;

	if (subject->call) {
		http_call_cancel(subject->call);
		recorder->in_flight--;
	}
	if (subject->waits)
		TAILQ_REMOVE(&recorder->waiting, subject, turn);
	loop_timer_disarm(&subject->timer);
	while ((event = TAILQ_FIRST(&subject->events)))
		event_free(event);
	TAILQ_REMOVE(subject->sending ? &recorder->unsettled : &recorder->settled, subject, link);
	map_remove(&recorder->subjects, subject->key);
	free(subject->key);
	free(subject->api_version);
	free(subject->kind);
	free(subject->namespace_);
	free(subject->name);
	free(subject->uid);
	free(subject);
}

void event_recorder_free(struct event_recorder *recorder)
{
	struct subject *subject;

	if (!recorder)
		return;
	while ((subject = TAILQ_FIRST(&recorder->unsettled)) || (subject = TAILQ_FIRST(&recorder->settled)))
		subject_free(subject);
	loop_timer_disarm(&recorder->pause);
	map_close(&recorder->subjects);
	free(recorder->component);
	free(recorder->host);
	free(recorder);
}

/* --- requests --- */

static void add_string(struct buf *b, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	if (b->data[b->len - 1] != '{')
		buf_char(b, ',');
	buf_json_string(b, name);
	buf_char(b, ':');
	buf_json_string(b, value);
}

static void write_event(struct buf *b, const struct event *event)
{
	const struct subject *subject = event->subject;
	const struct event_recorder *recorder = subject->recorder;
	char first[TIMEFMT_SIZE], last[TIMEFMT_SIZE];

	buf_str(b, "{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{");
	add_string(b, "name", event->name);
	add_string(b, "namespace", subject->namespace_);
	buf_str(b, "},\"involvedObject\":{");
	add_string(b, "kind", subject->kind);
	/* The object's own namespace: none for those of the cluster, whose events go to "default". */
	add_string(b, "namespace", subject->of_cluster ? NULL : subject->namespace_);
	add_string(b, "name", subject->name);
	add_string(b, "uid", subject->uid);
	add_string(b, "apiVersion", subject->api_version);
	add_string(b, "resourceVersion", event->resource_version);
	add_string(b, "fieldPath", event->field_path);
	buf_char(b, '}');
	add_string(b, "reason", event->reason);
	add_string(b, "message", event->message);
	buf_str(b, ",\"source\":{");
	add_string(b, "component", recorder->component);
	add_string(b, "host", recorder->host);
	buf_char(b, '}');
	add_string(b, "firstTimestamp", time_format(event->first_us, first));
	add_string(b, "lastTimestamp", time_format(event->last_us, last));
	buf_printf(b, ",\"count\":%" PRIu64, event->count);
	add_string(b, "type", event->type);
	buf_str(b, ",\"eventTime\":null");
	add_string(b, "reportingComponent", recorder->component);
	buf_str(b, ",\"reportingInstance\":");
	buf_json_string(b, recorder->host ? recorder->host : "");
	buf_char(b, '}');
}

/* Whether the request may go well later. What the server refused it would refuse again. */
static bool worth_retrying(const struct api_response *response)
{
	return response->code == 0 || response->code == 429 || response->code >= 500;
}

static void retry_due(struct loop_timer *timer, void *arg)
{
	(void)timer;
	send_next(arg);
}

static bool may_send(const struct event_recorder *recorder)
{
	return recorder->in_flight < MAX_IN_FLIGHT && !loop_timer_armed(&recorder->pause);
}

static void next_turns(struct event_recorder *recorder)
{
	struct subject *subject;

	while (may_send(recorder) && (subject = TAILQ_FIRST(&recorder->waiting))) {
		TAILQ_REMOVE(&recorder->waiting, subject, turn);
		subject->waits = false;
		send_next(subject);
	}
}

static void pause_over(struct loop_timer *timer, void *arg)
{
	(void)timer;
	next_turns(arg);
}

/* After an answer that came TOOK_MS after its request. */
static void be_patient(struct event_recorder *recorder, int64_t took_ms)
{
	int64_t pause_ms = took_ms * PAUSE_TIMES;

	if (took_ms >= BUSY_MS)
		loop_timer_arm(&recorder->pause, pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
}

static void settle(struct subject *subject, const struct api_response *response)
{
	struct event *event = subject->sending;

	event->attempts++;
	if (response->err.kind == ERR_NONE) {
		event->sent_count = event->sending_count;
		event->attempts = 0;
	} else if (worth_retrying(response) && event->attempts < MAX_ATTEMPTS) {
		int64_t delay_ms = RETRY_MIN_MS << (event->attempts < 5 ? event->attempts - 1 : 5);

		if (delay_ms > RETRY_MAX_MS)
			delay_ms = RETRY_MAX_MS;
		if (response->retry_after_s > 0 && response->retry_after_s * 1000 > delay_ms)
			delay_ms = response->retry_after_s < 60 ? response->retry_after_s * 1000 : 60000;
		loop_timer_arm(&subject->timer,
			       delay_ms / 2 + (int64_t)arc4random_uniform((uint32_t)delay_ms / 2 + 1));
		return;
	} else if (event->sent_count > 0 && response->code == 404) {
		/* It expired on the server: a new one begins. */
		event->sent_count = 0;
		event->attempts = 0;
		free(event->name);
		event->name = NULL;
	} else if (event->sent_count == 0 && response->err.kind == ERR_ALREADY_EXISTS) {
		/* Our own POST, whose answer was lost. */
		event->sent_count = event->sending_count;
		event->attempts = 0;
	} else {
		log_warn("an event could not be recorded", "object", subject->name, "namespace",
			 subject->namespace_, "reason", event->reason, "message", event->message, "error",
			 response->err.msg, NULL);
		event_free(event);
	}
	set_sending(subject, NULL);
	send_next(subject);
}

static void answered(const struct api_response *response, void *arg)
{
	struct subject *subject = arg;
	struct event_recorder *recorder = subject->recorder;

	subject->call = NULL;
	recorder->in_flight--;
	be_patient(recorder, time_mono_ms() - subject->called_ms);
	settle(subject, response);
	next_turns(recorder);
}

static void send_post(struct subject *subject, struct event *event)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	CLEANUP(mem_freep) char *path = mem_printf("/api/v1/namespaces/%s/events", subject->namespace_);

	/* The name is the time in nanoseconds, as clients list events by name: those of one second stay in
	 * order. The last three digits keep events of one microsecond apart, and with a random start those of
	 * other programs too. */
	if (!event->name)
		event->name =
		    mem_printf("%.235s.%016" PRIx64, subject->name,
			       (uint64_t)event->first_us * 1000 + subject->recorder->names++ % 1000);
	write_event(&body, event);
	subject->call = api_client_call(subject->recorder->client, "POST", path, NULL, body.data, body.len,
					answered, subject);
}

static void send_patch(struct subject *subject, struct event *event)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	CLEANUP(mem_freep)
	char *path = mem_printf("/api/v1/namespaces/%s/events/%s", subject->namespace_, event->name);
	char last[TIMEFMT_SIZE];

	buf_printf(&body, "{\"count\":%" PRIu64 ",\"lastTimestamp\":\"%s\"}", event->count,
		   time_format(event->last_us, last));
	subject->call =
	    api_client_call(subject->recorder->client, "PATCH", path, "application/merge-patch+json",
			    body.data, body.len, answered, subject);
}

/* Sends the oldest that the server does not know as it is, when it is its turn. */
static void send_next(struct subject *subject)
{
	struct event *event = subject->sending;

	if (subject->call || subject->waits || (event && loop_timer_armed(&subject->timer)))
		return;
	if (!event) {
		TAILQ_FOREACH(event, &subject->events, link)
		{
			if (event->sent_count < event->count)
				break;
		}
		if (!event) {
			if (subject->ended)
				subject_free(subject);
			return;
		}
		set_sending(subject, event);
	}
	if (!may_send(subject->recorder)) {
		TAILQ_INSERT_TAIL(&subject->recorder->waiting, subject, turn);
		subject->waits = true;
		return;
	}
	subject->recorder->in_flight++;
	subject->called_ms = time_mono_ms();
	event->sending_count = event->count;
	if (event->sent_count == 0)
		send_post(subject, event);
	else
		send_patch(subject, event);
}

/* --- recording --- */

/* The least recently used one with nothing to send makes room. When everything waits, as when the server is
 * away, the oldest does that is not being sent just now: that would cost its connection as well. */
static void limit_subjects(struct event_recorder *recorder)
{
	struct subject *subject = TAILQ_FIRST(&recorder->settled);

	if (recorder->subjects.count < MAX_SUBJECTS)
		return;
	if (!subject) {
		TAILQ_FOREACH(subject, &recorder->unsettled, link)
		{
			if (!subject->call)
				break;
		}
		if (recorder->n_dropped++ % DROPPED_PER_WARNING == 0)
			log_warn("too many events wait, some are dropped", NULL);
	}
	if (subject) /* none when each is being sent, of which there are few */
		subject_free(subject);
}

static char *subject_key(const struct event_object *about)
{
	return mem_printf("%s %s\n%s/%s %s", about->api_version ? about->api_version : "",
			  about->kind ? about->kind : "", about->namespace_ ? about->namespace_ : "",
			  about->name, about->uid ? about->uid : "");
}

static struct subject *subject_get(struct event_recorder *recorder, const struct event_object *about)
{
	const char *namespace_ = about->namespace_ ? about->namespace_ : "";
	CLEANUP(mem_freep) char *key = subject_key(about);
	struct subject *subject = map_get(&recorder->subjects, key);

	if (subject) {
		if (!subject->sending) {
			TAILQ_REMOVE(&recorder->settled, subject, link);
			TAILQ_INSERT_TAIL(&recorder->settled, subject, link);
		}
		return subject;
	}
	limit_subjects(recorder);
	subject = mem_zalloc(sizeof(*subject));
	subject->recorder = recorder;
	subject->key = TAKE(key);
	subject->api_version = mem_dup(about->api_version);
	subject->kind = mem_dup(about->kind);
	subject->namespace_ = mem_dup(*namespace_ ? namespace_ : "default");
	subject->of_cluster = !*namespace_;
	subject->name = mem_dup(about->name);
	subject->uid = mem_dup(about->uid);
	subject->tokens = BURST;
	subject->refilled_ms = time_mono_ms();
	loop_timer_init(&subject->timer, recorder->loop, retry_due, subject);
	TAILQ_INIT(&subject->events);
	TAILQ_INSERT_TAIL(&recorder->settled, subject, link);
	map_put(&recorder->subjects, subject->key, subject);
	return subject;
}

static bool spam(struct subject *subject, int64_t now_ms)
{
	subject->tokens += (double)(now_ms - subject->refilled_ms) / REFILL_MS;
	if (subject->tokens > BURST)
		subject->tokens = BURST;
	subject->refilled_ms = now_ms;
	if (subject->tokens < 1)
		return true;
	subject->tokens -= 1;
	return false;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* The event that this one repeats, or NULL. Forgets those that nothing can repeat any more. */
static struct event *find_event(struct subject *subject, const char *type, const char *reason,
				const char *message, const char *field_path, int64_t now_ms)
{
	struct event *found = NULL, *event = TAILQ_FIRST(&subject->events);

	while (event) {
		struct event *next = TAILQ_NEXT(event, link);

		if (event != subject->sending && event->sent_count == event->count &&
		    now_ms - event->last_ms > REPEAT_WINDOW_MS)
			event_free(event);
		else if (now_ms - event->last_ms <= REPEAT_WINDOW_MS && same(event->type, type) &&
			 same(event->reason, reason) && same(event->message, message) &&
			 same(event->field_path, field_path))
			found = event;
		event = next;
	}
	return found;
}

static struct event *event_new(struct subject *subject, const struct event_object *about, const char *type,
			       const char *reason, const char *message)
{
	struct event *event = TAILQ_FIRST(&subject->events);

	if (subject->n_events >= MAX_PER_SUBJECT) {
		if (event == subject->sending)
			event = TAILQ_NEXT(event, link);
		event_free(event);
	}
	event = mem_zalloc(sizeof(*event));
	event->subject = subject;
	event->type = mem_dup(type);
	event->reason = mem_dup(reason);
	event->message = mem_dup(message);
	event->field_path = mem_dup(about->field_path);
	event->resource_version = about->revision ? mem_printf("%" PRIu64, about->revision) : NULL;
	event->first_us = time_now_us();
	TAILQ_INSERT_TAIL(&subject->events, event, link);
	subject->n_events++;
	return event;
}

/* Cuts a message that is too long, not within a character. */
static void cut(char *message)
{
	size_t len = MAX_MESSAGE - 3;

	if (strlen(message) <= MAX_MESSAGE)
		return;
	while (len > 0 && ((unsigned char)message[len] & 0xc0) == 0x80)
		len--;
	memcpy(message + len, "...", sizeof("..."));
}

void event_record(struct event_recorder *recorder, const struct event_object *about, const char *type,
		  const char *reason, const char *message_format, ...)
{
	CLEANUP(mem_freep) char *message = NULL;
	struct subject *subject = subject_get(recorder, about);
	int64_t now_ms = time_mono_ms();
	struct event *event;
	va_list ap;

	if (spam(subject, now_ms))
		return;
	va_start(ap, message_format);
	message = mem_vprintf(message_format, ap);
	va_end(ap);
	cut(message);
	event = find_event(subject, type, reason, message, about->field_path, now_ms);
	if (!event)
		event = event_new(subject, about, type, reason, message);
	event->count++;
	event->last_us = time_now_us();
	event->last_ms = now_ms;
	send_next(subject);
}

void event_recorder_forget(struct event_recorder *recorder, const struct event_object *about)
{
	CLEANUP(mem_freep) char *key = subject_key(about);
	struct subject *subject = map_get(&recorder->subjects, key);

	if (!subject)
		return;
	subject->ended = true;
	send_next(subject);
}

static void flush_over(struct loop_timer *timer, void *arg)
{
	(void)timer;
	*(bool *)arg = true;
}

void event_recorder_flush(struct event_recorder *recorder, int64_t timeout_ms)
{
	struct loop_timer timer;
	bool over = false;

	loop_timer_init(&timer, recorder->loop, flush_over, &over);
	loop_timer_arm(&timer, timeout_ms);
	while (!TAILQ_EMPTY(&recorder->unsettled) && !over) {
		loop_timer_disarm(&recorder->pause);
		next_turns(recorder);
		loop_turn(recorder->loop, -1);
	}
	loop_timer_disarm(&timer);
}
