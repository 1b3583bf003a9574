/* What the tests of the core share: temporary folders, objects from a line of JSON, and commands that are
 * waited for. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "apiserver/core/core.h"
#include "lib/json.h"

#define UNUSED __attribute__((unused))

/* Runs WRITER in a child, which tells each revision that it was promised; kills it after REPORTS of them.
 * Gives the last that was told, TOLD when there was none. */
static inline UNUSED uint64_t write_until_killed(void (*writer)(const char *dir, int tell), const char *dir,
						 unsigned reports, uint64_t told)
{
	int pipes[2];
	pid_t child;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		writer(dir, pipes[1]);
	close(pipes[1]);
	for (unsigned i = 0; i < reports; i++)
		assert_int_equal(read(pipes[0], &told, sizeof(told)), sizeof(told));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(pipes[0], &told, sizeof(told)) == sizeof(told))
		;
	close(pipes[0]);
	return told;
}

static inline const struct resource *config_maps(void)
{
	return resource_find("", "v1", "configmaps");
}

static inline const struct resource *pods(void)
{
	return resource_find("", "v1", "pods");
}

static inline struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	return obj;
}

/* FORMAT gives the members of metadata, then what follows it: `"name":"a"},"data":{"k":"v"}`. */
static inline struct object *make(const struct resource *resource, const char *format, ...) PRINTF_LIKE(2, 3);
static inline struct object *make(const struct resource *resource, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *members = mem_vprintf(format, ap);
	va_end(ap);
	CLEANUP(mem_freep) char *text = mem_printf("{\"metadata\":{%s}", members);
	CLEANUP(json_putp) struct json_object *obj = parse(text);

	return object_new(resource, obj, NULL, 0);
}

static inline char *make_folder(void)
{
	char *made = mem_dup("/tmp/knarr-core-XXXXXX");

	assert_non_null(mkdtemp(made));
	return made;
}

static inline void remove_files(const char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static inline void remove_folder(char *dir)
{
	remove_files(dir);
	rmdir(dir);
	free(dir);
}

static inline struct core_opts default_opts(struct store *store)
{
	return (struct core_opts){
		.store = store,
		.history_events = 10000,
		.history_ms = 300000,
		.event_ttl_ms = 3600000,
		.watch_max_bytes = 8 << 20,
		.max_watches = 100,
	};
}

static inline struct core *start_with(const struct core_opts *opts)
{
	struct core *core = NULL;
	struct err err = ERR_INIT;

	if (core_new(opts, &core, &err) < 0 || core_start(core, &err) < 0)
		fail_msg("%s", err.msg);
	return core;
}

static inline struct core *start(const char *dir)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;

	if (store_sqlite_open(dir, &store, &err) < 0)
		fail_msg("%s", err.msg);

	struct core_opts opts = default_opts(store);

	return start_with(&opts);
}

static inline void answered(struct core_command *command)
{
	sem_post(command->arg);
}

/* Submits and waits; the kind of error is the result. */
static inline enum err_kind call(struct core *core, struct core_command *command)
{
	sem_t done;

	sem_init(&done, 0, 0);
	command->reply = answered;
	/* Answered before this returns. */
	// cppcheck-suppress autoVariables
	command->arg = &done;
	core_submit(core, command);
	sem_wait(&done);
	sem_destroy(&done);
	return command->err.kind;
}

/* Creates or (with REVISION) updates; gives the revision back, 0 on error. */
static inline uint64_t put_object(struct core *core, enum core_op op, struct object *object,
				  uint64_t revision)
{
	struct core_command command = {
		.op = op,
		.resource = object_resource(object),
		.namespace_ = object_namespace(object),
		.name = object_name(object),
		.object = object_ref(object),
		.revision = revision,
	};
	uint64_t result = call(core, &command) == ERR_NONE ? command.ret_revision : 0;

	core_command_close(&command);
	object_unref(object);
	return result;
}

static inline uint64_t remove_object(struct core *core, const struct resource *resource,
				     const char *namespace_, const char *name)
{
	struct core_command command = {
		.op = CORE_DELETE, .resource = resource, .namespace_ = namespace_, .name = name
	};
	uint64_t result = call(core, &command) == ERR_NONE ? command.ret_revision : 0;

	core_command_close(&command);
	return result;
}

/* The revision of an object now; 0 when it is not there. */
static inline uint64_t revision_of(struct core *core, const struct resource *resource, const char *namespace_,
				   const char *name)
{
	CLEANUP(object_unrefp) struct object *object = NULL;

	return core_get(core, resource, namespace_, name, &object, NULL) < 0 ? 0 : object_revision(object);
}

/* A reader of a watch, waiting on a semaphore for its wake. */
struct reader {
	struct core *core;
	struct watch *watch;
	sem_t awake;
};

static inline void wake_reader(void *arg)
{
	sem_post(&((struct reader *)arg)->awake);
}

static inline enum err_kind reader_open(struct reader *reader, struct core *core,
					struct core_command *command)
{
	reader->core = core;
	sem_init(&reader->awake, 0, 0);
	reader->watch = watch_new(wake_reader, reader);
	command->op = CORE_WATCH;
	command->watch = reader->watch;
	return call(core, command);
}

static inline struct watch_event reader_next(struct reader *reader)
{
	struct watch_event event;

	while (!watch_next(reader->watch, &event))
		sem_wait(&reader->awake);
	return event;
}

static inline void reader_close(struct reader *reader)
{
	watch_close(reader->core, reader->watch);
	sem_destroy(&reader->awake);
}

/* The next event is TYPE about NAME at REVISION (0: any). */
static inline void expect(struct reader *reader, enum watch_event_type type, const char *name,
			  uint64_t revision)
{
	struct watch_event event = reader_next(reader);

	assert_int_equal(event.type, type);
	if (name) {
		assert_non_null(event.object);
		assert_string_equal(object_name(event.object), name);
		assert_true(object_revision(event.object) == event.revision);
	}
	if (revision)
		assert_int_equal(event.revision, revision);
	object_unref(event.object);
}
