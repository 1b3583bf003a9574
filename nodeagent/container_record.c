#include "nodeagent/container_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/json.h"

#define FILE_MAX_BYTES 4096

static int read_file(const char *dir, const char *name, struct buf *b, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);
	struct err e = ERR_INIT;
	if (!buf_read_file(b, path, FILE_MAX_BYTES, &e))
		return 0;
	if (e.kind == ERR_SYSTEM && e.errnum == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "no %s", path);
	if (err)
		*err = e;
	return -1;
}

static int parse(const char *text, size_t len, struct json_object **ret, struct err *err)
{
	if (len > FILE_MAX_BYTES)
		return err_set(err, ERR_CORRUPT, "too long");
	struct err e = ERR_INIT;
	if (json_parse(text, len, ret, NULL, &e))
		return err_set(err, ERR_CORRUPT, "%s", e.msg);
	return 0;
}

/* An integer member within bounds. */
static int number(const struct json_object *obj, const char *key, int64_t min, int64_t max, int64_t *ret,
		  struct err *err)
{
	struct json_object *value = json_get(obj, key);
	if (!value || !json_object_is_type(value, json_type_int))
		return err_set(err, ERR_CORRUPT, "no number \"%s\"", key);
	int64_t n = json_object_get_int64(value);
	if (n < min || n > max)
		return err_set(err, ERR_CORRUPT, "\"%s\" is out of range", key);
	*ret = n;
	return 0;
}

static bool is_id(const char *id)
{
	return id && strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
}

int container_record_parse(const char *text, size_t len, struct container_record *ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	int64_t stop_signal;
	if (parse(text, len, &obj, err) || number(obj, "stop_signal", 1, 64, &stop_signal, err))
		return -1;
	const char *id = json_str(obj, "id"), *cgroup = json_str(obj, "cgroup");
	if (!is_id(id))
		return err_set(err, ERR_CORRUPT, "no container ID");
	/* The cgroup's processes get killed: never those of a path that climbs out. */
	if (!cgroup || !*cgroup || *cgroup == '/' || strstr(cgroup, "..") ||
	    strlen(cgroup) >= sizeof(ret->cgroup))
		return err_set(err, ERR_CORRUPT, "no cgroup");
	*ret = (struct container_record){ .stop_signal = (int)stop_signal };
	strcpy(ret->id, id);
	strcpy(ret->cgroup, cgroup);
	return 0;
}

static int parse_process(const struct json_object *obj, pid_t *ret_pid, uint64_t *ret_start_time,
			 struct err *err)
{
	int64_t pid, start_time;
	if (number(obj, "pid", 2, INT_MAX, &pid, err) ||
	    number(obj, "start_time", 0, INT64_MAX, &start_time, err))
		return -1;
	*ret_pid = (pid_t)pid;
	*ret_start_time = (uint64_t)start_time;
	return 0;
}

int container_record_parse_shim(const char *text, size_t len, struct shim_record *ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	struct shim_record record = { 0 };
	if (parse(text, len, &obj, err) || parse_process(obj, &record.pid, &record.start_time, err))
		return -1;
	*ret = record;
	return 0;
}

int container_record_parse_state(const char *text, size_t len, struct state_record *ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	struct state_record record = { 0 };
	if (parse(text, len, &obj, err) || parse_process(obj, &record.pid, &record.start_time, err) ||
	    number(obj, "started_us", 0, INT64_MAX, &record.started_us, err))
		return -1;
	*ret = record;
	return 0;
}

int container_record_parse_exit(const char *text, size_t len, struct exit_record *ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	int64_t code, signal, finished;
	if (parse(text, len, &obj, err) || number(obj, "exit_code", 0, 255, &code, err) ||
	    number(obj, "signal", 0, 64, &signal, err) ||
	    number(obj, "finished_us", 0, INT64_MAX, &finished, err))
		return -1;
	*ret = (struct exit_record){ .exit_code = (int)code,
				     .signal = (int)signal,
				     .oom_killed = json_boolean(obj, "oom_killed", false),
				     .finished_us = finished };
	return 0;
}

#define READER(function, parser, type, file)                                                                 \
	int function(const char *dir, struct type *ret, struct err *err)                                     \
	{                                                                                                    \
		CLEANUP(buf_close) struct buf b = BUF_INIT;                                                  \
		if (read_file(dir, file, &b, err))                                                           \
			return -1;                                                                           \
		if (parser(b.data ? b.data : "", b.len, ret, err))                                           \
			return err_wrap(err, "%s/%s", dir, file);                                            \
		return 0;                                                                                    \
	}

READER(container_record_read, container_record_parse, container_record, "container.json")
READER(container_record_read_shim, container_record_parse_shim, shim_record, "shim.json")
READER(container_record_read_state, container_record_parse_state, state_record, "state.json")
READER(container_record_read_exit, container_record_parse_exit, exit_record, "exit.json")

int container_record_write_file(const char *dir, const char *name, const char *data, size_t len,
				struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name), *tmp = mem_printf("%s.tmp", path);
	CLEANUP(mem_closep) int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return err_set_errno(err, errno, "make %s", tmp);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_set_errno(err, errno, "write %s", tmp);
			unlink(tmp);
			return -1;
		}
		done += (size_t)n;
	}
	return rename(tmp, path) ? err_set_errno(err, errno, "rename to %s", path) : 0;
}

int container_record_write(const char *dir, const struct container_record *record, struct err *err)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	buf_printf(&b, "{\"id\":\"%s\",\"cgroup\":", record->id);
	buf_json_string(&b, record->cgroup);
	buf_printf(&b, ",\"stop_signal\":%d}\n", record->stop_signal);
	return container_record_write_file(dir, "container.json", b.data, b.len, err);
}

int container_record_write_exit(const char *dir, const struct exit_record *record, struct err *err)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	buf_printf(&b, "{\"exit_code\":%d,\"signal\":%d,\"oom_killed\":%s,\"finished_us\":%lld}\n",
		   record->exit_code, record->signal, record->oom_killed ? "true" : "false",
		   (long long)record->finished_us);
	return container_record_write_file(dir, "exit.json", b.data, b.len, err);
}
