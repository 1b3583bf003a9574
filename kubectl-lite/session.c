#include "kubectl-lite/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/causes.h"
#include "kubectl-lite/field_slip.h"
#include "lib/program.h"

static struct kubeconfig_overrides overrides;
static struct session session;
static struct string_list as_groups;
static const char *request_timeout;

const struct flag session_flags[] = {
	{ "kubeconfig", 0, FLAG_STRING, &overrides.path, "FILE", "kubeconfig file to use", NULL, NULL },
	{ "context", 0, FLAG_STRING, &overrides.context, "NAME", "kubeconfig context to use", NULL, NULL },
	{ "cluster", 0, FLAG_STRING, &overrides.cluster, "NAME", "kubeconfig cluster to use", NULL, NULL },
	{ "user", 0, FLAG_STRING, &overrides.user, "NAME", "kubeconfig user to use", NULL, NULL },
	{ "namespace", 'n', FLAG_STRING, &overrides.namespace_, "NAME", "namespace of this request", NULL,
	  NULL },
	{ "server", 's', FLAG_STRING, &overrides.server, "URL", "address of the API server", NULL, NULL },
	{ "token", 0, FLAG_STRING, &overrides.token, "TOKEN", "bearer token to show", NULL, NULL },
	{ "as", 0, FLAG_STRING, &overrides.as, "USER",
	  "whose request it is to be: a user, or system:serviceaccount:NAMESPACE:NAME", NULL, NULL },
	{ "as-group", 0, FLAG_ARRAY, &as_groups, "GROUP", "and of which groups", NULL, NULL },
	{ "as-uid", 0, FLAG_STRING, &overrides.as_uid, "UID", "and of which UID", NULL, NULL },
	{ "certificate-authority", 0, FLAG_STRING, &overrides.certificate_authority, "FILE",
	  "authority that signed the server's certificate", NULL, NULL },
	{ "client-certificate", 0, FLAG_STRING, &overrides.client_certificate, "FILE", "client certificate",
	  NULL, NULL },
	{ "client-key", 0, FLAG_STRING, &overrides.client_key, "FILE", "its key", NULL, NULL },
	{ "tls-server-name", 0, FLAG_STRING, &overrides.tls_server_name, "NAME",
	  "name to expect in the server's certificate", NULL, NULL },
	{ "insecure-skip-tls-verify", 0, FLAG_BOOL, &overrides.insecure_skip_tls_verify, NULL,
	  "do not check the server's certificate: insecure", NULL, NULL },
	{ "request-timeout", 0, FLAG_STRING, &request_timeout, "DURATION",
	  "accepted as kubectl does; requests end after 30s", NULL, NULL },
	{ 0 },
};

struct session *session_open(void)
{
	struct err err = ERR_INIT;

	if (session.client)
		return &session;
	overrides.as_groups = as_groups.items;
	overrides.n_as_groups = as_groups.n;
	if (kubeconfig_load(&overrides, &session.config, &err) < 0 || !(session.loop = loop_new(&err)) ||
	    !(session.client =
		  api_client_new_ahead(session.loop, &session.config, "kubectl-lite/" KNARR_VERSION, &err)))
		exit(session_failed(&err));
	return &session;
}

static bool offline;

void session_offline(void)
{
	offline = true;
}

bool session_is_offline(void)
{
	return offline;
}

const char *session_namespace(void)
{
	if (offline)
		return overrides.namespace_ ? overrides.namespace_ : "default";
	return session_open()->config.namespace_;
}

bool session_namespace_given(void)
{
	return overrides.namespace_ != NULL;
}

const struct kubeconfig_overrides *session_overrides(void)
{
	return &overrides;
}

void session_path(struct buf *b, const struct resource *resource, const char *namespace_, const char *name,
		  const char *subresource, const char *query)
{
	buf_printf(b, "%s/%s", *resource->group ? "/apis" : "/api", resource->group_version);
	if (namespace_ && resource->namespaced) {
		buf_str(b, "/namespaces/");
		buf_url_encode(b, namespace_);
	}
	buf_printf(b, "/%s", resource->plural);
	if (name) {
		buf_char(b, '/');
		buf_url_encode(b, name);
	}
	if (subresource)
		buf_printf(b, "/%s", subresource);
	if (query && *query)
		buf_printf(b, "?%s", query);
}

int session_do(const char *method, const char *path, const char *accept, const char *content_type,
	       const struct buf *body, struct buf *ret, struct err *err)
{
	CLEANUP(mem_freep) char *warning = NULL;
	int failed = api_client_do(session_open()->client, method, path, accept, content_type,
				   body ? body->data : NULL, body ? body->len : 0, ret, &warning, err);
	char *rest = warning;

	/* A path that is none is answered in plain text. */
	if (failed && err && err->kind == ERR_NOT_FOUND && strstr(err->msg, "404 page not found"))
		err_set(err, ERR_NOT_FOUND, "the server could not find the requested resource");
	for (char *line; rest && (line = strsep(&rest, "\n"));)
		if (*line)
			fprintf(stderr, "Warning: %s\n", line);
	return failed;
}

int session_get(const char *path, struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (session_do("GET", path, NULL, NULL, NULL, &text, err) < 0)
		return -1;
	return json_parse(text.data, text.len, ret, NULL, err);
}

/* Kinds that only the server's Status gives. */
static bool from_server(enum err_kind kind)
{
	return kind != ERR_NONE && kind < ERR_SYSTEM;
}

static void tell_cause(const char *cause, size_t len, void *arg)
{
	fprintf(stderr, "%s%.*s", (const char *)arg, (int)len, cause);
}

/* "Deployment.apps "web" is invalid: ..." as kubectl words it: "The Deployment "web" is invalid: ...",
 * several causes on a line each, and what we were about left out; a patch that is no good has no name. False
 * when MSG is no such. */
static bool tell_invalid(const char *msg)
{
	static const char nameless[] = " \"\" is invalid: ";
	const char *behind = strncmp(msg, "error when ", 11) == 0 ? strstr(msg, "\": ") : NULL;
	size_t n = causes_each(msg, NULL, NULL);

	if (behind)
		msg = behind + 3;
	if (strncmp(msg, nameless, sizeof(nameless) - 1) == 0) {
		fprintf(stderr, "The request is invalid: %s\n", msg + sizeof(nameless) - 1);
		field_slip_tell(msg);
		return true;
	}
	size_t kind = strspn(msg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
	       qualified = strcspn(msg, " "), name = strcspn(msg + qualified, ":");
	if (!kind || !n || msg[qualified] != ' ' || msg[qualified + 1] != '"')
		return false;
	fprintf(stderr, "The %.*s%.*s: ", (int)kind, msg, (int)name, msg + qualified);
	char before[] = "\n* ";
	causes_each(msg, tell_cause, n > 1 ? before : (char[]){ "" });
	fputc('\n', stderr);
	return true;
}

static void tell_server_error(const struct err *err)
{
	fprintf(stderr, "Error from server (%s): %s\n", err_status_reason(err->kind), err->msg);
	field_slip_tell(err->msg);
}

int session_failed(const struct err *err)
{
	const char *server = session.config.server, *host = server ? strstr(server, "://") : NULL;

	if (err->kind == ERR_CONNECTION && (err->errnum == ECONNREFUSED))
		fprintf(
		    stderr,
		    "The connection to the server %s was refused - did you specify the right host or port?\n",
		    host ? host + 3 : "localhost:8080");
	else if (err->kind == ERR_CONNECTION)
		fprintf(stderr, "Unable to connect to the server: %s\n", err->msg);
	else if (session.client && err->kind == ERR_UNAUTHORIZED)
		fprintf(stderr, "error: You must be logged in to the server (Unauthorized)\n");
	else if (session.client && err->kind == ERR_INVALID && tell_invalid(err->msg))
		return 1;
	else if (session.client && from_server(err->kind))
		tell_server_error(err);
	else
		fprintf(stderr, "error: %s\n", err->msg);
	return 1;
}

int command_error(const char *format, ...)
{
	va_list ap;

	fputs("error: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}
