/* create token: one for a service account, made by the server and stored nowhere. */
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/create.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/session.h"

enum { SECOND_US = 1000000 };

static struct {
	struct string_list audiences;
	const char *kind, *name, *uid;
	int64_t duration_us;
} flags;

static int check(struct err *err)
{
	static const char *const kinds[] = { "Node", "Pod", "Secret" };
	bool known = !flags.kind;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && flags.kind; i++)
		known = known || strcmp(flags.kind, kinds[i]) == 0;
	if (flags.duration_us < 0)
		return err_set(err, ERR_PARSE, "--duration must be greater than or equal to 0");
	if (flags.duration_us % SECOND_US)
		return err_set(err, ERR_PARSE, "--duration cannot be expressed in units less than seconds");
	if (!flags.kind && flags.name)
		return err_set(err, ERR_PARSE,
			       "--bound-object-name can only be set if --bound-object-kind is provided");
	if (!flags.kind && flags.uid)
		return err_set(err, ERR_PARSE,
			       "--bound-object-uid can only be set if --bound-object-kind is provided");
	if (!known)
		return err_set(err, ERR_PARSE, "supported --bound-object-kind values are Node, Pod, Secret");
	if (flags.kind && !flags.name)
		return err_set(err, ERR_PARSE,
			       "--bound-object-name is required if --bound-object-kind is provided");
	return 0;
}

static struct json_object *make_request(void)
{
	struct json_object *request = json_object_new_object(), *spec, *bound;

	json_set_str(request, "kind", "TokenRequest");
	json_set_str(request, "apiVersion", "authentication.k8s.io/v1");
	spec = json_ensure_object(request, "spec");
	json_set(spec, "audiences", generate_strings(&flags.audiences));
	if (flags.duration_us)
		json_set_int(spec, "expirationSeconds", flags.duration_us / SECOND_US);
	if (flags.kind) {
		bound = json_ensure_object(spec, "boundObjectRef");
		json_set_str(bound, "kind", flags.kind);
		json_set_str(bound, "apiVersion", "v1");
		json_set_str(bound, "name", flags.name);
		if (flags.uid)
			json_set_str(bound, "uid", flags.uid);
	}
	return request;
}

static int request_token(const char *account, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *request = make_request();
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT, answer = BUF_INIT;

	session_path(&path, resource_find("", "v1", "serviceaccounts"), session_namespace(), account, "token",
		     NULL);
	json_write(&body, request);
	if (session_do("POST", path.data, NULL, NULL, &body, &answer, err) < 0)
		return -1;
	return json_parse(answer.data ? answer.data : "", answer.len, ret, NULL, err);
}

static int show(struct write *write, struct json_object *answer, struct err *err)
{
	/* Requests are posted and never listed: they are no resource of the table. */
	const struct resource resource = { .group = "authentication.k8s.io",
					   .singular = "tokenrequest",
					   .def = schema_def_find("authentication.v1.TokenRequest") };
	const char *token = json_str_or_empty(json_get(answer, "status"), "token");

	if (write->output.form != OUTPUT_TABLE)
		return write_show(write, &resource, answer, "created", err);
	if (!*token)
		return err_set(err, ERR_PARSE, "failed to create token: no token in server response");
	puts(token);
	return 0;
}

static int run_token(char **args, size_t n_args)
{
	const char *name = create_name("create token", args, n_args);
	CLEANUP(json_putp) struct json_object *answer = NULL;
	struct write write;
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	if (check(&err) < 0 || write_begin(&write, NULL, &err) < 0)
		return session_failed(&err);
	int code = 0;
	if (request_token(name, &answer, &err) < 0)
		code = command_error("failed to create token: %s", err.msg);
	else if (show(&write, answer, &err) < 0)
		code = session_failed(&err);
	write_end(&write);
	return code;
}

static const struct flag token_flags[] = {
	{ "audience", 0, FLAG_ARRAY, &flags.audiences, "NAME", "for whom it is (default: the API server)",
	  NULL, NULL },
	{ "duration", 0, FLAG_DURATION, &flags.duration_us, "DURATION",
	  "how long it is to hold; the server decides", NULL, NULL },
	{ "bound-object-kind", 0, FLAG_STRING, &flags.kind, "KIND",
	  "it ends with an object: Pod, Secret or Node", NULL, NULL },
	{ "bound-object-name", 0, FLAG_STRING, &flags.name, "NAME", "of this name", NULL, NULL },
	{ "bound-object-uid", 0, FLAG_STRING, &flags.uid, "UID", "and this uid", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &write_flags.output, "FORM",
	  "yaml, json, name or jsonpath=TEMPLATE instead of the token", NULL, NULL },
	{ 0 },
};

const struct command create_token = {
	.name = "token",
	.about = "Ask for a token of a service account",
	.usage = "create token SERVICE_ACCOUNT [--duration=DURATION] [--audience=NAME]",
	.help = "Examples:\n"
		"  kubectl-lite create token robot\n"
		"  kubectl-lite create token robot --duration=10m --audience=vault\n"
		"  kubectl-lite create token robot --bound-object-kind=Pod --bound-object-name=web-0\n",
	.flags = token_flags,
	.run = run_token,
};
