/* kubeconfig files, as kubectl reads them.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
#pragma once

#include <stdbool.h>

#include "lib/err.h"
#include "lib/json.h"

/* One resolved context: where to go, and as whom. Files that it names are read into *_pem. */
struct kubeconfig {
	char *context;
	char *server;     /* "https://127.0.0.1:6443", no trailing slash */
	char *namespace_; /* "default" when the context names none */
	char *user;
	char *ca_pem; /* or NULL */
	char *cert_pem;
	char *key_pem;
	char *token;
	char *impersonation; /* header lines (impersonation.h), or NULL */
	char *tls_server_name;
	bool insecure_skip_verify;
};

/* Overrides from the command line; NULL members do not override. */
struct kubeconfig_overrides {
	const char *path; /* --kubeconfig: only this file. NULL: $KUBECONFIG (list, merged), else
			     ~/.kube/config */
	const char *context;
	const char *cluster;
	const char *user;
	const char *namespace_;
	const char *server;
	const char *token;
	const char *certificate_authority;
	const char *client_certificate;
	const char *client_key;
	const char *tls_server_name;
	const char *as, *as_uid;
	const char *const *as_groups;
	size_t n_as_groups;
	bool insecure_skip_tls_verify;
};

/* Reads and resolves. Errors in kubectl's words ("context \"x\" does not exist", "The connection to the
 * server localhost:8080 was refused" has its cause here: no configuration at all is ERR_NOT_FOUND).
 * Relative paths are relative to the file that names them. Users with exec or auth-provider
 * plugins are refused by name. */
int kubeconfig_load(const struct kubeconfig_overrides *overrides, struct kubeconfig *ret, struct err *err);
void kubeconfig_close(struct kubeconfig *config);
/* The merged file as one JSON value (kind Config) for `config view`; RAW keeps secrets, else they are
 * replaced by DATA+OMITTED and REDACTED; MINIFY keeps the current context only. */
int kubeconfig_view(const struct kubeconfig_overrides *overrides, bool raw, bool minify,
		    struct json_object **ret, struct err *err);
/* Text parsed and checked as one kubeconfig (the fuzzer's entry). NAME stands in messages; paths stay as
 * written. An empty text is an empty configuration. */
int kubeconfig_parse(const char *name, const char *text, size_t len, struct json_object **ret,
		     struct err *err);
