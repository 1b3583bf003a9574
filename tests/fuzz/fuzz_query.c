/* Queries and continue tokens: what is taken can be read, what is refused has a reason. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/edge/query.h"
#include "apiserver/list.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(const char *text)
{
	CLEANUP(mem_freep) char *key = NULL, *again = NULL;
	CLEANUP(buf_close) struct buf token = BUF_INIT;
	uint64_t revision, same;
	struct err err = ERR_INIT;
	if (list_continue_parse(text, &revision, &key, &err) < 0) {
		if (err.kind != ERR_BAD_REQUEST || !err.msg[0])
			abort();
		return;
	}
	list_continue_write(&token, (int64_t)revision, key);
	if (list_continue_parse(token.data, &same, &again, NULL) < 0 || same != revision ||
	    strcmp(key, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(mem_freep) char *text = mem_dupn((const char *)data, size);
	CLEANUP(query_close) struct query query;
	struct err err = ERR_INIT;
	if (query_parse(text, &query, &err) < 0 && (err.kind != ERR_BAD_REQUEST || !err.msg[0]))
		abort();
	if (query.label_selector && strlen(query.label_selector) > size)
		abort();
	check_token(text);
	if (query.continue_)
		check_token(query.continue_);
	return 0;
}
