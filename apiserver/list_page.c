/* Continue tokens and resource versions of lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/decode_syntax.h"
#include "apiserver/list.h"

static void swap_chars(char *text, const char *from, const char *to)
{
	for (; *text; text++) {
		const char *at = strchr(from, *text);
		if (at)
			*text = to[at - from];
	}
}

void list_continue_write(struct buf *b, int64_t revision, const char *key)
{
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	buf_printf(&json, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%lld,\"start\":", (long long)revision);
	buf_json_string(&json, key);
	buf_char(&json, '}');
	buf_base64(&text, json.data, json.len);
	swap_chars(text.data, "+/", "-_");
	buf_add(b, text.data, strcspn(text.data, "="));
}

static int token_fault(struct err *err, const char *why)
{
	return err_set(err, ERR_BAD_REQUEST, "invalid continue token: continue key is not valid%s%s",
		       *why ? ": " : "", why);
}

/* How far TOKEN is base64url, as Go's decoder counts. */
static int base64_fault(const char *token, struct err *err)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	CLEANUP(mem_freep)
	char *why = mem_printf("illegal base64 data at input byte %zu", strspn(token, digits));
	return token_fault(err, why);
}

static int json_fault(const struct buf *json, struct err *err)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;
	buf_str(&why, "");
	if (!decode_syntax_fault(json->data ? json->data : "", json->len, &why))
		buf_reset(&why);
	return token_fault(err, why.data);
}

/* A key is a name, or a namespace and a name: nothing that leads elsewhere. */
static bool is_key(const char *key)
{
	size_t len = strlen(key);
	return *key != '/' && len && key[len - 1] != '/' && !strstr(key, "//");
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
	if (strpbrk(token, "+/=") || buf_base64_decode(text.data, text.len, &json, NULL) < 0)
		return base64_fault(token, err);
	if (json_parse(json.data ? json.data : "", json.len, &value, NULL, NULL) < 0)
		return json_fault(&json, err);
	const char *version = json_str_or_empty(value, "v"), *key = json_str_or_empty(value, "start");
	int64_t revision = json_int(value, "rv", 0);
	if (strcmp(version, "meta.k8s.io/v1") != 0) {
		CLEANUP(mem_freep)
		char *why = mem_printf("server does not recognize this encoded version %.64s", version);
		return token_fault(err, why);
	}
	if (revision < LIST_CONTINUE_NOW || !revision)
		return token_fault(err, "incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
	if (!*key)
		return token_fault(err, "encoded start key empty (version meta.k8s.io/v1)");
	if (!is_key(key))
		return token_fault(err, key);
	*ret_revision = revision == LIST_CONTINUE_NOW ? 0 : (uint64_t)revision;
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
