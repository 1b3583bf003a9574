/* Replays the stories of tests/api/cases: see the README there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "tests/api/api_fixture.h"

#define HEADERS_MAX 6

struct saved {
	char *name, *value;
};

struct story {
	const char *path;
	struct api_fixture fixture;
	struct map saved; /* struct saved */
	size_t line;
	unsigned faults;
};

static void save_value(struct story *story, const char *name, const char *value)
{
	struct saved *saved = map_get(&story->saved, name);
	if (!saved) {
		saved = mem_zalloc(sizeof(*saved));
		saved->name = mem_dup(name);
		map_put(&story->saved, saved->name, saved);
	}
	free(saved->value);
	saved->value = mem_dup(value);
}

static void forget_values(struct story *story)
{
	const char *name;
	void *value;
	for (size_t i = 0; map_next(&story->saved, &i, &name, &value);) {
		struct saved *saved = value;
		free(saved->value);
		free(saved->name);
		free(saved);
	}
	map_close(&story->saved);
}

/* TEXT with {name} of saved values put in. */
static char *fill_in(struct story *story, const char *text)
{
	struct buf out = BUF_INIT;
	for (; *text; text++) {
		if (*text == '{') {
			size_t len = strcspn(text + 1, "}{\" ");
			CLEANUP(mem_freep) char *name = mem_dupn(text + 1, len);
			struct saved *saved = text[1 + len] == '}' ? map_get(&story->saved, name) : NULL;
			if (saved) {
				buf_str(&out, saved->value);
				text += 1 + len;
				continue;
			}
		}
		buf_char(&out, *text);
	}
	return buf_take(&out);
}

static void save_values(struct story *story, const struct json_object *wanted, const struct json_object *answer)
{
	if (!wanted)
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)wanted, name, path)
	{
		CLEANUP(mem_freep) char *copy = mem_dup(json_object_get_string(path));
		char *rest = copy;
		const struct json_object *value = answer;
		for (char *key; value && (key = strsep(&rest, "."));)
			value = json_get(value, key);
		const char *text = value ? json_object_get_string((struct json_object *)(uintptr_t)value) : "";
		save_value(story, name, text);
	}
}

static void fault(struct story *story, const char *name, const char *at, const char *what, const struct json_object *got)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	json_write(&text, got);
	fprintf(stderr, "%s:%zu: %s: %s: %s; got %s\n", story->path, story->line, name, at, what, text.data);
	story->faults++;
}

/* GOT must hold what WANT does. */
static void compare(struct story *story, const char *name, const char *at, const struct json_object *want,
		    const struct json_object *got)
{
	const char *text = json_object_is_type(want, json_type_string) ?
				   json_object_get_string((struct json_object *)(uintptr_t)want) :
				   NULL;
	CLEANUP(buf_close) struct buf wanted = BUF_INIT;
	json_write(&wanted, want);
	if (text && strcmp(text, "<absent>") == 0) {
		if (got)
			fault(story, name, at, "should not be there", got);
	} else if (text && strcmp(text, "<any>") == 0) {
		if (!got)
			fault(story, name, at, "is missing", got);
	} else if (json_object_is_type(want, json_type_object) && json_object_is_type(got, json_type_object)) {
		json_object_object_foreach((struct json_object *)(uintptr_t)want, key, value)
		{
			CLEANUP(mem_freep) char *below = mem_printf("%s.%s", at, key);
			compare(story, name, below, value, json_get(got, key));
		}
	} else if (json_object_is_type(want, json_type_array) && json_object_is_type(got, json_type_array) &&
		   json_len(want) == json_len(got)) {
		for (size_t i = 0; i < json_len(want); i++) {
			CLEANUP(mem_freep) char *below = mem_printf("%s[%zu]", at, i);
			compare(story, name, below, json_at(want, i), json_at(got, i));
		}
	} else if (!json_equal(want, got)) {
		CLEANUP(mem_freep) char *what = mem_printf("should be %s", wanted.data);
		fault(story, name, at, what, got);
	}
}

static void check_warning(struct story *story, const char *name, const struct json_object *want, const char *got)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	buf_str(&text, "");
	for (size_t i = 0; i < json_len(want); i++)
		buf_printf(&text, "%s%s", i ? "\n" : "", json_object_get_string(json_at(want, i)));
	if (strcmp(text.data, got ? got : "") != 0) {
		fprintf(stderr, "%s:%zu: %s: warnings are \"%s\"\n", story->path, story->line, name, got ? got : "");
		story->faults++;
	}
}

static void check_code(struct story *story, const char *name, int64_t want, int got, const struct json_object *body)
{
	if (want == got)
		return;
	CLEANUP(mem_freep) char *what = mem_printf("code %d, should be %lld", got, (long long)want);
	fault(story, name, "answer", what, body);
}

static void run_exchange(struct story *story, const struct json_object *step, const struct api_request *request)
{
	const char *name = json_str_or_empty(step, "name");
	struct api_answer answer;
	struct json_object *expect = json_get(step, "expect");
	api_exchange(&story->fixture, request, &answer);
	check_code(story, name, json_int(step, "code", 200), answer.code, answer.json);
	check_warning(story, name, json_get(step, "warning"), answer.warning);
	CLEANUP(json_putp) struct json_object *text =
		answer.json ? json_object_get(answer.json) : json_object_new_string(answer.text);
	if (expect)
		compare(story, name, "", expect, text);
	save_values(story, json_get(step, "save"), answer.json);
	api_answer_close(&answer);
}

static void run_watch(struct story *story, const struct json_object *step, const struct api_request *request)
{
	const char *name = json_str_or_empty(step, "name");
	struct json_object *expect = json_get(step, "events");
	int code;
	CLEANUP(json_putp) struct json_object *events = api_watch(&story->fixture, request, json_len(expect), &code);
	check_code(story, name, json_int(step, "code", 200), code, events);
	compare(story, name, "events", expect, events);
}

static void run_step(struct story *story, const struct json_object *step)
{
	struct json_object *body = json_get(step, "body");
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	if (json_object_is_type(body, json_type_string))
		buf_str(&text, json_object_get_string(body));
	else if (body)
		json_write(&text, body);
	CLEANUP(mem_freep) char *path = fill_in(story, json_str_or_empty(step, "path"));
	CLEANUP(mem_freep) char *filled = fill_in(story, text.data ? text.data : "");
	CLEANUP(mem_freep) char *token = json_str(step, "token") ? fill_in(story, json_str(step, "token")) : NULL;
	char *headers[HEADERS_MAX + 1] = { NULL };
	for (size_t i = 0; i < json_len(json_get(step, "headers")) && i < HEADERS_MAX; i++)
		headers[i] = fill_in(story, json_object_get_string(json_at(json_get(step, "headers"), i)));
	struct api_request request = { .method = json_str_or_empty(step, "method"),
				       .path = path,
				       .type = json_str(step, "type"),
				       .accept = json_str(step, "accept"),
				       .token = token,
				       .headers = (const char *const *)headers,
				       .body = body ? filled : NULL,
				       .body_len = body ? strlen(filled) : 0 };
	if (body && !request.type)
		request.type = "application/json";
	if (json_get(step, "events"))
		run_watch(story, step, &request);
	else
		run_exchange(story, step, &request);
	for (size_t i = 0; i < HEADERS_MAX; i++)
		free(headers[i]);
}

static void replay(void **state)
{
	struct story *story = *state;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	if (buf_read_file(&text, story->path, 64 * 1024 * 1024, &err) < 0)
		fail_msg("%s", err.msg);
	api_fixture_start(&story->fixture);
	char *rest = text.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		CLEANUP(json_putp) struct json_object *step = NULL;
		story->line++;
		if (!*line)
			continue;
		if (json_parse(line, strlen(line), &step, NULL, &err) < 0)
			fail_msg("%s:%zu: %s", story->path, story->line, err.msg);
		run_step(story, step);
	}
	api_fixture_stop(&story->fixture);
	forget_values(story);
	assert_int_equal(story->faults, 0);
}

int main(int argc, char **argv)
{
	glob_t files;
	resource_all(&(size_t){ 0 });
	/* One file by name, or all. */
	if (glob(argc > 1 ? argv[1] : "tests/api/cases/*.jsonl", 0, NULL, &files) != 0) {
		fprintf(stderr, "no cases; run this from the top folder\n");
		return 1;
	}
	struct CMUnitTest *tests = mem_zalloc(files.gl_pathc * sizeof(*tests));
	struct story *stories = mem_zalloc(files.gl_pathc * sizeof(*stories));
	for (size_t i = 0; i < files.gl_pathc; i++) {
		stories[i].path = files.gl_pathv[i];
		tests[i] = (struct CMUnitTest){ .name = files.gl_pathv[i], .test_func = replay,
						.initial_state = &stories[i] };
	}
	int failed = _cmocka_run_group_tests("api", tests, files.gl_pathc, NULL, NULL);
	free(tests);
	free(stories);
	globfree(&files);
	return failed;
}
