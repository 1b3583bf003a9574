#include "nodeagent/pod_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/timefmt.h"

#define DEFAULT_S      3600
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS   120000
#define RENEW_MAX_MS   (INT64_C(24) * 3600 * 1000)

struct pod_token {
	struct pod_tokens *tokens;
	char *audience; /* "": the API's own */
	int64_t seconds;
	char *text; /* or NULL */
	struct err err;
	bool answered;
	struct http_call *call; /* under way */
	struct loop_timer timer;
	int64_t retry_ms;
};

struct pod_tokens {
	struct loop *loop;
	struct api_client *api;
	char *path, *key, *pod_name, *pod_uid;
	void (*changed)(void *arg);
	void *arg;
	struct pod_token *items;
	size_t n;
};

static void ask(struct pod_token *token);

static const char *audience_of(const struct json_object *source)
{
	return json_str_or_empty(source, "audience");
}

static int64_t seconds_of(const struct json_object *source)
{
	return json_int(source, "expirationSeconds", DEFAULT_S);
}

static struct pod_token *find(const struct pod_tokens *tokens, const struct json_object *source)
{
	for (size_t i = 0; i < tokens->n; i++)
		if (strcmp(tokens->items[i].audience, audience_of(source)) == 0 &&
		    tokens->items[i].seconds == seconds_of(source))
			return &tokens->items[i];
	return NULL;
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	ask(arg);
}

static void add(struct pod_tokens *tokens, const struct json_object *source)
{
	if (find(tokens, source))
		return;
	tokens->items = mem_realloc_array(tokens->items, tokens->n + 1, sizeof(*tokens->items));
	tokens->items[tokens->n++] = (struct pod_token){
		.tokens = tokens,
		.audience = mem_dup(audience_of(source)),
		.seconds = seconds_of(source),
	};
}

static void collect(struct pod_tokens *tokens, const struct json_object *spec)
{
	const struct json_object *volumes = json_get(spec, "volumes"), *source;

	for (size_t v = 0; v < json_len(volumes); v++) {
		const struct json_object *sources =
		    json_path(json_at(volumes, v), "projected", "sources", NULL);
		for (size_t i = 0; i < json_len(sources); i++)
			if ((source = json_get(json_at(sources, i), "serviceAccountToken")))
				add(tokens, source);
	}
}

/* How long the token in STATUS may be used before it is renewed: by its own end, which the server may have
 * shortened. */
static int64_t renew_after_ms(const struct pod_token *token, const struct json_object *status)
{
	int64_t until_us, life_ms = token->seconds * 1000;

	if (time_parse(json_str_or_empty(status, "expirationTimestamp"), &until_us))
		life_ms = (until_us - time_now_us()) / 1000;
	int64_t after_ms = life_ms / 10 * 8;
	if (after_ms < RETRY_FIRST_MS)
		after_ms = RETRY_FIRST_MS;
	return after_ms < RENEW_MAX_MS ? after_ms : RENEW_MAX_MS;
}

static void failed(struct pod_token *token, const struct err *err)
{
	token->err = *err;
	token->retry_ms = token->retry_ms ? token->retry_ms * 2 : RETRY_FIRST_MS;
	if (token->retry_ms > RETRY_MAX_MS)
		token->retry_ms = RETRY_MAX_MS;
	loop_timer_arm(&token->timer, token->retry_ms);
	log_warn("no service account token", "pod", token->tokens->key, "error", err->msg, NULL);
}

static void answered(const struct api_response *response, void *arg)
{
	struct pod_token *token = arg;
	struct pod_tokens *tokens = token->tokens;
	CLEANUP(json_putp) struct json_object *body = NULL;
	struct err err = response->err;

	token->call = NULL;
	token->answered = true;
	if (err.kind == ERR_NONE)
		json_parse(response->data, response->len, &body, NULL, &err);
	const struct json_object *status = json_get(body, "status");
	if (err.kind == ERR_NONE && !json_str(status, "token"))
		err_set(&err, ERR_PARSE, "the answer has no token");
	if (err.kind != ERR_NONE) {
		failed(token, &err);
	} else {
		free(token->text);
		token->text = mem_dup(json_str(status, "token"));
		token->err = ERR_INIT;
		token->retry_ms = 0;
		loop_timer_arm(&token->timer, renew_after_ms(token, status));
	}
	tokens->changed(tokens->arg);
}

static void ask(struct pod_token *token)
{
	struct pod_tokens *tokens = token->tokens;
	CLEANUP(json_putp) struct json_object *body = json_object_new_object();
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	json_set_str(body, "apiVersion", "authentication.k8s.io/v1");
	json_set_str(body, "kind", "TokenRequest");
	struct json_object *spec = json_ensure_object(body, "spec");
	if (*token->audience)
		json_object_array_add(json_ensure_array(spec, "audiences"),
				      json_object_new_string(token->audience));
	json_set_int(spec, "expirationSeconds", token->seconds);
	struct json_object *ref = json_ensure_object(spec, "boundObjectRef");
	json_set_str(ref, "apiVersion", "v1");
	json_set_str(ref, "kind", "Pod");
	json_set_str(ref, "name", tokens->pod_name);
	json_set_str(ref, "uid", tokens->pod_uid);
	json_write(&text, body);
	token->call =
	    api_client_call(tokens->api, "POST", tokens->path, NULL, text.data, text.len, answered, token);
}

struct pod_tokens *pod_tokens_new(struct loop *loop, struct api_client *api, const struct json_object *pod,
				  void (*changed)(void *arg), void *arg)
{
	struct pod_tokens *tokens = mem_zalloc(sizeof(*tokens));
	const struct json_object *meta = json_get(pod, "metadata"), *spec = json_get(pod, "spec");
	const char *namespace_ = json_str_or_empty(meta, "namespace"),
		   *name = json_str_or_empty(meta, "name");

	*tokens = (struct pod_tokens){
		.loop = loop,
		.api = api,
		.path = mem_printf("/api/v1/namespaces/%s/serviceaccounts/%s/token", namespace_,
				   json_str_or_empty(spec, "serviceAccountName")),
		.key = mem_printf("%s/%s", namespace_, name),
		.pod_name = mem_dup(name),
		.pod_uid = mem_dup(json_str_or_empty(meta, "uid")),
		.changed = changed,
		.arg = arg,
	};
	collect(tokens, spec);
	if (tokens->n == 0) {
		pod_tokens_free(tokens);
		return NULL;
	}
	for (size_t i = 0; i < tokens->n; i++) {
		loop_timer_init(&tokens->items[i].timer, loop, on_timer, &tokens->items[i]);
		ask(&tokens->items[i]);
	}
	return tokens;
}

void pod_tokens_free(struct pod_tokens *tokens)
{
	if (!tokens)
		return;
	for (size_t i = 0; i < tokens->n; i++) {
		struct pod_token *token = &tokens->items[i];
		loop_timer_disarm(&token->timer);
		if (token->call)
			http_call_cancel(token->call);
		free(token->audience);
		free(token->text);
	}
	free(tokens->items);
	free(tokens->path);
	free(tokens->key);
	free(tokens->pod_name);
	free(tokens->pod_uid);
	free(tokens);
}

bool pod_tokens_settled(const struct pod_tokens *tokens)
{
	for (size_t i = 0; tokens && i < tokens->n; i++)
		if (!tokens->items[i].answered)
			return false;
	return true;
}

const char *pod_tokens_get(const struct pod_tokens *tokens, const struct json_object *source, struct err *err)
{
	const struct pod_token *token = tokens ? find(tokens, source) : NULL;

	if (token && token->text)
		return token->text;
	err_set(err, ERR_NOT_FOUND, "failed to fetch token: %s",
		token && token->answered ? token->err.msg : "not answered yet");
	return NULL;
}
