/* What a server tells an informer, whole lists, pages, watch events and failures, from one that may be broken
 * or hostile. The input is a list of acts parted by lines "%%"; the first byte of each says which, the rest
 * is its text:
 *
 *     2 4 5 9 0    what is under way ends with 200, 410, 500, 429, without an answer; the rest is the body
 *     d D          the watch brings the rest, at once or byte by byte
 *     f            the informer is freed within the next call of the program, else after the act
 *
 * The informer always waits for an answer or for a timer; the program's picture of the objects is the
 * cache's; what was listed is there and nothing else. HTTP and timers are this file's (in place of
 * http_client.c and loop.c).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/informer.h"
#include "lib/log.h"
#include "lib/mem.h"

#define ITEMS_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct item {
	struct informer_item base;
	char *note;
};

static struct informer *informer;
/* The program's picture: items by what the calls said. */
static const struct item *known[ITEMS_MAX];
static size_t n_known;
static bool synced, free_soon, freed;

/* --- what the informer runs on --- */

struct http_call {
	bool (*data)(const char *data, size_t len, void *arg);
	void (*done)(const struct http_response *response, void *arg);
	void (*release)(void *arg);
	void *arg;
};

static struct http_call *call; /* what is under way */
static struct loop_timer *timer;
static int64_t now_ms;

struct http_client *http_client_new(struct loop *loop, const struct http_identity *identity,
				    long max_connections, const char *user_agent, struct err *err)
{
	(void)loop;
	(void)identity;
	(void)max_connections;
	(void)user_agent;
	(void)err;
	return mem_zalloc(1);
}

/* Commands' way: informers do not take it. */
struct http_client *http_client_new_ahead(struct loop *loop, const struct http_identity *identity,
					  const char *url, long max_connections, const char *user_agent,
					  struct err *err)
{
	(void)url;
	return http_client_new(loop, identity, max_connections, user_agent, err);
}

void http_client_free(struct http_client *client)
{
	free(client);
}

/* A token of the server's does not become anything else in the request line. */
static void check_url(const char *url)
{
	if (strncmp(url, "https://server/api/v1/pods?", 27) != 0)
		abort();
	for (; *url; url++)
		if (*url <= ' ' || *url == 0x7f || strchr("\"<>\\^`{|}#", *url))
			abort();
}

struct http_call *http_client_send(struct http_client *client, const struct http_request *request,
				   bool (*data)(const char *data, size_t len, void *arg),
				   void (*done)(const struct http_response *response, void *arg), void *arg)
{
	(void)client;
	if (call || timer || freed)
		abort();
	check_url(request->url);
	call = mem_zalloc(sizeof(*call));
	*call = (struct http_call){ data, done, request->release, arg };
	return call;
}

static void release(struct http_call *over)
{
	if (over->release)
		over->release(over->arg);
	free(over);
}

void http_call_cancel(struct http_call *over)
{
	if (over != call)
		abort();
	release(TAKE(call));
}

void loop_timer_init(struct loop_timer *t, struct loop *loop, void (*fn)(struct loop_timer *timer, void *arg),
		     void *arg)
{
	*t = (struct loop_timer){ .loop = loop, .fn = fn, .arg = arg };
}

void loop_timer_arm(struct loop_timer *t, int64_t delay_ms)
{
	if (call || timer || delay_ms <= 0 || delay_ms > 65000)
		abort();
	timer = t;
}

void loop_timer_disarm(struct loop_timer *t)
{
	if (timer == t)
		timer = NULL;
}

int64_t loop_now_ms(const struct loop *loop)
{
	(void)loop;
	return now_ms;
}

void loop_turn(struct loop *loop, int timeout_ms)
{
	(void)loop;
	(void)timeout_ms;
	abort(); /* nobody waits here */
}

/* --- the program --- */

static void maybe_free(void)
{
	if (!free_soon || freed)
		return;
	freed = true;
	informer_free(informer);
}

static size_t find(const char *key)
{
	size_t i = 0;
	while (i < n_known && strcmp(known[i]->base.key, key) != 0)
		i++;
	return i;
}

static bool decode(void *item, struct json_object *obj, void *arg)
{
	(void)arg;
	((struct item *)item)->note = mem_dup(json_str_or_empty(obj, "note"));
	return !json_get(obj, "skip");
}

static void close_item(void *item)
{
	free(((struct item *)item)->note);
}

static void added(void *item, void *arg)
{
	const struct item *new_ = item;
	(void)arg;
	if (freed || find(new_->base.key) < n_known || informer_get(informer, new_->base.key) != item ||
	    n_known == ITEMS_MAX)
		abort();
	known[n_known++] = new_;
	maybe_free();
}

static void updated(void *old, void *new_, void *arg)
{
	const struct item *before = old, *after = new_;
	size_t i = find(before->base.key);
	(void)arg;
	if (freed || i == n_known || known[i] != before || strcmp(before->base.key, after->base.key) != 0 ||
	    strcmp(before->base.uid, after->base.uid) != 0 || !before->note)
		abort();
	known[i] = after;
	maybe_free();
}

static void deleted(void *item, void *arg)
{
	const struct item *gone = item;
	size_t i = find(gone->base.key);
	(void)arg;
	if (freed || i == n_known || known[i] != gone || informer_get(informer, gone->base.key))
		abort();
	known[i] = known[--n_known];
	maybe_free();
}

static void all_there(void *arg)
{
	(void)arg;
	if (freed || synced)
		abort();
	synced = true;
	maybe_free();
}

static const struct informer_type type = {
	.path = "/api/v1/pods",
	.item_size = sizeof(struct item),
	.decode = decode,
	.close = close_item,
	.added = added,
	.updated = updated,
	.deleted = deleted,
	.synced = all_there,
};

/* --- what was listed, read in another way --- */

static char *listed[ITEMS_MAX];
static size_t n_listed;
static bool listing_known; /* every page so far is plain JSON that names each object once */

static void forget_listing(bool is_known)
{
	for (size_t i = 0; i < n_listed; i++)
		free(TAKE(listed[i]));
	n_listed = 0;
	listing_known = is_known;
}

static void note_page(const char *text, size_t len)
{
	CLEANUP(json_putp) struct json_object *page = NULL;
	size_t duplicates;
	if (json_parse(text, len, &page, &duplicates, NULL) < 0 || duplicates) {
		listing_known = false;
		return;
	}
	const struct json_object *items = json_get(page, "items");
	for (size_t i = 0; listing_known && i < json_len(items); i++) {
		const struct json_object *metadata = json_get(json_at(items, i), "metadata");
		const char *space = json_str_or_empty(metadata, "namespace"),
			   *name = json_str_or_empty(metadata, "name");
		char *key = *space ? mem_printf("%s/%s", space, name) : mem_dup(name);
		for (size_t k = 0; k < n_listed; k++)
			listing_known = listing_known && strcmp(listed[k], key) != 0;
		if (json_get(json_at(items, i), "skip") || !*name || n_listed == ITEMS_MAX ||
		    !listing_known) {
			listing_known = listing_known && !*name; /* what has no name is passed over */
			free(key);
		} else {
			listed[n_listed++] = key;
		}
	}
}

static void check_listed(void)
{
	if (!listing_known)
		return;
	if (n_listed != n_known)
		abort();
	for (size_t i = 0; i < n_listed; i++)
		if (find(listed[i]) == n_known)
			abort();
}

/* --- acts --- */

static void end_call(char act, const char *text, size_t len)
{
	static const struct {
		char act;
		int code;
	} codes[] = { { '2', 200 }, { '4', 410 }, { '5', 500 }, { '9', 429 }, { '0', 0 } };
	CLEANUP(mem_freep) char *body = mem_zalloc(len + 1);
	struct http_call *over = TAKE(call);
	struct http_response response = { .content_type = "application/json",
					  .retry_after_s = act == '9' ? 1 : -1 };
	bool stream = over->data != NULL;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].act == act)
			response.code = codes[i].code;
	if (!response.code)
		err_set(&response.err, ERR_CONNECTION, "connection refused");
	memcpy(body, text, len);
	response.data = stream && response.code == 200 ? "" : body;
	response.len = response.data == body ? len : 0;
	if (!stream && response.code == 200)
		note_page(body, response.len);
	over->done(&response, over->arg);
	release(over);
	if (freed)
		return;
	if (!stream && call && call->data)
		check_listed();
	if (!stream && (!call || call->data))
		forget_listing(true);
}

/* A program that wants no more ends the stream. */
static void stream_data(const char *text, size_t len, size_t piece)
{
	while (len) {
		size_t n = piece < len ? piece : len;
		if (!call->data(text, n, call->arg)) {
			if (!freed)
				end_call('0', "", 0);
			return;
		}
		if (freed)
			return;
		text += n;
		len -= n;
	}
}

static void act(const char *text, size_t len)
{
	now_ms += 700;
	if (!call) {
		struct loop_timer *due = TAKE(timer);
		due->fn(due, due->arg);
	}
	if (!call)
		abort();
	if (*text == 'f')
		free_soon = true;
	else if ((*text == 'd' || *text == 'D') && call->data)
		stream_data(text + 1, len - 1, *text == 'd' ? len : 1);
	else if (strchr("24590", *text) && *text)
		end_call(*text, text + 1, len - 1);
}

static void check(void)
{
	const struct item *item;
	if (!call == !timer || informer_count(informer) != n_known || informer_synced(informer) != synced)
		abort();
	for (size_t i = 0; (item = informer_next(informer, &i));)
		if (find(item->base.key) == n_known || known[find(item->base.key)] != item || !item->note)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kubeconfig config = { .server = (char *)(uintptr_t) "https://server" };
	struct api_client *client = api_client_new(NULL, &config, "fuzz", NULL);
	const char *text = (const char *)data, *end = text + size;
	log_init("fuzz", LOG_LEVEL_ERROR, false);
	n_known = 0;
	synced = free_soon = freed = false;
	forget_listing(true);
	informer = informer_new(NULL, client, &type, NULL);
	while (text < end && !freed) {
		const char *separator = memmem(text, (size_t)(end - text), "\n%%\n", 4);
		const char *stop = separator ? separator : end;
		if (stop > text)
			act(text, (size_t)(stop - text));
		if (!freed)
			check();
		text = separator ? separator + 4 : end;
	}
	if (!freed)
		informer_free(informer);
	if (call || timer)
		abort();
	forget_listing(true);
	api_client_free(client);
	return 0;
}
