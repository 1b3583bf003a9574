#include "kubectl-lite/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/session.h"
#include "kubectl-lite/suggest.h"
#include "lib/timefmt.h"

#define PROGRAM "kubectl-lite"

static const struct flag *find_long(const struct flag *flags, const char *name, size_t len)
{
	for (const struct flag *f = flags; f && f->name; f++)
		if (strncmp(f->name, name, len) == 0 && f->name[len] == '\0')
			return f;
	return NULL;
}

static const struct flag *find_short(const struct flag *flags, char name)
{
	for (const struct flag *f = flags; f && f->name; f++)
		if (f->short_name == name)
			return f;
	return NULL;
}

static void list_add(struct string_list *list, const char *value)
{
	list->items = mem_realloc_array(list->items, list->n + 1, sizeof(*list->items));
	list->items[list->n++] = mem_dup(value); /* lives as long as the program */
}

static void list_add_each(struct string_list *list, const char *values)
{
	CLEANUP(mem_freep) char *copy = mem_dup(values);

	for (char *rest = copy, *part; (part = strsep(&rest, ","));)
		list_add(list, part);
}

static _Noreturn void bad_value(const struct flag *flag, const char *value, const char *why)
{
	fprintf(stderr, "error: invalid argument \"%s\" for \"--%s\" flag: %s\n", value, flag->name, why);
	exit(1);
}

static void set_value(const struct flag *flag, const char *value)
{
	char *end;

	if (flag->given)
		*flag->given = true;
	switch (flag->type) {
	case FLAG_STRING:
		*(const char **)flag->value = value;
		break;
	case FLAG_BOOL:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			bad_value(flag, value, "want true or false");
		*(bool *)flag->value = value[0] == 't';
		break;
	case FLAG_INT:
		*(int64_t *)flag->value = strtoll(value, &end, 10);
		if (*end || end == value)
			bad_value(flag, value, "want a number");
		break;
	case FLAG_DURATION:
		*(int64_t *)flag->value = strtoll(value, &end, 10) * 1000000;
		if ((*end || end == value) && !time_parse_duration(value, flag->value))
			bad_value(flag, value, "want a duration such as 30s or 5m");
		break;
	case FLAG_LIST:
		list_add_each(flag->value, value);
		break;
	case FLAG_ARRAY:
		list_add(flag->value, value);
		break;
	}
}

static _Noreturn void unknown_flag(const struct command *command, const char *path, const char *text)
{
	CLEANUP(mem_freep) char *name = mem_dupn(text, strcspn(text, "="));
	struct suggestion s = suggest_for(name + strspn(name, "-"));

	for (const struct flag *f = command->flags; f && f->name; f++)
		suggest_offer(&s, f->name);
	for (const struct flag *f = session_flags; f->name; f++)
		suggest_offer(&s, f->name);
	fprintf(stderr, "error: unknown flag: %s\n", name);
	suggest_print(&s, "--");
	fprintf(stderr, "See '%s %s --help' for usage.\n", PROGRAM, path);
	exit(1);
}

/* --name[=value]; NEXT is the following word. Gives how many words it took. */
static int parse_long(const struct command *command, const char *path, char *word, char *next)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct flag *flag = find_long(command->flags, name, len);

	if (!flag)
		flag = find_long(session_flags, name, len);
	if (!flag)
		unknown_flag(command, path, word);
	if (equals) {
		set_value(flag, equals + 1);
		return 1;
	}
	if (flag->type == FLAG_BOOL || flag->if_bare) {
		set_value(flag, flag->if_bare ? flag->if_bare : "true");
		return 1;
	}
	if (!next) {
		fprintf(stderr, "error: flag needs an argument: %s\nSee '%s %s --help' for usage.\n", word,
			PROGRAM, path);
		exit(1);
	}
	set_value(flag, next);
	return 2;
}

/* -abc, -n value, -nvalue, -n=value. */
static int parse_short(const struct command *command, const char *path, char *word, char *next)
{
	for (const char *p = word + 1; *p; p++) {
		const struct flag *flag = find_short(command->flags, *p);
		if (!flag)
			flag = find_short(session_flags, *p);
		if (!flag)
			unknown_flag(command, path, word);
		if (flag->type == FLAG_BOOL && p[1] != '=') {
			set_value(flag, "true");
			continue;
		}
		if (p[1]) {
			set_value(flag, p[1] == '=' ? p + 2 : p + 1);
			return 1;
		}
		if (!next) {
			fprintf(stderr,
				"error: flag needs an argument: '%c' in %s\nSee '%s %s --help' for usage.\n",
				*p, word, PROGRAM, path);
			exit(1);
		}
		set_value(flag, next);
		return 2;
	}
	return 1;
}

int command_flag_takes_word(const struct flag *flags, const char *word)
{
	const struct flag *flag = NULL;

	if (word[1] == '-' && !strchr(word, '='))
		flag = find_long(flags, word + 2, strlen(word + 2));
	else if (word[1] != '-' && !word[2])
		flag = find_short(flags, word[1]);
	return flag && flag->type != FLAG_BOOL && !flag->if_bare;
}

static size_t n_before_dashes;

size_t command_n_before_dashes(void)
{
	return n_before_dashes;
}

void command_parse(const struct command *command, const char *path, int argc, char **argv, char ***ret_args,
		   size_t *ret_n)
{
	char **args = mem_zalloc(((size_t)argc + 1) * sizeof(*args));
	size_t n = 0;

	n_before_dashes = SIZE_MAX;
	for (int i = 0; i < argc;) {
		char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(word, "--") == 0) {
			n_before_dashes = n;
			for (i++; i < argc; i++)
				args[n++] = argv[i];
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			command_print_help(command, path);
			exit(0);
		} else if (word[0] == '-' && word[1] == '-') {
			i += parse_long(command, path, word, next);
		} else if (word[0] == '-' && word[1]) {
			i += parse_short(command, path, word, next);
		} else {
			args[n++] = word;
			i++;
		}
	}
	if (n_before_dashes > n)
		n_before_dashes = n;
	*ret_args = args;
	*ret_n = n;
}

void command_print_flags(const char *title, const struct flag *flags)
{
	if (!flags || !flags->name)
		return;
	printf("\n%s:\n", title);
	for (const struct flag *f = flags; f->name; f++) {
		char left[64];
		int n = f->short_name ? snprintf(left, sizeof(left), "-%c, --%s", f->short_name, f->name)
				      : snprintf(left, sizeof(left), "    --%s", f->name);
		if (f->value_name && n > 0 && (size_t)n < sizeof(left))
			snprintf(left + n, sizeof(left) - (size_t)n, "=%s", f->value_name);
		printf("  %-34s %s\n", left, f->help);
	}
}

void command_print_help(const struct command *command, const char *path)
{
	printf("%s.\n", command->about);
	if (command->help)
		printf("\n%s", command->help);
	if (command->subcommands) {
		printf("\nCommands:\n");
		for (const struct command *const *sub = command->subcommands; *sub; sub++)
			printf("  %-14s %s\n", (*sub)->name, (*sub)->about);
	}
	command_print_flags("Flags", command->flags);
	printf("\nUsage:\n  %s %s\n", PROGRAM, command->usage);
	if (*path)
		printf("\nUse \"%s options\" for the flags that all commands take.\n", PROGRAM);
}

int command_usage_error(const char *path, const char *format, ...)
{
	va_list ap;

	fputs("error: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nSee '%s %s -h' for help and examples\n", PROGRAM, path);
	return 1;
}

int command_no_objects(void)
{
	return command_error("You must provide one or more resources by argument or filename.\n"
			     "Example resource specifications include:\n"
			     "   '-f rsrc.yaml'\n"
			     "   '--filename=rsrc.json'\n"
			     "   '<resource> <name>'\n"
			     "   '<resource>'");
}
