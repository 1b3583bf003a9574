#include "tests/faults/fault_run.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/timefmt.h"

char *fault_folder(void)
{
	char *dir = mem_printf("%s/knarr-faults-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");

	if (!mkdtemp(dir))
		abort();
	return dir;
}

void fault_folder_empty(const char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

void fault_folder_remove(char *dir)
{
	fault_folder_empty(dir);
	rmdir(dir);
	free(dir);
}

static uint64_t number(const char *text)
{
	char *end = NULL;
	uint64_t value = strtoull(text, &end, 10);

	if (!*text || *end) {
		fprintf(stderr, "\"%s\" is not a number\n", text);
		exit(2);
	}
	return value;
}

struct fault_args fault_args(const char *part, int argc, char **argv)
{
	struct fault_args args = { .part = part, .seed = (uint64_t)time_now_us() };

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && !strcmp(argv[i], "--seconds")) {
			args.seconds = (unsigned)number(argv[i + 1]);
		} else if (i + 1 < argc && !strcmp(argv[i], "--seed")) {
			args.seed = number(argv[i + 1]);
		} else if (i + 1 < argc && !strcmp(argv[i], "--report")) {
			args.report = argv[i + 1];
		} else {
			fprintf(stderr, "usage: %s [--seconds N [--seed S] [--report FILE]]\n", argv[0]);
			exit(2);
		}
	}
	return args;
}

static uint64_t current;
static bool inside;

static void say_seed(void)
{
	if (inside)
		printf("--seconds 1 --seed %llu repeats it\n", (unsigned long long)current);
}

void fault_soak(const struct fault_args *args, void (*round)(uint64_t seed))
{
	int64_t end_ms = time_mono_ms() + args->seconds * (int64_t)1000;
	uint64_t first = args->seed;

	atexit(say_seed);
	inside = true;
	for (current = first; time_mono_ms() < end_ms; current++)
		round(current);
	inside = false;
	printf("%llu rounds from seed %llu\n", (unsigned long long)(current - first),
	       (unsigned long long)first);
}

void fault_report(const struct fault_args *args, const struct fault_count *counts)
{
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	struct err err = ERR_INIT;

	buf_printf(&json, "{\"part\":\"%s\",\"seconds\":%u,\"failed\":false,\"counts\":{", args->part,
		   args->seconds);
	for (const struct fault_count *count = counts; count->what; count++) {
		printf("%s%lu %s", count == counts ? "" : ", ", count->n, count->what);
		buf_printf(&json, "%s\"%s\":%lu", count == counts ? "" : ",", count->what, count->n);
	}
	printf("\n");
	buf_str(&json, "}}\n");
	if (args->report && buf_write_file_atomic(args->report, json.data, json.len, 0644, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
}
