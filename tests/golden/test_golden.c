/* Replays the recorded exchanges of tests/golden/cases and compares: see the README there.
 *
 *     test_golden             all files; fails on what differences.tsv does not list, and on what it lists in
 * vain test_golden FILE...     these files only, without the second half test_golden --update    all files,
 * and drops the rows of differences.tsv that nothing matches any more
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/mem.h"
#include "tests/api/api_fixture.h"
#include "tests/golden/compare.h"
#include "tests/golden/differences.h"

#define DIFFERENCES "tests/golden/differences.tsv"

static struct differences differences;

struct recording {
	const char *path;
	char *name;       /* "read" */
	const char *step; /* being played */
	struct map saved; /* char * */
	size_t n_steps, n_same;
	size_t n_expected, n_unexpected;
	bool same; /* the step so far */
	struct api_fixture fixture;
};

/* --- values of earlier answers --- */

static void save_value(struct recording *recording, const char *name, const struct json_object *answer,
		       const char *path)
{
	CLEANUP(mem_freep) char *copy = mem_dup(path);
	char *rest = copy, *key;
	while (answer && (key = strsep(&rest, ".")))
		answer = json_get(answer, key);
	const char *text = answer ? json_object_get_string((struct json_object *)(uintptr_t)answer) : "";
	free(map_put(&recording->saved, name, mem_dup(text)));
}

static char *fill_in(const struct recording *recording, const char *text)
{
	struct buf out = BUF_INIT;
	buf_str(&out, "");
	while (*text) {
		size_t len = *text == '{' ? strcspn(text + 1, "{}") : 0;
		CLEANUP(mem_freep) char *name = len ? mem_dupn(text + 1, len) : NULL;
		const char *value = name && text[1 + len] == '}' ? map_get(&recording->saved, name) : NULL;
		if (value) {
			buf_str(&out, value);
			text += len + 2;
		} else {
			buf_char(&out, *text++);
		}
	}
	return buf_take(&out);
}

/* --- a step --- */

static void differs(const char *path, const char *want, const char *got, void *arg)
{
	struct recording *recording = arg;
	recording->same = false;
	if (differences_expect(&differences, recording->name, recording->step, path)) {
		recording->n_expected++;
		return;
	}
	recording->n_unexpected++;
	fprintf(stderr, "%s\t%s\t%s\twant %s, got %s\n", recording->name, recording->step, path, want, got);
}

static void compare_strings(struct recording *recording, const char *path, const char *want, const char *got)
{
	if (!compare_text(want, got))
		differs(path, want, got, recording);
}

static void compare_number(struct recording *recording, const char *path, int64_t want, int64_t got)
{
	CLEANUP(mem_freep) char *wanted = mem_printf("%lld", (long long)want);
	CLEANUP(mem_freep) char *given = mem_printf("%lld", (long long)got);
	compare_strings(recording, path, wanted, given);
}

/* An answer of another code says why in its message; the rest would only repeat that. */
static bool compare_codes(struct recording *recording, const struct json_object *want, int got,
			  const struct json_object *body)
{
	int64_t code = json_int(want, "code", 0);
	if (code == got)
		return true;
	CLEANUP(mem_freep) char *wanted = mem_printf("%lld", (long long)code);
	CLEANUP(mem_freep) char *given = mem_printf("%d %s", got, json_str_or_empty(body, "message"));
	differs("code", wanted, given, recording);
	return false;
}

static void play_exchange(struct recording *recording, const struct json_object *line,
			  const struct api_request *request)
{
	const struct json_object *want = json_get(line, "response");
	struct api_answer answer;
	api_exchange(&recording->fixture, request, &answer);
	if (compare_codes(recording, want, answer.code, answer.json)) {
		CLEANUP(json_putp)
		struct json_object *text =
		    answer.json ? json_object_get(answer.json) : json_object_new_string(answer.text);
		CLEANUP(buf_close) struct buf warnings = BUF_INIT;
		buf_str(&warnings, "");
		for (size_t i = 0; i < json_len(json_get(want, "warning")); i++)
			buf_printf(&warnings, "%s%s", i ? "\n" : "",
				   json_object_get_string(json_at(json_get(want, "warning"), i)));
		compare_json("body", json_get(want, "body"), text, differs, recording);
		compare_strings(recording, "contentType", json_str_or_empty(want, "contentType"),
				answer.content_type);
		compare_strings(recording, "warning", warnings.data, answer.warning ? answer.warning : "");
		const char *retry_after = json_str(want, "retry-after");
		compare_number(recording, "retry-after", retry_after ? atoi(retry_after) : -1,
			       answer.retry_after_s);
	}
	const struct json_object *save = json_get(line, "save");
	if (save) {
		json_object_object_foreach((struct json_object *)(uintptr_t)save, name, path)
		{
			save_value(recording, name, answer.json, json_object_get_string(path));
		}
	}
	api_answer_close(&answer);
}

static void play_watch(struct recording *recording, const struct json_object *line,
		       const struct api_request *request)
{
	const struct json_object *want = json_get(line, "response"), *events = json_get(want, "body");
	int code;
	/* One more than wanted: the server ends the watch after a second. */
	size_t n = json_len(events) ? json_len(events) : 1;
	CLEANUP(json_putp) struct json_object *got = api_watch(&recording->fixture, request, n, &code);
	if (compare_codes(recording, want, code, json_at(got, 0)))
		compare_json("events", events, got, differs, recording);
}

static void play_step(struct recording *recording, const struct json_object *line)
{
	const struct json_object *sent = json_get(line, "request"), *body = json_get(sent, "body");
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	if (json_object_is_type(body, json_type_string))
		buf_str(&text, json_object_get_string((struct json_object *)(uintptr_t)body));
	else if (body)
		json_write(&text, body);
	bool is_watch = json_object_is_type(json_path(line, "response", "body", NULL), json_type_array);
	CLEANUP(mem_freep) char *filled = fill_in(recording, json_str_or_empty(sent, "path"));
	bool is_endless = is_watch && !strstr(filled, "timeoutSeconds=");
	CLEANUP(mem_freep) char *path = mem_printf("%s%s", filled, is_endless ? "&timeoutSeconds=1" : "");
	const char *token = json_str(sent, "token");
	struct buf lines[6] = { BUF_INIT };
	const char *headers[7] = { NULL };
	size_t n = 0;
	if (json_get(sent, "headers")) {
		json_object_object_foreach(json_get(sent, "headers"), name, value)
		{
			assert_true(n < 6);
			buf_printf(&lines[n], "%s: %s", name, json_object_get_string(value));
			headers[n] = lines[n].data;
			n++;
		}
	}
	struct api_request request = { .method = json_str_or_empty(sent, "method"),
				       .path = path,
				       .type = json_str(sent, "contentType"),
				       .accept = json_str(sent, "accept"),
				       .token = token && strcmp(token, "none") == 0 ? "" : token,
				       .headers = headers,
				       .body = body ? text.data : NULL,
				       .body_len = body ? text.len : 0 };
	if (is_watch)
		play_watch(recording, line, &request);
	else
		play_exchange(recording, line, &request);
	for (size_t i = 0; i < n; i++)
		buf_close(&lines[i]);
}

/* --- a recording --- */

static void forget_values(struct recording *recording)
{
	const char *name;
	void *value;
	for (size_t i = 0; map_next(&recording->saved, &i, &name, &value);)
		free(value);
	map_close(&recording->saved);
}

static void play(void **state)
{
	struct recording *recording = *state;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct json_object *lines = json_object_new_array();
	if (buf_read_file(&text, recording->path, (size_t)1 << 24, &err) < 0)
		fail_msg("%s", err.msg);
	api_fixture_start(&recording->fixture);
	char *rest = text.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		struct json_object *step = NULL;
		if (!*line)
			continue;
		if (json_parse(line, strlen(line), &step, NULL, &err) < 0)
			fail_msg("%s: line %zu: %s", recording->path, json_len(lines) + 1, err.msg);
		json_object_array_add(lines, step);
		recording->step = json_str_or_empty(step, "step");
		recording->same = true;
		play_step(recording, step);
		recording->n_steps++;
		recording->n_same += recording->same;
	}
	api_fixture_stop(&recording->fixture);
	forget_values(recording);
	json_object_put(lines);
	fprintf(stderr, "%s: %zu steps, %zu the same; %zu differences expected, %zu not\n", recording->name,
		recording->n_steps, recording->n_same, recording->n_expected, recording->n_unexpected);
	assert_int_equal(recording->n_unexpected, 0);
}

static void every_row_is_seen(void **state)
{
	(void)state;
	size_t n = 0;
	for (size_t i = 0; i < differences.n; i++) {
		const struct difference *row = &differences.rows[i];
		if (row->n_seen)
			continue;
		fprintf(stderr, DIFFERENCES ": differs no more: %s\t%s\t%s\n", row->file, row->step,
			row->path);
		n++;
	}
	assert_int_equal(n, 0);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	glob_t files = { 0 };
	bool update = argc == 2 && strcmp(argv[1], "--update") == 0, all = argc == 1 || update;
	int faults = all ? glob("tests/golden/cases/*.jsonl", 0, NULL, &files) : 0;
	for (int i = 1; !all && i < argc && faults == 0; i++)
		faults = glob(argv[i], i > 1 ? GLOB_APPEND : 0, NULL, &files);
	if (faults || differences_read(&differences, DIFFERENCES, &err) < 0) {
		fprintf(stderr, "%s\n", faults ? "no cases; run this from the top folder" : err.msg);
		return 1;
	}
	struct CMUnitTest *tests = mem_zalloc((files.gl_pathc + 1) * sizeof(*tests));
	struct recording *recordings = mem_zalloc(files.gl_pathc * sizeof(*recordings));
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *base = strrchr(files.gl_pathv[i], '/');
		base = base ? base + 1 : files.gl_pathv[i];
		recordings[i].path = files.gl_pathv[i];
		recordings[i].name = mem_dupn(base, strcspn(base, "."));
		tests[i] = (struct CMUnitTest){ .name = files.gl_pathv[i],
						.test_func = play,
						.initial_state = &recordings[i] };
	}
	tests[files.gl_pathc] = (struct CMUnitTest){ .name = DIFFERENCES, .test_func = every_row_is_seen };
	int failed = _cmocka_run_group_tests("golden", tests, files.gl_pathc + (all && !update), NULL, NULL);
	if (update && differences_write_seen(&differences, DIFFERENCES, &err) < 0)
		failed = 1;
	for (size_t i = 0; i < files.gl_pathc; i++)
		free(recordings[i].name);
	free(recordings);
	free(tests);
	globfree(&files);
	differences_close(&differences);
	return failed;
}
