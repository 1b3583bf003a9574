#include "launcher/encryption_key.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/timefmt.h"
#include "lib/yaml.h"

enum { CONFIG_MAX_BYTES = 256 * 1024, KEY_BYTES = 32, KEYS_KEPT = 2 };

static char *config_path(const struct cluster *cluster)
{
	return cluster_path(cluster, "pki/encryption.yaml");
}

char *encryption_key_config(const struct cluster *cluster)
{
	CLEANUP(mem_freep) char *path = config_path(cluster);

	return access(path, F_OK) == 0 ? TAKE(path) : NULL;
}

static int new_key(struct json_object **ret, struct err *err)
{
	unsigned char secret[KEY_BYTES];
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(mem_freep) char *name = mem_printf("key-%lld", (long long)(time_now_us() / 1000000));

	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return err_set_errno(err, errno, "random numbers");
	buf_base64(&text, secret, sizeof(secret));
	*ret = json_object_new_object();
	json_set_str(*ret, "name", name);
	json_set_str(*ret, "secret", text.data);
	return 0;
}

/* The keys of the file as it is, or NULL when there is none. */
static int read_keys(const char *path, struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct yaml_doc *docs = NULL;
	size_t n = 0;

	*ret = NULL;
	if (access(path, F_OK) < 0)
		return 0;
	if (buf_read_file(&text, path, CONFIG_MAX_BYTES, err) < 0 ||
	    yaml_parse(path, text.data ? text.data : "", text.len, &docs, &n, err) < 0)
		return -1;
	const struct json_object *rule = json_at(json_get(n ? docs[0].value : NULL, "resources"), 0);
	*ret = json_clone(json_path(json_at(json_get(rule, "providers"), 0), "aesgcm", "keys", NULL));
	yaml_docs_free(docs, n);
	if (!*ret)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "%s is not as this command wrote it: add a key at the head of its list by hand", path);
	return 0;
}

static struct json_object *config_of(struct json_object *keys_taken)
{
	struct json_object *config = json_object_new_object(), *rule = json_object_new_object();
	struct json_object *aesgcm = json_object_new_object(), *identity = json_object_new_object();

	json_set_str(config, "apiVersion", "apiserver.config.k8s.io/v1");
	json_set_str(config, "kind", "EncryptionConfiguration");
	json_object_array_add(json_ensure_array(rule, "resources"), json_object_new_string("secrets"));
	json_set(json_ensure_object(aesgcm, "aesgcm"), "keys", keys_taken);
	json_ensure_object(identity, "identity");
	json_object_array_add(json_ensure_array(rule, "providers"), aesgcm);
	json_object_array_add(json_ensure_array(rule, "providers"), identity);
	json_object_array_add(json_ensure_array(config, "resources"), rule);
	return config;
}

int encryption_key_rotate(const struct cluster *cluster, struct err *err)
{
	CLEANUP(mem_freep) char *path = config_path(cluster);
	CLEANUP(json_putp) struct json_object *old = NULL, *key = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (read_keys(path, &old, err) < 0 || new_key(&key, err) < 0)
		return -1;
	struct json_object *keys = json_object_new_array();
	json_object_array_add(keys, TAKE(key));
	for (size_t i = 0; i < json_len(old) && json_len(keys) < KEYS_KEPT; i++)
		json_object_array_add(keys, json_clone(json_at(old, i)));
	CLEANUP(json_putp) struct json_object *config = config_of(keys);
	yaml_write(&text, config);
	return buf_write_file_atomic(path, text.data, text.len, 0600, err);
}
