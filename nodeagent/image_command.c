#include "nodeagent/image_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/timefmt.h"
#include "nodeagent/image_store.h"

struct options {
	const char *data_dir, *name;
	bool help;
};

struct command {
	const char *name, *operands, *help;
	size_t min_operands;
	int (*run)(struct image_store *store, const struct options *options, const char *operand);
	bool once; /* runs without an operand */
};

/* --- import --- */

struct progress_line {
	bool terminal;
	int64_t last_ms;
	size_t width;
};

static void show_progress(const char *what, uint64_t done, uint64_t total, void *arg)
{
	struct progress_line *line = arg;
	int64_t now = time_mono_ms();
	if (!line->terminal || now - line->last_ms < 100)
		return;
	line->last_ms = now;
	int n =
	    fprintf(stderr, "\r%.24s  %llu%%  %llu MB", what,
		    (unsigned long long)(total ? 100 * done / total : 0), (unsigned long long)(done >> 20));
	/* What a longer line left is painted over. */
	if (n > 0 && (size_t)n < line->width)
		fprintf(stderr, "%*s", (int)(line->width - (size_t)n), "");
	line->width = n > 0 ? (size_t)n : 0;
}

static int run_import(struct image_store *store, const struct options *options, const char *file)
{
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *names = NULL;
	struct progress_line line = { .terminal = isatty(2) };
	int rc = image_store_import(store, file, options->name, show_progress, &line, &names, &err);
	if (line.width)
		fprintf(stderr, "\r%*s\r", (int)line.width + 1, "");
	if (rc) {
		fprintf(stderr, "error: %s\n", err.msg);
		return 1;
	}
	for (size_t i = 0; i < json_len(names); i++)
		printf("imported %s\n", json_object_get_string(json_at(names, i)));
	return 0;
}

/* --- ls --- */

static void format_size(int64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1000 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1000;
	snprintf(buf, size, unit && value < 100 ? "%.1f%s" : "%.0f%s", value, units[unit]);
}

static int run_list(struct image_store *store, const struct options *options, const char *operand)
{
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *images = NULL;
	(void)options;
	(void)operand;
	if (image_store_list(store, &images, &err)) {
		fprintf(stderr, "error: %s\n", err.msg);
		return 1;
	}
	int width = 9;
	for (size_t i = 0; i < json_len(images); i++) {
		int len = (int)strlen(json_str_or_empty(json_at(images, i), "reference"));
		width = len > width ? len : width;
	}
	printf("%-*s   %-12s   %-8s   %s\n", width, "REFERENCE", "IMAGE ID", "SIZE", "AGE");
	for (size_t i = 0; i < json_len(images); i++) {
		const struct json_object *image = json_at(images, i);
		const char *id = json_str_or_empty(image, "id");
		char size[32], age[32];
		format_size(json_int(image, "size", 0), size, sizeof(size));
		time_human_duration((time_now_us() - json_int(image, "created", 0)) / 1000000, age,
				    sizeof(age));
		printf("%-*s   %-12.12s   %-8s   %s\n", width, json_str_or_empty(image, "reference"),
		       *id ? id + strlen("sha256:") : "<damaged>", size, age);
	}
	return 0;
}

/* --- rm --- */

static int run_remove(struct image_store *store, const struct options *options, const char *reference)
{
	struct err err = ERR_INIT;
	(void)options;
	if (image_store_remove(store, reference, &err)) {
		fprintf(stderr, "error: %s\n", err.msg);
		return 1;
	}
	printf("removed %s\n", reference);
	return 0;
}

/* --- usage --- */

static const struct command commands[] = {
	{ "import", "FILE...", "Load images from OCI archives, docker archives or OCI layout folders", 1,
	  run_import, false },
	{ "ls", "", "List the images of this node", 0, run_list, true },
	{ "rm", "REFERENCE...", "Remove images that no running container uses", 1, run_remove, false },
};

static void print_help(FILE *to)
{
	fputs("Usage: knarr-nodeagent image COMMAND --data-dir DIR\n\nCommands:\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-6s %-14s %s\n", commands[i].name, commands[i].operands, commands[i].help);
	fputs("\nFlags:\n"
	      "  --data-dir DIR   the node agent's data folder; images lie in DIR/images\n"
	      "  --name NAME      import: name of the image, when its archive has none or to give another\n"
	      "  -h, --help       show this\n",
	      to);
}

/* Takes flags out of argv; leaves operands. Returns how many, or -1 after telling what is wrong. */
static int parse_flags(int argc, char **argv, struct options *options)
{
	int n = 0;
	for (int i = 1; i < argc; i++) {
		const char **value = NULL;
		const char *arg = argv[i];
		if (!strcmp(arg, "-h") || !strcmp(arg, "--help")) {
			options->help = true;
			continue;
		}
		if (*arg != '-' || !arg[1]) {
			argv[n++] = argv[i];
			continue;
		}
		if (!strncmp(arg, "--data-dir", 10) && (!arg[10] || arg[10] == '='))
			value = &options->data_dir;
		else if (!strncmp(arg, "--name", 6) && (!arg[6] || arg[6] == '='))
			value = &options->name;
		const char *equals = strchr(arg, '=');
		if (value && equals)
			*value = equals + 1;
		else if (value && i + 1 < argc)
			*value = argv[++i];
		else {
			fprintf(stderr,
				value ? "error: flag needs an argument: %s\n" : "error: unknown flag: %s\n",
				arg);
			return -1;
		}
	}
	return n;
}

static int wrong_usage(const char *format, const char *what)
{
	fputs("error: ", stderr);
	fprintf(stderr, "%s%s\n", format, what);
	fputs("See 'knarr-nodeagent image --help' for usage.\n", stderr);
	return 2;
}

static int run_all(const struct command *command, const struct options *options, int n, char **operands)
{
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *dir = mem_printf("%s/images", options->data_dir);
	struct image_store *store = image_store_open(NULL, dir, NULL, NULL, &err);
	if (!store) {
		fprintf(stderr, "error: %s\n", err.msg);
		return 1;
	}
	int rc = command->once ? command->run(store, options, NULL) : 0;
	/* The rest is done even when one failed, as rm(1) does. */
	for (int i = 0; i < n && !command->once; i++)
		rc |= command->run(store, options, operands[i]);
	image_store_close(store);
	return fflush(stdout) ? 1 : rc;
}

int image_command(int argc, char **argv)
{
	struct options options = { 0 };
	int n = parse_flags(argc, argv, &options);
	if (n < 0) {
		fputs("See 'knarr-nodeagent image --help' for usage.\n", stderr);
		return 2;
	}
	if (options.help) {
		print_help(stdout);
		return 0;
	}
	if (n == 0)
		return wrong_usage("no command", "");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		if (strcmp(command->name, argv[0]) != 0)
			continue;
		if (!options.data_dir)
			return wrong_usage("required flag not set: --data-dir", "");
		if ((size_t)n - 1 < command->min_operands || (command->once && n > 1))
			return wrong_usage("wrong number of arguments: image ", command->name);
		if (options.name && n > 2)
			return wrong_usage("--name goes with one FILE", "");
		return run_all(command, &options, n - 1, argv + 1);
	}
	return wrong_usage("unknown command: ", argv[0]);
}
