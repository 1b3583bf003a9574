/* completion bash: a script whose words come from the tables of this program; names of objects it asks the
 * server for, through get. */
#include <stdio.h>
#include <string.h>

#include "api/resource.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/session.h"

static void print_flag_words(const struct flag *flags)
{
	for (const struct flag *f = flags; f && f->name; f++)
		printf(" --%s", f->name);
}

/* Flags whose value is the next word, for the script to skip. */
static void print_value_flags(const struct flag *flags)
{
	for (const struct flag *f = flags; f && f->name; f++) {
		if (f->type == FLAG_BOOL || f->if_bare)
			continue;
		printf("|--%s", f->name);
		if (f->short_name)
			printf("|-%c", f->short_name);
	}
}

static void print_tables(const struct command *const *list, const char *prefix)
{
	for (; *list; list++) {
		CLEANUP(mem_freep)
		char *path = mem_printf("%s%s%s", prefix, *prefix ? " " : "", (*list)->name);
		printf("\t\t'%s') words=\"", path);
		for (const struct command *const *sub = (*list)->subcommands; sub && *sub; sub++)
			printf("%s%s", sub == (*list)->subcommands ? "" : " ", (*sub)->name);
		printf("\" flags=\"");
		print_flag_words((*list)->flags);
		puts("\" ;;");
		if ((*list)->subcommands)
			print_tables((*list)->subcommands, path);
	}
}

static void print_all_value_flags(const struct command *const *list)
{
	for (; *list; list++) {
		print_value_flags((*list)->flags);
		if ((*list)->subcommands)
			print_all_value_flags((*list)->subcommands);
	}
}

static void print_types(void)
{
	size_t n;
	const struct resource *all = resource_all(&n);

	for (size_t i = 0; i < n; i++) {
		printf("%s%s", i ? " " : "", all[i].plural);
		for (const char *const *s = all[i].short_names; s && *s; s++)
			printf(" %s", *s);
	}
}

static const char bash_head[] =
    "# bash completion for kubectl-lite; source it, or put it into /usr/share/bash-completion/completions.\n"
    "_kubectl_lite_words() {\n"
    "\tlocal words flags\n"
    "\tcase $1 in\n";

static const char bash_names[] = "# Names of the objects of type $1, each after $2.\n"
				 "_kubectl_lite_names() {\n"
				 "\tlocal name\n"
				 "\tfor name in $(\"${COMP_WORDS[0]}\" \"${_kubectl_lite_context[@]}\" get "
				 "\"$1\" -o name --request-timeout=2s 2>/dev/null); do\n"
				 "\t\tprintf '%s%s\\n' \"$2\" \"${name##*/}\"\n"
				 "\tdone\n"
				 "}\n";

static const char bash_tail[] =
    "_kubectl_lite() {\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} word path= operands=0 type= skip= words flags sets i\n"
    "\t_kubectl_lite_context=()\n"
    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
    "\t\tword=${COMP_WORDS[i]}\n"
    "\t\tif [[ -n $skip ]]; then\n"
    "\t\t\tcase $skip in --kubeconfig|--context|-n|--namespace|-s|--server) "
    "_kubectl_lite_context+=(\"$skip\" \"$word\") ;; esac\n"
    "\t\t\tskip=\n"
    "\t\t\tcontinue\n"
    "\t\tfi\n"
    "\t\tcase $word in\n";

static const char bash_end[] =
    "\t\t-*) ;;\n"
    "\t\t*)\n"
    "\t\t\tsets=$(_kubectl_lite_words \"$path\")\n"
    "\t\t\tif [[ -z $path || \" ${sets%%|*} \" == *\" $word \"* ]]; then path=${path:+$path }$word\n"
    "\t\t\telse operands=$((operands + 1)); [[ $operands == 1 ]] && type=$word; fi ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\tsets=$(_kubectl_lite_words \"$path\") words=${sets%%|*} flags=${sets#*|}\n"
    "\tif [[ $cur == -* ]]; then\n"
    "\t\tCOMPREPLY=($(compgen -W \"$flags $_kubectl_lite_global\" -- \"$cur\"))\n"
    "\telif [[ -n $skip ]]; then\n"
    "\t\tcase $skip in\n"
    "\t\t-n|--namespace) COMPREPLY=($(compgen -W \"$(_kubectl_lite_names namespaces '')\" -- \"$cur\")) ;;\n"
    "\t\t-f|--filename|--kubeconfig) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
    "\t\tesac\n"
    "\telif [[ -n $words ]]; then\n"
    "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "\telse\n"
    "\t\tcase $path in\n"
    "\t\tapply|create*|run|version|config*|api-resources) ;;\n"
    "\t\tcompletion) COMPREPLY=($(compgen -W bash -- \"$cur\")) ;;\n"
    "\t\tlogs) COMPREPLY=($(compgen -W \"$(_kubectl_lite_names pods '')\" -- \"$cur\")) ;;\n"
    "\t\t*)\n"
    "\t\t\tif [[ $cur == */* ]]; then COMPREPLY=($(compgen -W \"$(_kubectl_lite_names \"${cur%%/*}\" "
    "\"${cur%%/*}/\")\" -- \"$cur\"))\n"
    "\t\t\telif ((operands == 0)); then COMPREPLY=($(compgen -W \"$_kubectl_lite_types\" -- \"$cur\"))\n"
    "\t\t\telse COMPREPLY=($(compgen -W \"$(_kubectl_lite_names \"$type\" '')\" -- \"$cur\")); fi ;;\n"
    "\t\tesac\n"
    "\tfi\n"
    "}\n"
    "complete -o default -F _kubectl_lite kubectl-lite\n";

static int run_completion(char **args, size_t n_args)
{
	if (n_args != 1)
		return command_usage_error("completion",
					   n_args ? "Too many arguments. Expected only the shell type."
						  : "Shell not specified.");
	if (strcmp(args[0], "bash") != 0)
		return command_usage_error("completion", "Unsupported shell type \"%s\".", args[0]);
	fputs(bash_head, stdout);
	printf("\t\t'') words=\"");
	for (const struct command *const *c = commands; *c; c++)
		printf("%s%s", c == commands ? "" : " ", (*c)->name);
	puts("\" ;;");
	print_tables(commands, "");
	puts("\tesac\n\tprintf '%s|%s' \"$words\" \"$flags\"\n}");
	printf("_kubectl_lite_types=\"");
	print_types();
	printf("\"\n_kubectl_lite_global=\"");
	print_flag_words(session_flags);
	puts("\"");
	fputs(bash_names, stdout);
	fputs(bash_tail, stdout);
	printf("\t\t--kubeconfig");
	print_value_flags(session_flags);
	print_all_value_flags(commands);
	puts(") skip=$word ;;");
	fputs(bash_end, stdout);
	return 0;
}

const struct command command_completion = {
	.name = "completion",
	.about = "Print a script that completes words in a shell",
	.usage = "completion bash",
	.help = "Examples:\n"
		"  source <(kubectl-lite completion bash)\n",
	.run = run_completion,
};
