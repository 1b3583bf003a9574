/* The parameters of lists and watches, against the server in this process with a fixed set of objects. The
 * first byte chooses the collection, its high bit the deprecated path of watches; the rest is the query.
 *
 * Whatever the query: a client's mistake is answered as one; a list holds exactly what the label selector
 * selects; its pages put together are the list; a watch begins with the same objects.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/edge/query.h"
#include "lib/selector.h"
#include "tests/fuzz/edge_fixture.h"

#define HEADERS " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " EDGE_TOKEN "\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const collections[] = {
	"/api/v1/configmaps",
	"/api/v1/namespaces/default/configmaps",
	"/api/v1/namespaces/kube-system/configmaps",
	"/api/v1/pods",
	"/api/v1/namespaces/default/pods",
	"/api/v1/nodes",
	"/api/v1/namespaces",
};

static void add_object(struct buf *b, const char *path, const char *body)
{
	buf_printf(b, "POST %s" HEADERS "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		   path, strlen(body), body);
}

/* Objects with all mixtures of two labels, in two namespaces. */
static void fill(void)
{
	static const char *const labels[] = { "{}", "{\"app\":\"web\"}", "{\"app\":\"web\",\"n\":\"1\"}",
					      "{\"n\":\"22\"}" };
	static const char *const namespaces[] = { "default", "kube-system" };
	CLEANUP(buf_close) struct buf text = BUF_INIT, answers = BUF_INIT;
	for (size_t i = 0; i < 8; i++) {
		CLEANUP(mem_freep)
		char *path = mem_printf("/api/v1/namespaces/%s/configmaps", namespaces[i / 4]);
		CLEANUP(mem_freep)
		char *body = mem_printf("{\"metadata\":{\"name\":\"c%zu\",\"labels\":%s}}", i, labels[i % 4]);
		add_object(&text, path, body);
	}
	for (size_t i = 0; i < 4; i++) {
		CLEANUP(mem_freep)
		char *pod = mem_printf("{\"metadata\":{\"name\":\"p%zu\",\"labels\":%s},\"spec\":{"
				       "\"nodeName\":\"n%zu\",\"containers\":[{"
				       "\"name\":\"a\",\"image\":\"b\"}]}}",
				       i, labels[i], i % 2);
		CLEANUP(mem_freep)
		char *node = mem_printf("{\"metadata\":{\"name\":\"n%zu\",\"labels\":%s}}", i, labels[i]);
		add_object(&text, "/api/v1/namespaces/default/pods", pod);
		add_object(&text, "/api/v1/nodes", node);
	}
	edge_exchange(text.data, text.len, 0, &answers);
	for (const char *at = answers.data, *end = at + answers.len; at < end;) {
		struct edge_answer answer;
		if (!edge_answer_next(&at, end, false, &answer) || answer.code != 201)
			abort();
		edge_answer_close(&answer);
	}
}

/* One GET; the answer's code, with its body in RET. */
static int get(const char *path, const char *query, struct buf *ret)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT, answers = BUF_INIT;
	struct edge_answer answer;
	buf_printf(&text, "GET %s?%s" HEADERS "\r\n", path, query);
	edge_exchange(text.data, text.len, 0, &answers);
	const char *at = answers.data;
	if (!at || !edge_answer_next(&at, at + answers.len, false, &answer))
		return 0;
	CLEANUP(json_putp) struct json_object *json = NULL;
	edge_answer_check(&answer, &json);
	buf_close(ret);
	*ret = answer.body;
	return answer.code;
}

/* The pairs of QUERY that select objects, and nothing else. */
static char *selection_of(const char *query)
{
	CLEANUP(mem_freep) char *copy = mem_dup(query);
	struct buf b = BUF_INIT;
	char *rest = copy;
	buf_str(&b, "");
	for (char *pair; (pair = strsep(&rest, "&"));) {
		CLEANUP(mem_freep) char *key = mem_dupn(pair, strcspn(pair, "="));
		query_decode(key, true);
		if (strcmp(key, "labelSelector") == 0 || strcmp(key, "fieldSelector") == 0)
			buf_printf(&b, "&%s", pair);
	}
	return buf_take(&b);
}

/* Appends the names in the order they come; *ret_continue: the next page's token, or "". */
static void add_names(struct buf *names, const struct buf *list, char **ret_continue)
{
	CLEANUP(json_putp) struct json_object *json = NULL;
	if (json_parse(list->data, list->len, &json, NULL, NULL) < 0)
		abort();
	const struct json_object *items = json_get(json, "items");
	for (size_t i = 0; i < json_len(items); i++) {
		const struct json_object *metadata = json_get(json_at(items, i), "metadata");
		buf_printf(names, "%s/%s ", json_str_or_empty(metadata, "namespace"),
			   json_str_or_empty(metadata, "name"));
	}
	free(*ret_continue);
	*ret_continue = mem_dup(json_str_or_empty(json_get(json, "metadata"), "continue"));
}

static void list_all(const char *path, const char *selection, unsigned limit, struct buf *names)
{
	CLEANUP(mem_freep) char *token = mem_dup("");
	CLEANUP(buf_close) struct buf page = BUF_INIT;
	buf_str(names, "");
	do {
		CLEANUP(mem_freep)
		char *query = limit ? mem_printf("limit=%u&continue=%s%s", limit, token, selection)
				    : mem_dup(selection);
		if (get(path, query, &page) != 200)
			abort();
		add_names(names, &page, &token);
	} while (*token);
}

static void watch_all(const char *path, const char *selection, struct buf *names)
{
	CLEANUP(mem_freep) char *query = mem_printf("watch=1%s", selection);
	CLEANUP(buf_close) struct buf stream = BUF_INIT;
	if (get(path, query, &stream) != 200)
		abort();
	buf_str(names, "");
	char *rest = stream.data;
	for (char *line; (line = strsep(&rest, "\n")) && rest;) { /* a last line without its end was cut */
		CLEANUP(json_putp) struct json_object *event = NULL;
		if (json_parse(line, strlen(line), &event, NULL, NULL) < 0 ||
		    strcmp(json_str_or_empty(event, "type"), "ADDED") != 0)
			abort();
		const struct json_object *metadata = json_path(event, "object", "metadata", NULL);
		buf_printf(names, "%s/%s ", json_str_or_empty(metadata, "namespace"),
			   json_str_or_empty(metadata, "name"));
	}
}

/* What the label selector itself says of each object of the whole list, where no field selector takes part.
 */
static void check_labels(const char *path, const struct query *query, const struct buf *names)
{
	CLEANUP(selector_close) struct selector labels = { 0 };
	CLEANUP(json_putp) struct json_object *json = NULL;
	CLEANUP(buf_close) struct buf all = BUF_INIT, expected = BUF_INIT;
	if (query->field_selector && *query->field_selector)
		return;
	if (query->label_selector && selector_parse(query->label_selector, &labels, NULL) < 0)
		abort(); /* it was answered with a list */
	if (get(path, "", &all) != 200 || json_parse(all.data, all.len, &json, NULL, NULL) < 0)
		abort();
	const struct json_object *items = json_get(json, "items");
	buf_str(&expected, "");
	for (size_t i = 0; i < json_len(items); i++) {
		const struct json_object *metadata = json_get(json_at(items, i), "metadata");
		if (selector_matches_json(&labels, json_get(metadata, "labels")))
			buf_printf(&expected, "%s/%s ", json_str_or_empty(metadata, "namespace"),
				   json_str_or_empty(metadata, "name"));
	}
	if (strcmp(expected.data, names->data) != 0)
		abort();
}

static void check_selection(const char *path, const char *text, const struct query *query)
{
	CLEANUP(mem_freep) char *selection = selection_of(text);
	CLEANUP(buf_close)
	struct buf answer = BUF_INIT, whole = BUF_INIT, paged = BUF_INIT, watched = BUF_INIT;
	if (get(path, selection, &answer) != 200)
		return;
	list_all(path, selection, 0, &whole);
	list_all(path, selection, 1 + (unsigned)query->limit % 3, &paged);
	watch_all(path, selection, &watched);
	/* A watch lasts no longer than its client, who hangs up when all is sent: it may be cut. */
	if (strcmp(whole.data, paged.data) != 0 || strncmp(whole.data, watched.data, watched.len) != 0)
		abort();
	check_labels(path, query, &whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	if (!started) {
		edge_start();
		edge_new_core();
		fill();
		started = true;
	}
	if (size == 0)
		return 0;
	/* What ends a request line is no part of a query, and a body's limit on its length is tried
	 * elsewhere. */
	CLEANUP(mem_freep) char *text = mem_dupn((const char *)data + 1, size - 1);
	text[strcspn(text, " \r\n#")] = '\0';
	if (strlen(text) > 1000)
		return 0;
	const char *path = collections[(data[0] & 0x7f) % ARRAY_SIZE(collections)];
	CLEANUP(mem_freep)
	char *first =
	    data[0] & 0x80 ? mem_printf("/api/v1/watch%s", path + strlen("/api/v1")) : mem_dup(path);
	CLEANUP(buf_close) struct buf answer = BUF_INIT;
	CLEANUP(query_close) struct query query;
	get(first, text, &answer);
	if (query_parse(text, &query, NULL) == 0)
		check_selection(path, text, &query);
	return 0;
}
