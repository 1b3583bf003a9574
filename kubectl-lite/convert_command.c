#include <stdio.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/manifest.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"

static struct {
	struct string_list files;
	bool recursive;
	const char *output;
} flags = { .output = "yaml" };

static const struct flag convert_flags[] = {
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE", "files, folders or - (standard input)", NULL,
	  NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "yaml (default), json or name", NULL, NULL },
	{ 0 },
};

static int run_convert(char **args, size_t n_args)
{
	struct manifest *manifests = NULL;
	struct output output;
	struct err err = ERR_INIT;
	size_t n = 0, bad = 0;

	if (n_args)
		return command_usage_error("convert", "unexpected argument: %s", args[0]);
	if (!flags.files.n)
		return command_usage_error("convert", "must specify -f");
	session_offline();
	if (output_parse(flags.output, &output, &err) < 0 ||
	    manifests_load(&flags.files, flags.recursive, &manifests, &n, &bad, &err) < 0)
		return session_failed(&err);
	int code = bad > 0;
	for (size_t i = 0; i < n && !code; i++) {
		if (i && output.form == OUTPUT_YAML)
			puts("---");
		if (output_object(&output, manifests[i].resource, manifests[i].object, true, &err) < 0)
			code = session_failed(&err);
	}
	manifests_free(manifests, n);
	output_close(&output);
	return code;
}

const struct command command_convert = {
	.name = "convert",
	.about = "Print manifests of removed API versions in those that replaced them",
	.usage = "convert -f FILE [flags]",
	.help = "apply does the same by itself. What changed is told on standard error.\n\n"
		"Examples:\n"
		"  kubectl-lite convert -f old-book/deployment.yaml\n"
		"  kubectl-lite convert -f old-repository/ -R -o json\n",
	.flags = convert_flags,
	.run = run_convert,
};
