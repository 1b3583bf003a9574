#include "launcher/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/yaml.h"

enum { TOKEN_BYTES = 32, PEM_MAX_BYTES = 64 * 1024 };

static int tokens_ensure(const struct cluster *cluster, struct err *err)
{
	CLEANUP(mem_freep) char *path = cluster_path(cluster, "auth/tokens.csv");
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	unsigned char token[TOKEN_BYTES];

	if (access(path, F_OK) == 0)
		return 0;
	if (getrandom(token, sizeof(token), 0) != sizeof(token))
		return err_set_errno(err, errno, "random numbers");
	for (size_t i = 0; i < sizeof(token); i++)
		buf_printf(&text, "%02x", token[i]);
	buf_str(&text, ",kubernetes-admin,admin,system:masters\n");
	return buf_write_file_atomic(path, text.data, text.len, 0600, err);
}

/* Adds {KEY: {"name": NAME, MEMBER: VALUE}} as kubeconfig's named lists are built. */
static void add_named(struct json_object *config, const char *key, const char *name, const char *member,
		      struct json_object *value_taken)
{
	struct json_object *entry = json_object_new_object();

	json_set_str(entry, "name", name);
	json_set(entry, member, value_taken);
	json_object_array_add(json_ensure_array(config, key), entry);
}

static int set_pem(struct json_object *obj, const char *key, const struct cluster *cluster, const char *file,
		   struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/pki/%s", cluster->dir, file);
	CLEANUP(buf_close) struct buf pem = BUF_INIT, text = BUF_INIT;

	if (buf_read_file(&pem, path, PEM_MAX_BYTES, err) < 0)
		return -1;
	buf_base64(&text, pem.data, pem.len);
	json_set_str(obj, key, text.data);
	return 0;
}

/* A kubeconfig for the client certificate NAME, certificates inside, so that the file can be carried
 * elsewhere. */
static int write_kubeconfig(const struct cluster *cluster, const char *name, const char *user,
			    const char *file, struct err *err)
{
	CLEANUP(mem_freep) char *path = cluster_path(cluster, file);
	CLEANUP(mem_freep) char *crt = mem_printf("%s.crt", name), *key = mem_printf("%s.key", name);
	CLEANUP(mem_freep) char *server = mem_printf("https://%s:%u", cluster->address, cluster->port);
	CLEANUP(mem_freep) char *context_name = mem_printf("%s@knarr", user);
	CLEANUP(json_putp) struct json_object *config = json_object_new_object();
	CLEANUP(json_putp)
	struct json_object *cluster_entry = json_object_new_object(), *user_entry = json_object_new_object();
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	json_set_str(cluster_entry, "server", server);
	if (set_pem(cluster_entry, "certificate-authority-data", cluster, "ca.crt", err) < 0 ||
	    set_pem(user_entry, "client-certificate-data", cluster, crt, err) < 0 ||
	    set_pem(user_entry, "client-key-data", cluster, key, err) < 0)
		return err_wrap(err, "write %s", path);

	struct json_object *context = json_object_new_object();
	json_set_str(context, "cluster", "knarr");
	json_set_str(context, "user", user);
	json_set_str(config, "apiVersion", "v1");
	json_set_str(config, "kind", "Config");
	json_set_str(config, "current-context", context_name);
	add_named(config, "clusters", "knarr", "cluster", TAKE(cluster_entry));
	add_named(config, "users", user, "user", TAKE(user_entry));
	add_named(config, "contexts", context_name, "context", context);
	yaml_write(&text, config);
	return buf_write_file_atomic(path, text.data, text.len, 0600, err);
}

int credentials_ensure(const struct cluster *cluster, struct err *err)
{
	if (tokens_ensure(cluster, err) < 0)
		return -1;
	if (write_kubeconfig(cluster, "admin", "kubernetes-admin", "kubeconfig", err) < 0 ||
	    write_kubeconfig(cluster, "scheduler", "system:kube-scheduler", "auth/scheduler.kubeconfig",
			     err) < 0 ||
	    write_kubeconfig(cluster, "controller", "system:kube-controller-manager",
			     "auth/controller.kubeconfig", err) < 0 ||
	    write_kubeconfig(cluster, "agent", "system:node", "auth/agent.kubeconfig", err) < 0)
		return -1;
	return 0;
}
