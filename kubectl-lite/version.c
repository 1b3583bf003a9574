#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "lib/program.h"

static struct {
	bool client;
	const char *output;
} flags;

static const struct flag version_flags[] = {
	{ "client", 0, FLAG_BOOL, &flags.client, NULL, "only this program's version", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "yaml or json", NULL, NULL },
	{ 0 },
};

static int run_version(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *server = NULL, *all = json_object_new_object();
	struct output output;
	struct err err = ERR_INIT;

	if (n_args)
		return command_usage_error("version", "extra arguments: [%s]", args[0]);
	if (output_parse(flags.output, &output, &err) < 0)
		return session_failed(&err);
	if (output.form != OUTPUT_TABLE && output.form != OUTPUT_YAML && output.form != OUTPUT_JSON) {
		output_close(&output);
		return command_error("--output must be 'yaml' or 'json'");
	}
	int code = !flags.client && session_get("/version", &server, &err) < 0 ? 1 : 0;
	if (output.form == OUTPUT_TABLE) {
		printf("Client Version: %s\n", KNARR_VERSION);
		if (server)
			printf("Server Version: %s\n", json_str_or_empty(server, "gitVersion"));
	} else {
		json_set_str(json_ensure_object(all, "clientVersion"), "gitVersion", KNARR_VERSION);
		if (server)
			json_object_object_add(all, "serverVersion", json_object_get(server));
		output_object(&output, NULL, all, true, NULL);
	}
	fflush(stdout);
	return code ? session_failed(&err) : 0;
}

const struct command command_version = {
	.name = "version",
	.about = "Print the versions of this program and of the server",
	.usage = "version [flags]",
	.flags = version_flags,
	.run = run_version,
};
