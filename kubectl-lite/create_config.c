/* create configmap, and create secret with a subcommand for each type. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/create.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/key_values.h"
#include "kubectl-lite/session.h"

enum { FILE_MAX_BYTES = 1024 * 1024 };

static struct key_values_flags sources;

static struct {
	const char *type, *cert, *key, *server, *user, *password, *email;
} flags = { .server = "https://index.docker.io/v1/" };

/* What stays to do for an object whose content is there, or could not be had. */
static int finish(struct json_object *obj_taken, int failed, struct err *err, const char *failed_to)
{
	struct json_object *obj = obj_taken;

	if (failed) {
		json_putp(&obj);
		return session_failed(err);
	}
	if (sources.append_hash)
		key_values_append_hash(obj);
	return create_finish(obj, failed_to);
}

/* --- configmap --- */

static int run_configmap(char **args, size_t n_args)
{
	const char *name = create_name("create configmap", args, n_args);
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	struct json_object *map = generate_object("v1", "ConfigMap", name, true);
	return finish(map, key_values_add(map, &sources, &err), &err, "failed to create configmap:");
}

static const struct flag configmap_flags[] = {
	KEY_VALUES_FLAGS(sources),
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_configmap = {
	.name = "configmap",
	.alias = "cm",
	.about = "Create a ConfigMap: settings for pods",
	.usage = "create configmap NAME [--from-file=[KEY=]FILE] [--from-literal=KEY=VALUE] "
		 "[--from-env-file=FILE]",
	.help = "Examples:\n"
		"  kubectl-lite create configmap settings --from-literal=mode=fast --from-literal=size=3\n"
		"  kubectl-lite create configmap pages --from-file=index.html --from-file=style=css/a.css\n"
		"  kubectl-lite create configmap folder --from-file=conf.d/ --append-hash\n"
		"  kubectl-lite create configmap env --from-env-file=.env\n",
	.flags = configmap_flags,
	.run = run_configmap,
};

/* --- secret generic --- */

/* A Secret of TYPE; NULL: of none in particular. */
static struct json_object *new_secret(const char *name, const char *type)
{
	struct json_object *secret = generate_object("v1", "Secret", name, true);

	if (type)
		json_set_str(secret, "type", type);
	return secret;
}

static int run_generic(char **args, size_t n_args)
{
	const char *name = create_name("create secret generic", args, n_args);
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	struct json_object *secret = new_secret(name, flags.type);
	return finish(secret, key_values_add(secret, &sources, &err), &err, "failed to create secret");
}

static const struct flag generic_flags[] = {
	KEY_VALUES_FLAGS(sources),
	{ "type", 0, FLAG_STRING, &flags.type, "TYPE", "what kind of Secret (default Opaque)", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

static const struct command generic = {
	.name = "generic",
	.about = "Create a Secret from files or values",
	.usage = "create secret generic NAME [--from-file=[KEY=]FILE] [--from-literal=KEY=VALUE] "
		 "[--from-env-file=FILE] [--type=TYPE]",
	.help = "Examples:\n"
		"  kubectl-lite create secret generic db --from-literal=user=web "
		"--from-file=password=./password.txt\n",
	.flags = generic_flags,
	.run = run_generic,
};

/* --- secret tls --- */

static int read_pem(const char *path, struct buf *ret, struct err *err)
{
	if (buf_read_file(ret, path, FILE_MAX_BYTES, NULL) == 0)
		return 0;
	return err_set(err, ERR_PARSE, "Cannot read file %s, open %s: %s", path, path,
		       errno == ENOENT ? "no such file or directory" : strerror(errno));
}

static int check_pair(const struct buf *cert, const struct buf *key, struct err *err)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t cert_text = { (unsigned char *)cert->data, (unsigned)cert->len };
	gnutls_datum_t key_text = { (unsigned char *)key->data, (unsigned)key->len };

	if (!cert->data || !strstr(cert->data, "-----BEGIN"))
		return err_set(err, ERR_PARSE, "tls: failed to find any PEM data in certificate input");
	if (!key->data || !strstr(key->data, "-----BEGIN"))
		return err_set(err, ERR_PARSE, "tls: failed to find any PEM data in key input");
	if (gnutls_certificate_allocate_credentials(&credentials) < 0)
		return err_set(err, ERR_INTERNAL, "tls: no memory");
	int code =
	    gnutls_certificate_set_x509_key_mem(credentials, &cert_text, &key_text, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return err_set(err, ERR_PARSE, "tls: private key does not match public key");
	return code < 0 ? err_set(err, ERR_PARSE, "tls: %s", gnutls_strerror(code)) : 0;
}

static int add_pair(struct json_object *secret, struct err *err)
{
	CLEANUP(buf_close) struct buf cert = BUF_INIT, key = BUF_INIT;

	if (read_pem(flags.cert, &cert, err) < 0 || read_pem(flags.key, &key, err) < 0 ||
	    check_pair(&cert, &key, err) < 0 ||
	    key_values_add_one(secret, "tls.crt", cert.data, cert.len, err) < 0)
		return -1;
	return key_values_add_one(secret, "tls.key", key.data, key.len, err);
}

static int run_tls(char **args, size_t n_args)
{
	const char *name = create_name("create secret tls", args, n_args);
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	if (!flags.cert || !flags.key)
		return command_error("key and cert must be specified");
	struct json_object *secret = new_secret(name, "kubernetes.io/tls");
	return finish(secret, add_pair(secret, &err), &err, "failed to create secret");
}

#define HASH_FLAG                                                                                            \
	{                                                                                                    \
		"append-hash", 0, FLAG_BOOL, &sources.append_hash, NULL,                                     \
		    "a hash of the content ends the name", NULL, NULL                                        \
	}

static const struct flag tls_flags[] = {
	{ "cert", 0, FLAG_STRING, &flags.cert, "FILE", "the certificate, PEM (needed)", NULL, NULL },
	{ "key", 0, FLAG_STRING, &flags.key, "FILE", "its private key, PEM (needed)", NULL, NULL },
	HASH_FLAG,
	WRITE_CREATE_FLAGS,
	{ 0 },
};

static const struct command tls = {
	.name = "tls",
	.about = "Create a Secret of a certificate and its key",
	.usage = "create secret tls NAME --cert=FILE --key=FILE",
	.help = "Both are read and must belong together.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite create secret tls web --cert=web.crt --key=web.key\n",
	.flags = tls_flags,
	.run = run_tls,
};

/* --- secret docker-registry --- */

#define DOCKER_CONFIG ".dockerconfigjson"

/* The configuration file that `docker login` writes. */
static int add_login(struct json_object *secret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *config = json_object_new_object();
	CLEANUP(mem_freep) char *pair = mem_printf("%s:%s", flags.user, flags.password);
	CLEANUP(buf_close) struct buf text = BUF_INIT, auth = BUF_INIT;
	struct json_object *login = json_ensure_object(json_ensure_object(config, "auths"), flags.server);

	json_set_str(login, "username", flags.user);
	json_set_str(login, "password", flags.password);
	if (flags.email && *flags.email)
		json_set_str(login, "email", flags.email);
	buf_base64(&auth, pair, strlen(pair));
	json_set_str(login, "auth", auth.data);
	write_go_json(&text, config, false);
	return key_values_add_one(secret, DOCKER_CONFIG, text.data, text.len, err);
}

static int add_registry(struct json_object *secret, struct err *err)
{
	if (!sources.files.n)
		return add_login(secret, err);
	for (size_t i = 0; i < sources.files.n; i++)
		if (key_values_add_file(secret, sources.files.items[i], DOCKER_CONFIG, err) < 0)
			return -1;
	return 0;
}

static int run_registry(char **args, size_t n_args)
{
	const char *name = create_name("create secret docker-registry", args, n_args);
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	if (!sources.files.n && !(flags.user && *flags.user && flags.password && *flags.password &&
				  flags.server && *flags.server))
		return command_error("either --from-file or the combination of --docker-username, "
				     "--docker-password and --docker-server is required");
	struct json_object *secret = new_secret(name, "kubernetes.io/dockerconfigjson");
	return finish(secret, add_registry(secret, &err), &err, "failed to create secret");
}

static const struct flag registry_flags[] = {
	{ "docker-username", 0, FLAG_STRING, &flags.user, "NAME", "who logs in", NULL, NULL },
	{ "docker-password", 0, FLAG_STRING, &flags.password, "PASSWORD", "with what", NULL, NULL },
	{ "docker-email", 0, FLAG_STRING, &flags.email, "ADDRESS", "an address, for old registries", NULL,
	  NULL },
	{ "docker-server", 0, FLAG_STRING, &flags.server, "URL", "where (default Docker Hub)", NULL, NULL },
	{ "from-file", 0, FLAG_LIST, &sources.files, "FILE", "or what docker login wrote", NULL, NULL },
	HASH_FLAG,
	WRITE_CREATE_FLAGS,
	{ 0 },
};

static const struct command registry = {
	.name = "docker-registry",
	.about = "Create a Secret that lets nodes pull images",
	.usage = "create secret docker-registry NAME (--docker-username=NAME --docker-password=PASSWORD "
		 "[--docker-server=URL] | --from-file=FILE)",
	.help = "Pods name it under imagePullSecrets.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite create secret docker-registry pull --docker-server=registry.example.com "
		"--docker-username=ci --docker-password=\"$TOKEN\"\n"
		"  kubectl-lite create secret docker-registry pull --from-file=$HOME/.docker/config.json\n",
	.flags = registry_flags,
	.run = run_registry,
};

static const struct command *const types[] = { &registry, &generic, &tls, NULL };

const struct command create_secret = {
	.name = "secret",
	.about = "Create a Secret",
	.usage = "create secret TYPE NAME [flags]",
	.subcommands = types,
};
