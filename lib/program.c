#include "lib/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

/* The flags that every program has. */
static struct {
	const char *log_level;
	const char *log_format;
	const char *ready_fd_text;
	bool version;
	bool help;
	int ready_fd;
} common = { .ready_fd = -1 };

static const struct program_flag common_flags[] = {
	{ "log-level", "LEVEL", "error, warn, info or debug (default info)", &common.log_level, NULL, false },
	{ "log-format", "FORMAT", "text or json (default text)", &common.log_format, NULL, false },
	{ "ready-fd", "N", "descriptor that is told when the program serves", &common.ready_fd_text, NULL,
	  false },
	{ "version", NULL, "print the version", NULL, &common.version, false },
	{ "help", NULL, "print this help", NULL, &common.help, false },
	{ 0 },
};

__attribute__((noreturn)) PRINTF_LIKE(2, 3) static void wrong(const char *program, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nRun '%s --help' for its flags.\n", program);
	exit(2);
}

static const struct program_flag *find_flag(const struct program_flag *flags, const char *name, size_t len)
{
	for (; flags->name; flags++)
		if (strlen(flags->name) == len && strncmp(flags->name, name, len) == 0)
			return flags;
	return NULL;
}

static void print_flags(const struct program_flag *flags)
{
	for (; flags->name; flags++) {
		char head[64];

		snprintf(head, sizeof(head), "--%s%s%s", flags->name, flags->value ? " " : "",
			 flags->value ? flags->value : "");
		printf("  %-28s %s%s\n", head, flags->help, flags->required ? " (required)" : "");
	}
}

static void print_help(const char *program, const char *about, const struct program_flag *flags)
{
	printf("%s: %s\n\nUsage: %s [flags]\n\n", program, about, program);
	print_flags(flags);
	print_flags(common_flags);
}

static bool parse_boolean(const char *program, const struct program_flag *flag, const char *value)
{
	if (!value || strcmp(value, "true") == 0)
		return true;
	if (strcmp(value, "false") != 0)
		wrong(program, "--%s takes true or false, not '%s'", flag->name, value);
	return false;
}

static bool is_list(const struct program_flag *flag)
{
	size_t len = strlen(flag->value);
	return len > 3 && strcmp(flag->value + len - 3, "...") == 0;
}

/* Takes argv[I] as a flag; returns the index after it and its value. */
static int take_flag(const char *program, const struct program_flag *flags, char **argv, int i)
{
	const char *name = argv[i] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct program_flag *flag = find_flag(flags, name, len);
	const char *value = equals ? equals + 1 : NULL;

	if (!flag)
		flag = find_flag(common_flags, name, len);
	if (!flag)
		wrong(program, "unknown flag: --%.*s", (int)len, name);
	if (!flag->value) {
		*flag->boolean = parse_boolean(program, flag, value);
		return i + 1;
	}
	if (!value)
		value = argv[++i];
	if (!value)
		wrong(program, "--%s needs a value: %s", flag->name, flag->value);
	/* Joined values live as long as argv does. */
	*flag->string = is_list(flag) && *flag->string ? mem_printf("%s,%s", *flag->string, value) : value;
	return i + 1;
}

static void check_required(const char *program, const struct program_flag *flags)
{
	for (; flags->name; flags++)
		if (flags->required && flags->string && !*flags->string)
			wrong(program, "--%s is required", flags->name);
}

static void apply_log_flags(const char *program)
{
	enum log_level level = LOG_LEVEL_INFO;
	bool json = common.log_format && strcmp(common.log_format, "json") == 0;

	if (common.log_level && !log_level_parse(common.log_level, &level))
		wrong(program, "--log-level takes error, warn, info or debug, not '%s'", common.log_level);
	if (common.log_format && !json && strcmp(common.log_format, "text") != 0)
		wrong(program, "--log-format takes text or json, not '%s'", common.log_format);
	log_init(program, level, json);
}

static void apply_ready_fd(const char *program)
{
	char *end = NULL;
	long fd;

	if (!common.ready_fd_text)
		return;
	errno = 0;
	fd = strtol(common.ready_fd_text, &end, 10);
	/* Close-on-exec: a child that keeps it open would hide from the waiting starter that we died. */
	if (errno || *end || end == common.ready_fd_text || fd < 0 || fd > 1 << 20 ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		wrong(program, "--ready-fd takes an open descriptor, not '%s'", common.ready_fd_text);
	common.ready_fd = (int)fd;
}

int program_flags(const char *program, const char *about, const struct program_flag *flags, int argc,
		  char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(argv[i], "-h") == 0) {
			common.help = true;
			i++;
			continue;
		}
		if (argv[i][1] != '-')
			wrong(program, "unknown flag: %s", argv[i]);
		i = take_flag(program, flags, argv, i);
	}
	if (common.help) {
		print_help(program, about, flags);
		exit(0);
	}
	if (common.version) {
		printf("%s %s\n", program, KNARR_VERSION);
		exit(0);
	}
	check_required(program, flags);
	apply_log_flags(program);
	apply_ready_fd(program);
	signal(SIGPIPE, SIG_IGN);
	return i;
}

void program_ready(void)
{
	ssize_t n;

	if (common.ready_fd < 0)
		return;
	n = write(common.ready_fd, "ready\n", 6);
	(void)n; /* whoever waited may be gone */
	close(common.ready_fd);
	common.ready_fd = -1;
}

static void on_stop_signal(int signo, void *arg)
{
	log_info("stopping", "signal", strsignal(signo), NULL);
	loop_stop(arg);
}

int program_stop_on_signals(struct loop *loop, struct err *err)
{
	if (loop_signal(loop, SIGTERM, on_stop_signal, loop, err) < 0)
		return -1;
	return loop_signal(loop, SIGINT, on_stop_signal, loop, err);
}
