/* Requests as a whole, against the server in this process: the first byte says in pieces of how many bytes
 * they come (low bits) and whether the rest is what goes over the connection (high bit), or a list of
 * requests whose frame is put around them:
 *
 *     METHOD TARGET [CONTENT-TYPE [ACCEPT]]
 *     body
 *     %%
 *     METHOD TARGET ...
 *
 * Nothing a client sends is answered with a fault of the server's own; each answer is HTTP and what it says
 * it is; what is stored then decodes strictly, and to itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/decode.h"
#include "tests/fuzz/edge_fixture.h"

#define REQUESTS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is sent, and which of the requests have answers without a body. */
struct script {
	struct buf text;
	bool head[REQUESTS_MAX];
	size_t n;
};

/* The next word of LINE, whatever its bytes: what would end a header's line is replaced. */
static void add_word(struct buf *b, const char **line, const char *end)
{
	const char *space = memchr(*line, ' ', (size_t)(end - *line));
	for (const char *stop = space ? space : end; *line < stop; ++*line)
		buf_char(b, **line == '\r' || **line == '\0' ? '_' : **line);
	*line += space ? 1 : 0;
}

static void add_request(struct script *script, const char *text, const char *end)
{
	const char *line_end = memchr(text, '\n', (size_t)(end - text));
	const char *body = line_end ? line_end + 1 : end;
	if (!line_end)
		line_end = end;
	script->head[script->n++] = strncmp(text, "HEAD ", 5) == 0;
	add_word(&script->text, &text, line_end);
	buf_char(&script->text, ' ');
	add_word(&script->text, &text, line_end);
	buf_str(&script->text,
		" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " EDGE_TOKEN "\r\nContent-Type: ");
	add_word(&script->text, &text, line_end);
	buf_str(&script->text, "\r\nAccept: ");
	add_word(&script->text, &text, line_end);
	buf_printf(&script->text, "\r\nContent-Length: %zu\r\n\r\n", (size_t)(end - body));
	buf_add(&script->text, body, (size_t)(end - body));
}

static void script_read(struct script *script, const char *text, size_t size)
{
	const char *end = text + size;
	while (text < end && script->n < REQUESTS_MAX) {
		const char *separator = memmem(text, (size_t)(end - text), "\n%%\n", 4);
		add_request(script, text, separator ? separator : end);
		text = separator ? separator + 4 : end;
	}
}

static void check_answers(const struct script *script, const struct buf *answers)
{
	const char *text = answers->data, *end = answers->data + answers->len;
	struct edge_answer answer;
	for (size_t i = 0;
	     answers->len && edge_answer_next(&text, end, script->head[i % REQUESTS_MAX], &answer); i++) {
		CLEANUP(json_putp) struct json_object *json = NULL;
		if (i >= script->n)
			abort();
		edge_answer_check(&answer, &json);
		edge_answer_close(&answer);
	}
}

/* Any bytes: what comes first is an answer, and no fault of ours. */
static void check_first(const struct buf *answers)
{
	int code;
	if (answers->len && (sscanf(answers->data, "HTTP/1.1 %3d ", &code) != 1 ||
			     (code >= 500 && code != 505 && code != 501)))
		abort();
}

static void check_stored(void)
{
	size_t n;
	resource_all(&n);
	for (unsigned i = 0; i < n; i++) {
		struct core_command list;
		edge_list(resource_at(i), &list);
		for (size_t k = 0; k < list.ret_n; k++) {
			CLEANUP(json_putp) struct json_object *obj = NULL, *stored = NULL;
			size_t len;
			const char *bytes = object_bytes(list.ret_objects[k], &len);
			if (decode_object(resource_at(i), bytes, len, false, FIELD_VALIDATION_STRICT, NULL,
					  &obj, NULL) < 0 ||
			    json_parse(bytes, len, &stored, NULL, NULL) < 0 || !json_equal(obj, stored))
				abort();
		}
		core_command_close(&list);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	if (!started)
		edge_start();
	started = true;
	if (size == 0)
		return 0;
	CLEANUP(buf_close) struct buf answers = BUF_INIT;
	const char *text = (const char *)data + 1;
	size_t piece = data[0] & 0x0f;
	edge_new_core();
	if (data[0] & 0x80) {
		edge_exchange(text, size - 1, piece, &answers);
		buf_str(&answers, "");
		check_first(&answers);
	} else {
		struct script script = { 0 };
		script_read(&script, text, size - 1);
		edge_exchange(script.text.data, script.text.len, piece, &answers);
		buf_str(&answers, "");
		check_answers(&script, &answers);
		buf_close(&script.text);
	}
	check_stored();
	return 0;
}
