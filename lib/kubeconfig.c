#include "lib/kubeconfig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/impersonation.h"
#include "lib/mem.h"
#include "lib/yaml.h"

#define MAX_CONFIG_BYTES ((size_t)4 << 20)
#define MAX_PEM_BYTES    ((size_t)1 << 20)

/* The three lists of named entries: each row of LISTS is an array of {"name": ..., ENTRY: {...}}. */
static const struct list {
	const char *key;   /* in the file */
	const char *entry; /* member that holds the content */
	const char *noun;  /* in kubectl's messages */
	const char *paths[4];
} lists[] = {
	{ "clusters", "cluster", "cluster", { "certificate-authority" } },
	{ "contexts", "context", "context", { NULL } },
	{ "users", "user", "auth info", { "client-certificate", "client-key", "tokenFile" } },
};
enum { CLUSTERS, CONTEXTS, USERS };

static int check_string(const char *name, const struct json_object *obj, const char *key, struct err *err)
{
	struct json_object *value = json_get(obj, key);

	if (value && !json_object_is_type(value, json_type_string))
		return err_set(err, ERR_PARSE, "%s: %s: expected a string", name, key);
	return 0;
}

static int check_list(const char *name, const struct json_object *config, const struct list *list,
		      struct err *err)
{
	struct json_object *array = json_get(config, list->key);

	if (!array)
		return 0;
	if (!json_object_is_type(array, json_type_array))
		return err_set(err, ERR_PARSE, "%s: %s: expected a list", name, list->key);
	for (size_t i = 0; i < json_len(array); i++) {
		struct json_object *row = json_at(array, i);
		struct json_object *entry = json_get(row, list->entry);

		if (!json_str(row, "name"))
			return err_set(err, ERR_PARSE, "%s: %s[%zu].name: expected a string", name, list->key,
				       i);
		if (entry && !json_object_is_type(entry, json_type_object))
			return err_set(err, ERR_PARSE, "%s: %s[%zu].%s: expected an object", name, list->key,
				       i, list->entry);
		if (!entry)
			continue;
		json_object_object_foreach(entry, key, value)
		{
			bool wants_bool = strcmp(key, "insecure-skip-tls-verify") == 0 ||
					  strcmp(key, "disable-compression") == 0;
			bool wants_other = strcmp(key, "extensions") == 0 || strcmp(key, "exec") == 0 ||
					   strcmp(key, "auth-provider") == 0 ||
					   strcmp(key, "as-groups") == 0 || strcmp(key, "as-user-extra") == 0;
			enum json_type wanted = wants_bool ? json_type_boolean : json_type_string;

			if (value && !wants_other && json_object_get_type(value) != wanted)
				return err_set(err, ERR_PARSE, "%s: %s[%zu].%s.%s: expected a %s", name,
					       list->key, i, list->entry, key,
					       wants_bool ? "boolean" : "string");
		}
	}
	return 0;
}

int kubeconfig_parse(const char *name, const char *text, size_t len, struct json_object **ret,
		     struct err *err)
{
	CLEANUP(json_putp) struct json_object *config = NULL;
	struct yaml_doc *docs = NULL;
	size_t n = 0;

	if (yaml_parse(name, text, len, &docs, &n, err) < 0)
		return -1;
	/* client-go reads the first document and ignores the rest. */
	if (n > 0)
		config = json_object_get(docs[0].value);
	yaml_docs_free(docs, n);
	if (!config)
		config = json_object_new_object();
	if (!json_object_is_type(config, json_type_object))
		return err_set(err, ERR_PARSE, "%s: not a kubeconfig: expected an object", name);
	if (check_string(name, config, "apiVersion", err) < 0 ||
	    check_string(name, config, "kind", err) < 0 ||
	    check_string(name, config, "current-context", err) < 0)
		return -1;
	const char *version = json_str(config, "apiVersion");
	const char *kind = json_str(config, "kind");
	if ((version && *version && strcmp(version, "v1") != 0) ||
	    (kind && *kind && strcmp(kind, "Config") != 0))
		return err_set(err, ERR_PARSE, "%s: no kind \"%s\" is registered for version \"%s\"", name,
			       kind ? kind : "", version ? version : "");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (check_list(name, config, &lists[i], err) < 0)
			return -1;
	}
	*ret = TAKE(config);
	return 0;
}

/* The row of CONFIG's list with that name, or NULL. */
static struct json_object *find_row(const struct json_object *config, const struct list *list,
				    const char *name)
{
	struct json_object *array = json_get(config, list->key);

	for (size_t i = 0; i < json_len(array); i++) {
		struct json_object *row = json_at(array, i);

		if (strcmp(json_str_or_empty(row, "name"), name) == 0)
			return row;
	}
	return NULL;
}

/* Makes the row's relative paths relative to the folder of the file PATH. */
static void resolve_paths(struct json_object *row, const struct list *list, const char *path)
{
	struct json_object *entry = json_get(row, list->entry);
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; entry && slash && i < ARRAY_SIZE(list->paths) && list->paths[i]; i++) {
		const char *value = json_str(entry, list->paths[i]);

		if (!value || !*value || *value == '/')
			continue;
		CLEANUP(mem_freep) char *full = mem_printf("%.*s/%s", (int)(slash - path), path, value);
		json_set_str(entry, list->paths[i], full);
	}
}

/* Merges FILE's content into MERGED: what came first stays. */
static void merge(struct json_object *merged, const struct json_object *file, const char *path)
{
	const char *current = json_str_or_empty(file, "current-context");

	if (!*json_str_or_empty(merged, "current-context") && *current)
		json_set_str(merged, "current-context", current);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct json_object *array = json_get(file, lists[i].key);

		for (size_t j = 0; j < json_len(array); j++) {
			struct json_object *row = json_at(array, j);

			if (find_row(merged, &lists[i], json_str_or_empty(row, "name")))
				continue;
			row = json_clone(row);
			resolve_paths(row, &lists[i], path);
			json_object_array_add(json_ensure_array(merged, lists[i].key), row);
		}
	}
}

/* Reads PATH into MERGED. A missing file is an error only when REQUIRED. */
static int merge_file(struct json_object *merged, const char *path, bool required, bool *found,
		      struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(json_putp) struct json_object *file = NULL;
	CLEANUP(mem_freep) char *cwd = NULL;
	CLEANUP(mem_freep) char *full = NULL;

	if (access(path, F_OK) < 0 && errno == ENOENT) {
		if (required)
			return err_set(err, ERR_NOT_FOUND, "stat %s: no such file or directory", path);
		return 0;
	}
	if (buf_read_file(&text, path, MAX_CONFIG_BYTES, err) < 0)
		return err_wrap(err, "error loading config file \"%s\"", path);
	if (kubeconfig_parse(path, text.data ? text.data : "", text.len, &file, err) < 0)
		return err_wrap(err, "error loading config file");
	/* Paths are relative to where the file was named, not to where a symbolic link leads. */
	cwd = *path == '/' ? NULL : getcwd(NULL, 0);
	full = cwd ? mem_printf("%s/%s", cwd, path) : mem_dup(path);
	merge(merged, file, full);
	*found = true;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strcmp(json_str_or_empty(*x, "name"), json_str_or_empty(*y, "name"));
}

static int load_merged(const struct kubeconfig_overrides *overrides, struct json_object **ret,
		       bool *ret_found, struct err *err)
{
	CLEANUP(json_putp) struct json_object *merged = json_object_new_object();
	const char *env = getenv("KUBECONFIG");
	bool found = false;

	if (overrides->path && *overrides->path) {
		if (merge_file(merged, overrides->path, true, &found, err) < 0)
			return -1;
	} else if (env && *env) {
		CLEANUP(mem_freep) char *copy = mem_dup(env);
		char *rest = copy;

		for (char *path; (path = strsep(&rest, ":"));) {
			if (*path && merge_file(merged, path, false, &found, err) < 0)
				return -1;
		}
	} else {
		const char *home = getenv("HOME");
		CLEANUP(mem_freep) char *path = mem_printf("%s/.kube/config", home ? home : "");

		if (home && merge_file(merged, path, false, &found, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct json_object *array = json_get(merged, lists[i].key);

		if (array)
			json_object_array_sort(array, by_name);
	}
	*ret = TAKE(merged);
	*ret_found = found;
	return 0;
}

/* What the named row of a list holds; NAME empty: *ret is NULL. */
static int find_entry(const struct json_object *config, const struct list *list, const char *name,
		      struct json_object **ret, struct err *err)
{
	struct json_object *row = NULL;

	if (name && *name) {
		row = find_row(config, list, name);
		if (!row)
			return err_set(err, ERR_NOT_FOUND, "%s \"%s\" does not exist", list->noun, name);
	}
	*ret = json_get(row, list->entry);
	return 0;
}

static int read_pem(const char *path, const char *what, char **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (buf_read_file(&text, path, MAX_PEM_BYTES, err) < 0)
		return err_wrap(err, "unable to read %s %s", what, path);
	free(*ret);
	*ret = buf_take(&text);
	return 0;
}

/* A PEM text that ENTRY gives as base64 in KEY-data or as a file in KEY; the former wins. */
static int read_entry_pem(const struct json_object *entry, const char *key, char **ret, struct err *err)
{
	CLEANUP(mem_freep) char *data_key = mem_printf("%s-data", key);
	const char *data = json_str(entry, data_key);
	const char *path = json_str(entry, key);

	if (data && *data) {
		CLEANUP(buf_close) struct buf text = BUF_INIT_MAX(MAX_PEM_BYTES);

		if (buf_base64_decode(data, strlen(data), &text, err) < 0)
			return err_wrap(err, "%s", data_key);
		*ret = buf_take(&text);
		return 0;
	}
	if (path && *path)
		return read_pem(path, key, ret, err);
	return 0;
}

static int resolve_cluster(const struct json_object *cluster, const struct kubeconfig_overrides *overrides,
			   struct kubeconfig *config, struct err *err)
{
	const char *server = overrides->server ? overrides->server : json_str_or_empty(cluster, "server");
	const char *name = overrides->tls_server_name ? overrides->tls_server_name
						      : json_str_or_empty(cluster, "tls-server-name");
	size_t len = strlen(server);

	while (len > 0 && server[len - 1] == '/')
		len--;
	if (len == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "invalid configuration: no server is named; set KUBECONFIG or pass "
			       "--kubeconfig or --server");
	config->server =
	    strstr(server, "://") ? mem_dupn(server, len) : mem_printf("https://%.*s", (int)len, server);
	config->tls_server_name = *name ? mem_dup(name) : NULL;
	config->insecure_skip_verify = json_boolean(cluster, "insecure-skip-tls-verify", false);
	if (overrides->insecure_skip_tls_verify) {
		config->insecure_skip_verify = true;
		return 0; /* and no CA, as one excludes the other */
	}
	if (overrides->certificate_authority) {
		config->insecure_skip_verify = false;
		return read_pem(overrides->certificate_authority, "certificate-authority", &config->ca_pem,
				err);
	}
	if (read_entry_pem(cluster, "certificate-authority", &config->ca_pem, err) < 0)
		return -1;
	if (config->insecure_skip_verify && config->ca_pem)
		return err_set(err, ERR_BAD_REQUEST,
			       "specifying a root certificates file with the insecure flag is not allowed");
	return 0;
}

static int resolve_token(const struct json_object *user, const struct kubeconfig_overrides *overrides,
			 struct kubeconfig *config, struct err *err)
{
	const char *token = overrides->token ? overrides->token : json_str_or_empty(user, "token");
	const char *path = json_str_or_empty(user, "tokenFile");

	if (!overrides->token && *path) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;

		if (buf_read_file(&text, path, MAX_PEM_BYTES, err) < 0)
			return err_wrap(err, "unable to read tokenFile %s", path);
		while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]))
			text.data[--text.len] = '\0';
		config->token = buf_take(&text);
	} else if (*token) {
		config->token = mem_dup(token);
	}
	/* It becomes a header line. */
	if (config->token && strpbrk(config->token, "\r\n"))
		return err_set(err, ERR_BAD_REQUEST, "the bearer token has more than one line");
	return 0;
}

static int resolve_user(const char *name, const struct json_object *user,
			const struct kubeconfig_overrides *overrides, struct kubeconfig *config,
			struct err *err)
{
	static const char *const refused[][2] = {
		{ "exec", "exec credential plugins are" },
		{ "auth-provider", "auth-provider plugins are" },
		{ "username", "basic authentication is" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (json_get(user, refused[i][0]) && !overrides->token && !overrides->client_certificate)
			return err_set(err, ERR_BAD_REQUEST, "user \"%s\": %s not supported", name,
				       refused[i][1]);
	}
	CLEANUP(buf_close) struct buf lines = BUF_INIT;
	if (resolve_token(user, overrides, config, err) < 0 ||
	    impersonation_write(user, name, overrides, &lines, err) < 0)
		return -1;
	config->impersonation = lines.len ? buf_take(&lines) : NULL;
	if (overrides->client_certificate
		? read_pem(overrides->client_certificate, "client-certificate", &config->cert_pem, err) < 0
		: read_entry_pem(user, "client-certificate", &config->cert_pem, err) < 0)
		return -1;
	if (overrides->client_key ? read_pem(overrides->client_key, "client-key", &config->key_pem, err) < 0
				  : read_entry_pem(user, "client-key", &config->key_pem, err) < 0)
		return -1;
	if (!config->cert_pem != !config->key_pem)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "invalid configuration: client-%s-data or client-%s must be specified for %s to use the "
		    "clientCert authentication method",
		    config->cert_pem ? "key" : "certificate", config->cert_pem ? "key" : "certificate", name);
	return 0;
}

int kubeconfig_load(const struct kubeconfig_overrides *overrides, struct kubeconfig *ret, struct err *err)
{
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	CLEANUP(json_putp) struct json_object *merged = NULL;
	struct json_object *context, *cluster, *user;
	bool found;

	if (load_merged(overrides, &merged, &found, err) < 0)
		return -1;
	if (!found && !overrides->server)
		return err_set(err, ERR_NOT_FOUND,
			       "no configuration has been provided, try setting KUBECONFIG");
	const char *context_name =
	    overrides->context ? overrides->context : json_str_or_empty(merged, "current-context");
	if (find_entry(merged, &lists[CONTEXTS], context_name, &context, err) < 0)
		return -1;
	const char *cluster_name =
	    overrides->cluster ? overrides->cluster : json_str_or_empty(context, "cluster");
	const char *user_name = overrides->user ? overrides->user : json_str_or_empty(context, "user");
	if (find_entry(merged, &lists[CLUSTERS], cluster_name, &cluster, err) < 0 ||
	    find_entry(merged, &lists[USERS], user_name, &user, err) < 0)
		return -1;
	const char *namespace_ =
	    overrides->namespace_ ? overrides->namespace_ : json_str_or_empty(context, "namespace");
	config.context = mem_dup(context_name);
	config.user = mem_dup(user_name);
	config.namespace_ = mem_dup(*namespace_ ? namespace_ : "default");
	if (resolve_cluster(cluster, overrides, &config, err) < 0 ||
	    resolve_user(user_name, user, overrides, &config, err) < 0)
		return -1;
	*ret = config;
	config = (struct kubeconfig){ 0 };
	return 0;
}

static void free_secret(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void kubeconfig_close(struct kubeconfig *config)
{
	free(config->context);
	free(config->server);
	free(config->namespace_);
	free(config->user);
	free(config->ca_pem);
	free(config->cert_pem);
	free_secret(config->key_pem);
	free_secret(config->token);
	free(config->impersonation);
	free(config->tls_server_name);
	*config = (struct kubeconfig){ 0 };
}

static void redact(struct json_object *row, const struct list *list)
{
	static const struct {
		const char *key, *shown;
	} secrets[] = {
		{ "certificate-authority-data", "DATA+OMITTED" },
		{ "client-certificate-data", "DATA+OMITTED" },
		{ "client-key-data", "DATA+OMITTED" },
		{ "token", "REDACTED" },
		{ "password", "REDACTED" },
	};
	struct json_object *entry = json_get(row, list->entry);

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		if (*json_str_or_empty(entry, secrets[i].key))
			json_set_str(entry, secrets[i].key, secrets[i].shown);
	}
}

int kubeconfig_view(const struct kubeconfig_overrides *overrides, bool raw, bool minify,
		    struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *merged = NULL;
	const char *keep[ARRAY_SIZE(lists)] = { NULL };
	bool found;

	if (load_merged(overrides, &merged, &found, err) < 0)
		return -1;
	if (overrides->context)
		json_set_str(merged, "current-context", overrides->context);
	if (minify) {
		const char *current = json_str_or_empty(merged, "current-context");
		struct json_object *context;

		if (!*current)
			return err_set(err, ERR_BAD_REQUEST, "current-context must exist in order to minify");
		if (find_entry(merged, &lists[CONTEXTS], current, &context, err) < 0)
			return err_set(err, ERR_NOT_FOUND, "cannot locate context %s", current);
		keep[CONTEXTS] = current;
		keep[CLUSTERS] = json_str_or_empty(context, "cluster");
		keep[USERS] = json_str_or_empty(context, "user");
	}

	struct json_object *view = json_object_new_object();
	json_set_str(view, "apiVersion", "v1");
	json_set_str(view, "kind", "Config");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct json_object *array = json_get(merged, lists[i].key);
		struct json_object *shown = NULL; /* null when there are none, as kubectl prints */

		for (size_t j = 0; j < json_len(array); j++) {
			struct json_object *row = json_at(array, j);

			if (keep[i] && strcmp(json_str_or_empty(row, "name"), keep[i]) != 0)
				continue;
			row = json_clone(row);
			if (!raw)
				redact(row, &lists[i]);
			if (!shown)
				shown = json_object_new_array();
			json_object_array_add(shown, row);
		}
		json_object_object_add(view, lists[i].key, shown);
	}
	json_set_str(view, "current-context", json_str_or_empty(merged, "current-context"));
	json_object_object_add(view, "preferences", json_object_new_object());
	*ret = view;
	return 0;
}
