/* A command: a const row with its flags and its code. Flags mix with arguments, as in kubectl: --name=value,
 * --name value, -n value, -nvalue, bundled booleans; `--` ends them. Values land in static variables of the
 * command's file: one run, one command.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mem.h"

struct string_list {
	const char **items;
	size_t n;
};

enum flag_type {
	FLAG_STRING,   /* const char * */
	FLAG_BOOL,     /* bool; --x, --x=false */
	FLAG_INT,      /* int64_t */
	FLAG_DURATION, /* int64_t, microseconds: "90s", "1m30s", "0" */
	FLAG_LIST,     /* struct string_list: may be given several times; commas separate */
	FLAG_ARRAY,    /* struct string_list: may be given several times; commas are part of it */
};

struct flag {
	const char *name;
	char short_name; /* or 0 */
	enum flag_type type;
	void *value;
	const char *value_name; /* "FILE"; NULL for booleans */
	const char *help;
	const char
	    *if_bare; /* value when given without one ("--output-watch-events"); NULL: a value is needed */
	bool *given;  /* set when it was on the command line; or NULL */
};

struct command {
	const char *name;
	const char *alias;        /* its other name, or NULL */
	const char *about;        /* one line */
	const char *usage;        /* after the program's name: "get (TYPE[/NAME] ...) [flags]" */
	const char *help;         /* some lines, then examples: what --help teaches. May be NULL */
	const struct flag *flags; /* ends with a NULL name; may be NULL */
	const struct command *const *subcommands; /* NULL-terminated */
	/* ARGS: what is no flag, after the command's name. Returns the exit code. With subcommands it runs
	 * when none is named, and may be NULL. */
	int (*run)(char **args, size_t n_args);
};

extern const struct command *const commands[]; /* main.c; NULL-terminated */

/* Parses argv against COMMAND's flags and the global ones. Operands are gathered in *ret_args (argv's memory;
 * caller frees the array). Prints help and exits 0 on --help; on a wrong flag prints "error: unknown flag:
 * --x" and how to get help and exits 1. */
void command_parse(const struct command *command, const char *path, int argc, char **argv, char ***ret_args,
		   size_t *ret_n);
/* How many of the operands stood before "--"; all when it was not there. */
size_t command_n_before_dashes(void);
/* 1 when WORD is one of FLAGS whose value is the next word, else 0. */
int command_flag_takes_word(const struct flag *flags, const char *word);
void command_print_flags(const char *title, const struct flag *flags);
void command_print_help(const struct command *command, const char *path);
/* "error: TEXT" on stderr, then "See 'kubectl-lite PATH -h' for help and examples"; returns 1. */
int command_usage_error(const char *path, const char *format, ...) PRINTF_LIKE(2, 3);
/* "error: You must provide one or more resources by argument or filename." and how; returns 1. */
int command_no_objects(void);
