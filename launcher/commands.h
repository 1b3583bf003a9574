/* The subcommands of knarr, one file each; the table is in main.c. Each gets the arguments after its name and
 * returns the exit code: 0 done, 1 failed (stderr says why), 2 wrong usage, 3 `status` of a cluster that does
 * not run.
 */
#pragma once

struct command {
	const char *name;
	const char *usage; /* "up [--data DIR] ..." */
	const char *about; /* one line */
	const char *help;  /* flags and examples */
	int (*run)(const struct command *command, int argc, char **argv);
};

/* One file each. ARGV[0] is the command's name; the exit code comes back, after errors were told on stderr.
 */
int command_up(const struct command *command, int argc, char **argv);
int command_down(const struct command *command, int argc, char **argv);
int command_status(const struct command *command, int argc, char **argv);
int command_rotate(const struct command *command, int argc, char **argv);
int command_image(const struct command *command, int argc, char **argv);

/* Parses argv by getopt_long OPTIONS (struct option, NULL-terminated): for each found calls SET. "--help"
 * prints the command's help and exits 0; anything unknown prints what and how to get help and exits 2.
 * Returns the index of the first operand. */
struct option;
int command_flags(const struct command *command, int argc, char **argv, const struct option *options,
		  void (*set)(int option, const char *value, void *arg), void *arg);
/* "error: ..." on stderr; returns 1. */
int command_failed(const char *message);
/* TEXT as a word of the shell, quoted when it must be. Caller frees. */
char *command_shell_word(const char *text);
/* The folder that holds our own program: the others lie beside it. Caller frees. */
char *command_bin_dir(void);
