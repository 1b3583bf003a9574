#include "tests/crash/clients.h"

#include <stdlib.h>
#include <string.h>

#include "lib/list_page.h"

#define PAGE_MAX 6

struct client {
	struct run *run;
	struct rng rng;
	struct loop_timer timer;
	bool asking;
	uint32_t number; /* of the operation under way */
	/* A list, page by page; a page whose answer was lost is asked for again. */
	bool listing;
	struct list list;
	unsigned limit;
	bool not_older;
	char *continue_;
	struct item *items;
	size_t n_items, cap_items;
};

struct clients {
	size_t n;
	struct client *all;
};

static void next(struct client *client);

static void on_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	next(arg);
}

static void think(struct client *client)
{
	loop_timer_arm(&client->timer, rng_below(&client->rng, client->run->think_ms));
}

static void over(struct client *client)
{
	client->asking = false;
	think(client);
	run_over(client->run, &client->run->asking);
}

/* --- lists --- */

static void end_list(struct client *client)
{
	client->listing = false;
	client->n_items = 0;
	free(TAKE(client->continue_));
}

static void begin_list(struct client *client)
{
	struct run *run = client->run;
	struct rng *rng = &client->rng;
	struct selection selection = SELECT_ALL(rng_chance(rng, 70) ? HISTORY_CONFIG_MAP : HISTORY_POD);

	if (rng_chance(rng, 30))
		selection.namespace_ = (int)rng_below(rng, 2);
	if (rng_chance(rng, 20))
		selection.half = (int)rng_below(rng, 2);
	if (selection.resource == HISTORY_POD && rng_chance(rng, 30))
		selection.unbound = true;
	client->list = (struct list){ .selection = selection };
	client->limit = rng_chance(rng, 60) ? 1 + rng_below(rng, PAGE_MAX) : 0;
	client->not_older = rng_chance(rng, 30);
	if (rng_chance(rng, 30)) {
		uint64_t from = run->history.base_revision;

		client->list.asked = from + rng_below(rng, (uint32_t)(run->history.seen - from) + 1);
	}
	client->listing = true;
}

static bool add_item(struct json_object *obj, void *arg)
{
	struct client *client = arg;
	struct item item;
	const char *uid;

	if (!objects_parse(obj, &item.object, &item.state, &uid))
		return true;
	if (client->n_items == client->cap_items) {
		client->cap_items = client->cap_items ? client->cap_items * 2 : 32;
		client->items = mem_realloc_array(client->items, client->cap_items, sizeof(*client->items));
	}
	client->items[client->n_items++] = item;
	return true;
}

static void page_arrived(struct client *client, const struct api_response *response)
{
	struct run *run = client->run;
	struct list_page page = { 0 };
	struct err err = ERR_INIT;
	bool first = !client->continue_;

	if (list_page_walk(response->data, response->len, NULL, NULL, add_item, client, &page, &err) < 0) {
		verdict_fault(&run->verdict, "a list cannot be read: %s", err.msg);
		end_list(client);
		return;
	}
	if (first) {
		client->list.ended = history_tick(&run->history);
		client->list.revision = page.revision;
		history_saw(&run->history, page.revision);
	} else if (page.revision != client->list.revision) {
		verdict_fault(&run->verdict, "a list began at revision %llu and went on at %llu",
			      (unsigned long long)client->list.revision, (unsigned long long)page.revision);
	}
	free(client->continue_);
	client->continue_ = mem_dup(page.continue_);
	list_page_close(&page);
	if (client->continue_)
		return;
	history_list(&run->history, &client->list, client->items, client->n_items);
	run->reads++;
	end_list(client);
}

static void listed(const struct api_response *response, void *arg)
{
	struct client *client = arg;
	struct run *run = client->run;

	if (response->code == 200 && response->err.kind == ERR_NONE) {
		page_arrived(client, response);
	} else if (response->code == 410) {
		history_expired(&run->history, client->list.selection.resource,
				client->list.asked ? client->list.asked : client->list.revision);
		run->expired++;
		end_list(client);
	} else if (response->code >= 300) {
		verdict_fault(&run->verdict, "a list was refused: %s", response->err.msg);
		end_list(client);
	}
	over(client);
}

static void ask_page(struct client *client)
{
	struct run *run = client->run;
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	objects_selection_path(&path, &client->list.selection);
	if (client->limit)
		buf_printf(&path, "limit=%u&", client->limit);
	if (client->continue_) {
		buf_str(&path, "continue=");
		buf_url_encode(&path, client->continue_);
	} else {
		client->n_items = 0;
		client->list.began = history_tick(&run->history);
		client->list.floor = run->history.seen;
		if (client->list.asked)
			buf_printf(&path, "resourceVersion=%llu&resourceVersionMatch=Exact",
				   (unsigned long long)client->list.asked);
		else if (client->not_older)
			buf_printf(&path, "resourceVersion=%llu&resourceVersionMatch=NotOlderThan",
				   (unsigned long long)run->history.seen);
	}
	api_client_call(run->api, "GET", path.data, NULL, NULL, 0, listed, client);
}

/* --- single objects --- */

static void take_answer(struct client *client, const struct op *op, const struct api_response *response)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	struct run *run = client->run;
	struct state state = { 0 };
	unsigned object = op->object;
	const char *uid = NULL;
	bool shows;

	if (json_parse(response->data, response->len, &obj, NULL, NULL) < 0)
		obj = NULL;
	shows = objects_parse(obj, &object, &state, &uid);
	if (!shows && op->kind == OP_DELETE) {
		uid = json_str_or_empty(json_get(obj, "details"), "uid");
		state.uid = objects_uid_hash(uid);
	} else if ((!shows && op->kind != OP_BIND) || object != op->object) {
		verdict_fault(&run->verdict, "the answer to a write or get is not the object: %.200s",
			      response->data);
	}
	if (op->kind == OP_DELETE)
		state.revision = 0;
	else if (shows)
		run_learn(run, object, &state, uid, state.revision);
	history_done(&run->history, client->number, &state);
	if (op->kind == OP_GET)
		run->reads++;
	else
		run->acknowledged++;
}

static void lost(struct client *client, const struct op *op, const struct api_response *response)
{
	struct run *run = client->run;

	if (response->err.kind == ERR_TIMEOUT)
		verdict_fault(&run->verdict, "no answer in time: %s", response->err.msg);
	/* The body was cut off, but the head said that it was done. Which object a deletion was of it did
	 * not. */
	if (response->code && op->kind < OP_DELETE)
		history_done(&run->history, client->number, NULL);
	else
		history_lost(&run->history, client->number);
	run->lost++;
}

static void answered(const struct api_response *response, void *arg)
{
	struct client *client = arg;
	struct run *run = client->run;
	const struct op op = *history_op(&run->history, client->number);

	if (response->err.kind == ERR_NONE) {
		take_answer(client, &op, response);
	} else if (response->code >= 300) {
		history_refused(&run->history, client->number, response->code);
		run->refused++;
		if (response->code == 404)
			run_learn(run, op.object, &(struct state){ 0 }, NULL, run->history.seen);
	} else {
		lost(client, &op, response);
	}
	over(client);
}

/* What is known may be old; sometimes it is older still. */
static void add_preconditions(struct client *client, struct op *op, const struct known *known)
{
	struct rng *rng = &client->rng;
	uint64_t revision = rng_chance(rng, 10) && known->older ? known->older : known->state.revision;

	op->expect = known->state.slots[0];
	if (op->kind == OP_UPDATE || (op->kind == OP_PATCH && rng_chance(rng, 50)) ||
	    (op->kind == OP_DELETE && rng_chance(rng, 33)))
		op->if_revision = revision;
	else if (op->kind == OP_DELETE && rng_chance(rng, 50))
		op->if_uid = known->state.uid;
	if (op->kind == OP_UPDATE)
		op->carried = known->state.slots[1];
}

static enum op_kind choose_kind(struct client *client, bool pod, bool there)
{
	static const struct {
		enum op_kind kind, of_pod;
		uint32_t percent;
	} mix[] = {
		{ OP_UPDATE, OP_PATCH, 30 },  { OP_PATCH, OP_BIND, 22 },   { OP_TEST, OP_TEST, 10 },
		{ OP_DELETE, OP_DELETE, 10 }, { OP_CREATE, OP_CREATE, 6 }, { OP_GET, OP_GET, 100 },
	};
	uint32_t drawn = rng_below(&client->rng, 100);
	size_t i = 0;

	if (!there && rng_chance(&client->rng, 70))
		return OP_CREATE;
	while (drawn >= mix[i].percent)
		drawn -= mix[i++].percent;
	return pod ? mix[i].of_pod : mix[i].kind;
}

static void ask(struct client *client)
{
	struct run *run = client->run;
	unsigned object = rng_below(&client->rng, OBJECTS);
	const struct known *known = &run->known[object];
	bool pod = run->history.objects[object].resource == HISTORY_POD;
	struct op op = { .object = object, .kind = choose_kind(client, pod, known->state.revision > 0) };
	struct objects_request request;

	/* Without a revision to go by an update would be unconditional, and its slot 1 a guess. */
	if (op.kind == OP_UPDATE && !known->state.revision)
		op.kind = OP_GET;
	op.slot = op.kind == OP_BIND || (op.kind == OP_PATCH && !pod);
	if (known->state.revision)
		add_preconditions(client, &op, known);
	client->number = history_begin(&run->history, &op);
	objects_request(&request, &op, client->number, known->uid);
	api_client_call(run->api, request.method, request.path.data, request.content_type,
			request.body.len ? request.body.data : NULL, request.body.len, answered, client);
	objects_request_close(&request);
}

/* --- all --- */

static void next(struct client *client)
{
	struct run *run = client->run;

	if (!run->serving || run->stopping || client->asking)
		return;
	client->asking = true;
	run_sent(&run->asking);
	if (!client->listing && rng_chance(&client->rng, 6))
		begin_list(client);
	if (client->listing)
		ask_page(client);
	else
		ask(client);
}

struct clients *clients_new(struct run *run, size_t n)
{
	struct clients *clients = mem_zalloc(sizeof(*clients));

	clients->n = n;
	clients->all = mem_zalloc(n * sizeof(*clients->all));
	for (size_t i = 0; i < n; i++) {
		struct client *client = &clients->all[i];

		client->run = run;
		client->rng = rng_of(run->seed, 100 + i);
		loop_timer_init(&client->timer, run->loop, on_timer, client);
	}
	return clients;
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	for (size_t i = 0; i < clients->n; i++) {
		loop_timer_disarm(&clients->all[i].timer);
		free(clients->all[i].continue_);
		free(clients->all[i].items);
	}
	free(clients->all);
	free(clients);
}

void clients_go(struct clients *clients)
{
	for (size_t i = 0; i < clients->n; i++) {
		if (!clients->all[i].asking)
			think(&clients->all[i]);
	}
}

void clients_forget_lists(struct clients *clients)
{
	for (size_t i = 0; i < clients->n; i++)
		end_list(&clients->all[i]);
}
