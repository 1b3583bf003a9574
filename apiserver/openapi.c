/* /openapi/v3 and /openapi/v2: what kubectl needs for apply (merge keys, and that the server validates fields
 * itself) and explain. Documents are made for each reader; only their hashes are kept, until what is served
 * changes.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/openapi_document.h"
#include "lib/mem.h"

#define TYPE_WIRE(version) "application/com.github.proto-openapi.spec." version ".v1.0+protobuf"

/* --- hashes --- */

struct hashed {
	char *path; /* of a page of version 3; "v2", "v2 wire" */
	char hash[RESPOND_HASH_SIZE];
};

/* Of one generation; read and replaced under the lock. */
static struct {
	pthread_mutex_t lock;
	uint64_t generation;
	struct hashed *all;
	size_t n;
} hashes = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void forget_hashes(void)
{
	for (size_t i = 0; i < hashes.n; i++)
		free(hashes.all[i].path);
	free(hashes.all);
	hashes.all = NULL;
	hashes.n = 0;
}

/* False: not known of this generation. */
static bool hash_known(const char *path, uint64_t generation, char ret[RESPOND_HASH_SIZE])
{
	bool known = false;
	pthread_mutex_lock(&hashes.lock);
	for (size_t i = 0; hashes.generation == generation && i < hashes.n && !known; i++) {
		known = strcmp(hashes.all[i].path, path) == 0;
		if (known)
			memcpy(ret, hashes.all[i].hash, RESPOND_HASH_SIZE);
	}
	pthread_mutex_unlock(&hashes.lock);
	return known;
}

static void hash_keep(const char *path, uint64_t generation, const char *hash)
{
	pthread_mutex_lock(&hashes.lock);
	if (hashes.generation != generation)
		forget_hashes();
	hashes.generation = generation;
	hashes.all = mem_realloc_array(hashes.all, hashes.n + 1, sizeof(*hashes.all));
	hashes.all[hashes.n].path = mem_dup(path);
	memcpy(hashes.all[hashes.n++].hash, hash, RESPOND_HASH_SIZE);
	pthread_mutex_unlock(&hashes.lock);
}

/* Of DOCUMENT, which is PATH's. Two readers may both compute it. */
static void hash_of(const char *path, const struct catalogue *catalogue, const struct buf *document,
		    char ret[RESPOND_HASH_SIZE])
{
	if (hash_known(path, catalogue->set->generation, ret))
		return;
	respond_hash(document, ret);
	hash_keep(path, catalogue->set->generation, ret);
}

/* --- version 3 --- */

struct index {
	struct buf *b;
	const struct catalogue *catalogue;
	bool any;
};

static void write_entry(const struct openapi_page *page, void *arg)
{
	struct index *index = arg;
	CLEANUP(buf_close) struct buf path = BUF_INIT;
	char hash[RESPOND_HASH_SIZE];
	openapi_write_page_path(&path, page);
	if (!hash_known(path.data, index->catalogue->set->generation, hash)) {
		CLEANUP(buf_close) struct buf document = BUF_INIT;
		openapi_write_v3(&document, index->catalogue, page);
		hash_of(path.data, index->catalogue, &document, hash);
	}
	buf_printf(index->b, "%s\"%s\":{\"serverRelativeURL\":\"/openapi/v3/%s?hash=%s\"}",
		   index->any ? "," : "", path.data, path.data, hash);
	index->any = true;
}

static enum step_result answer_index(struct request *r, const struct catalogue *catalogue)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	struct index index = { &body, catalogue, false };
	buf_str(&body, "{\"paths\":{");
	openapi_each_page(catalogue, write_entry, &index);
	buf_str(&body, "}}");
	return respond_buf(r, 200, "text/plain; charset=utf-8", &body);
}

/* VERSION is "v2" or "v3". Clients before 1.27 write it with an @, which is no media type. */
static bool wants_wire(const struct request *r, const char *version)
{
	const char *accept = request_header(r, "Accept");
	CLEANUP(mem_freep) char *old = mem_printf("proto-openapi.spec.%s@v1.0+protobuf", version);
	CLEANUP(mem_freep) char *new_ = mem_printf("proto-openapi.spec.%s.v1.0+protobuf", version);
	return accept && (strcasestr(accept, old) || strcasestr(accept, new_));
}

/* What is answered of a page, and in which form. */
struct shown_page {
	const char *type;
	struct buf *body;
	const char *tag; /* of the body */
};

/* An address with the right hash names this content for ever; one with another hash leads to the right one.
 */
static enum step_result answer_page(struct request *r, const char *path, const char *hash,
				    const struct shown_page *shown)
{
	const char *asked = r->query.hash;
	char when[64];
	struct tm tm;
	time_t in_a_year = time(NULL) + (time_t)365 * 24 * 60 * 60;
	if (!asked || !*asked)
		return respond_tagged(r, shown->type, shown->tag, shown->body);
	if (strcmp(asked, hash) != 0) {
		CLEANUP(mem_freep) char *location = mem_printf("/openapi/v3/%s?hash=%s", path, hash);
		respond_add_header(r, "Location", location);
		return respond_text(r, 301, "");
	}
	gmtime_r(&in_a_year, &tm);
	strftime(when, sizeof(when), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	respond_add_header(r, "Cache-Control", "public, immutable");
	respond_add_header(r, "Expires", when);
	return respond_tagged(r, shown->type, shown->tag, shown->body);
}

static enum step_result openapi_v3_answer(struct request *r)
{
	const struct route *route = &r->route;
	CLEANUP(catalogue_close) struct catalogue catalogue;
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	CLEANUP(buf_close) struct buf path = BUF_INIT;
	char hash[RESPOND_HASH_SIZE];
	struct openapi_page page = { route->name, route->group ? route->group : "",
				     route->version ? route->version : "" };
	catalogue_read(&catalogue);
	if (!*page.root)
		return answer_index(r, &catalogue);
	if (!openapi_write_v3(&body, &catalogue, &page))
		return respond_page_not_found(r);
	openapi_write_page_path(&path, &page);
	/* The hash in addresses is one for all forms. */
	hash_of(path.data, &catalogue, &body, hash);
	if (!wants_wire(r, "v3"))
		return answer_page(r, path.data, hash,
				   &(struct shown_page){ "application/json", &body, hash });
	CLEANUP(buf_close) struct buf wire = BUF_INIT;
	char tag[RESPOND_HASH_SIZE];
	openapi_write_v3_wire(&wire, &catalogue, &page);
	respond_hash(&wire, tag);
	return answer_page(r, path.data, hash, &(struct shown_page){ TYPE_WIRE("v3"), &wire, tag });
}

const struct request_step openapi_v3_steps[] = { { "answer", openapi_v3_answer }, { NULL, NULL } };

/* --- version 2 --- */

static enum step_result openapi_v2_answer(struct request *r)
{
	CLEANUP(catalogue_close) struct catalogue catalogue;
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	char hash[RESPOND_HASH_SIZE];
	bool wire = wants_wire(r, "v2");
	catalogue_read(&catalogue);
	if (wire)
		openapi_write_v2_wire(&body, &catalogue);
	else
		openapi_write_v2(&body, &catalogue);
	hash_of(wire ? "v2 wire" : "v2", &catalogue, &body, hash);
	return respond_tagged(r, wire ? TYPE_WIRE("v2") : "application/json", hash, &body);
}

const struct request_step openapi_v2_steps[] = { { "answer", openapi_v2_answer }, { NULL, NULL } };
