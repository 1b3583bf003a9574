#include "lib/list_page.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json_skip.h"
#include "lib/mem.h"

static int walk_items(struct json_cursor *c, bool (*item)(const char *text, size_t len, void *arg), void *arg,
		      bool *ret_ended, struct err *err)
{
	if (!json_skip_char(c, '[')) {
		/* null, as Go writes an empty list */
		if (c->end - c->p < 4 || memcmp(c->p, "null", 4) != 0)
			return err_set(err, ERR_PARSE, "list answer: items is no list");
		c->p += 4;
		return 0;
	}
	if (json_skip_char(c, ']'))
		return 0;
	do {
		const char *begin;

		json_skip_space(c);
		begin = c->p;
		if (!json_skip_value(c))
			return err_set(err, ERR_PARSE, "list answer: an item is cut short");
		if (!item(begin, (size_t)(c->p - begin), arg)) {
			*ret_ended = true;
			return 0;
		}
	} while (json_skip_char(c, ','));
	return json_skip_char(c, ']') ? 0 : err_set(err, ERR_PARSE, "list answer: items is no list");
}

static int read_metadata(struct json_cursor *c, struct list_page *page, struct err *err)
{
	CLEANUP(json_putp) struct json_object *metadata = NULL;
	const char *begin = c->p;

	if (!json_skip_value(c))
		return err_set(err, ERR_PARSE, "list answer: metadata is cut short");
	if (json_parse(begin, (size_t)(c->p - begin), &metadata, NULL, err) < 0)
		return err_wrap(err, "list answer: metadata");
	const char *token = json_str_or_empty(metadata, "continue");
	free(page->continue_);
	page->continue_ = *token ? mem_dup(token) : NULL;
	page->revision = strtoull(json_str_or_empty(metadata, "resourceVersion"), NULL, 10);
	return 0;
}

void list_page_close(struct list_page *page)
{
	free(TAKE(page->continue_));
}

int list_page_texts(const char *text, size_t len, bool (*item)(const char *text, size_t len, void *arg),
		    void *arg, struct list_page *ret, struct err *err)
{
	CLEANUP(list_page_close) struct list_page page = { 0 };
	struct json_cursor c = { .p = text, .end = text + len };
	bool ended = false, any_items = false;

	if (!json_skip_char(&c, '{'))
		return err_set(err, ERR_PARSE, "list answer: no object");
	while (json_skip_char(&c, '"')) {
		const char *key = c.p;
		size_t key_len;
		int result = 0;

		if (!json_skip_string(&c))
			return err_set(err, ERR_PARSE, "list answer: cut short");
		key_len = (size_t)(c.p - key) - 1;
		if (!json_skip_char(&c, ':'))
			return err_set(err, ERR_PARSE, "list answer: a member has no value");
		if (key_len == 5 && memcmp(key, "items", 5) == 0) {
			any_items = true;
			result = walk_items(&c, item, arg, &ended, err);
		} else if (key_len == 8 && memcmp(key, "metadata", 8) == 0) {
			result = read_metadata(&c, &page, err);
		} else if (!json_skip_value(&c)) {
			result = err_set(err, ERR_PARSE, "list answer: cut short");
		}
		if (result < 0)
			return -1;
		if (ended)
			break;
		if (!json_skip_char(&c, ','))
			break;
	}
	if (!ended) {
		if (!json_skip_char(&c, '}'))
			return err_set(err, ERR_PARSE, "list answer: cut short");
		json_skip_space(&c);
		if (c.p < c.end)
			return err_set(err, ERR_PARSE, "list answer: something follows it");
	}
	if (!any_items)
		return err_set(err, ERR_PARSE, "list answer: it has no items");
	*ret = page;
	page.continue_ = NULL;
	return 0;
}

struct value_walk {
	const char *const *paths;
	const char *without;
	bool (*item)(struct json_object *obj, void *arg);
	void *arg;
	bool failed;
	struct err *err;
};

static bool item_value(const char *text, size_t len, void *arg)
{
	struct value_walk *walk = arg;
	CLEANUP(json_putp) struct json_object *obj = NULL;

	if ((walk->paths ? json_pick(text, len, walk->paths, &obj, walk->err)
			 : json_parse_without(text, len, walk->without, &obj, walk->err)) < 0) {
		walk->failed = true;
		return false;
	}
	return walk->item(obj, walk->arg);
}

int list_page_walk(const char *text, size_t len, const char *const *paths, const char *without,
		   bool (*item)(struct json_object *obj, void *arg), void *arg, struct list_page *ret,
		   struct err *err)
{
	CLEANUP(list_page_close) struct list_page page = { 0 };
	struct value_walk walk = { paths, without ? without : "", item, arg, false, err };

	if (list_page_texts(text, len, item_value, &walk, &page, err) < 0)
		return -1;
	if (walk.failed)
		return err_wrap(err, "list answer");
	*ret = page;
	page.continue_ = NULL;
	return 0;
}
