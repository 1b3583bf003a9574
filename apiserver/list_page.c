/* Continue tokens and resource versions of lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/list.h"

static void swap_chars(char *text, const char *from, const char *to)
{
	for (; *text; text++) {
		const char *at = strchr(from, *text);
		if (at)
			*text = to[at - from];
	}
}

void list_continue_write(struct buf *b, uint64_t revision, const char *key)
{
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	buf_printf(&json, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%llu,\"start\":", (unsigned long long)revision);
	buf_json_string(&json, key);
	buf_char(&json, '}');
	buf_base64(&text, json.data, json.len);
	swap_chars(text.data, "+/", "-_");
	buf_add(b, text.data, strcspn(text.data, "="));
}

int list_continue_parse(const char *token, uint64_t *ret_revision, char **ret_key, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	CLEANUP(json_putp) struct json_object *value = NULL;
	buf_str(&text, token);
	swap_chars(text.data, "-_", "+/");
	while (text.len % 4)
		buf_char(&text, '=');
	if (buf_base64_decode(text.data, text.len, &json, NULL) < 0 ||
	    json_parse(json.data ? json.data : "", json.len, &value, NULL, NULL) < 0)
		return err_set(err, ERR_BAD_REQUEST, "invalid continue token: continue key is not valid");
	const char *version = json_str_or_empty(value, "v"), *key = json_str_or_empty(value, "start");
	int64_t revision = json_int(value, "rv", 0);
	if (strcmp(version, "meta.k8s.io/v1") != 0 || !*key || revision <= 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "invalid continue token: continue key is not valid: incorrect encoded "
			       "start resourceVersion, key or version");
	*ret_revision = (uint64_t)revision;
	*ret_key = mem_dup(key);
	return 0;
}

int list_parse_revision(const char *text, uint64_t *ret, struct err *err)
{
	*ret = 0;
	if (!text || !*text)
		return 0;
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "invalid resource version: resourceVersion: Invalid value: \"%.64s\": strconv.ParseUint: "
		    "parsing \"%.64s\": invalid syntax",
		    text, text);
	if (errno == ERANGE)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "invalid resource version: resourceVersion: Invalid value: \"%.64s\": strconv.ParseUint: "
		    "parsing \"%.64s\": value out of range",
		    text, text);
	*ret = value;
	return 0;
}
