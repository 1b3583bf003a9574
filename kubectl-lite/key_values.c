#include "kubectl-lite/key_values.h"

#include <dirent.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/validate.h"
#include "kubectl-lite/write.h"

enum { FILE_MAX_BYTES = 3 * 1024 * 1024 }; /* more the server would not take */

static bool is_secret(const struct json_object *obj)
{
	return strcmp(json_str_or_empty(obj, "kind"), "Secret") == 0;
}

static bool is_utf8(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = (unsigned char)text[i] < 0x80 ? 1 : buf_utf8_length(text + i, len - i);
		if (!n)
			return false;
		i += n;
	}
	return true;
}

static int check_key(const struct json_object *obj, const char *key, struct err *err)
{
	const char *name = json_str_or_empty(json_get(obj, "metadata"), "name");
	CLEANUP(buf_close) struct buf texts = BUF_INIT;
	struct name_faults faults = { 0 };

	name_check_config_key(key, &faults);
	for (size_t i = 0; i < faults.n; i++)
		buf_printf(&texts, "%s%s", i ? "," : "", faults.text[i]);
	if (faults.n && is_secret(obj))
		return err_set(err, ERR_PARSE, "\"%s\" is not valid key name for a Secret %s", key,
			       texts.data);
	if (faults.n)
		return err_set(err, ERR_PARSE, "\"%s\" is not a valid key name for a ConfigMap: %s", key,
			       texts.data);
	if (is_secret(obj) && json_get(json_get(obj, "data"), key))
		return err_set(err, ERR_PARSE, "cannot add key %s, another key by that name already exists",
			       key);
	if (json_get(json_get(obj, "data"), key))
		return err_set(err, ERR_PARSE,
			       "cannot add key \"%s\", another key by that name already exists in Data for "
			       "ConfigMap \"%s\"",
			       key, name);
	if (json_get(json_get(obj, "binaryData"), key))
		return err_set(err, ERR_PARSE,
			       "cannot add key \"%s\", another key by that name already exists in BinaryData "
			       "for ConfigMap \"%s\"",
			       key, name);
	return 0;
}

int key_values_add_one(struct json_object *obj, const char *key, const void *value, size_t len,
		       struct err *err)
{
	bool text = !is_secret(obj) && is_utf8(value, len);
	CLEANUP(buf_close) struct buf encoded = BUF_INIT;

	if (check_key(obj, key, err) < 0)
		return -1;
	if (!text)
		buf_base64(&encoded, value, len);
	struct json_object *data = json_ensure_object(obj, text || is_secret(obj) ? "data" : "binaryData");
	json_set(data, key,
		 text ? json_object_new_string_len(value, (int)len)
		      : json_object_new_string(encoded.data ? encoded.data : ""));
	return 0;
}

/* --- --from-file --- */

static int add_file(struct json_object *obj, const char *key, const char *path, struct err *err)
{
	CLEANUP(buf_close) struct buf content = BUF_INIT;

	if (buf_read_file(&content, path, FILE_MAX_BYTES, err) < 0)
		return -1;
	return key_values_add_one(obj, key, content.data ? content.data : "", content.len, err);
}

/* The regular files of a folder, each under its name. */
static int add_folder(struct json_object *obj, const char *path, struct err *err)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), failed = 0;

	if (n < 0)
		return err_set_errno(err, errno, "error listing files in %s", path);
	for (int i = 0; i < n; i++) {
		CLEANUP(mem_freep) char *child = mem_printf("%s/%s", path, entries[i]->d_name);
		struct stat st;
		if (!failed && lstat(child, &st) == 0 && S_ISREG(st.st_mode))
			failed = add_file(obj, entries[i]->d_name, child, err);
		free(entries[i]);
	}
	free(entries);
	return failed;
}

/* strerror's words as Go has them. */
static int cannot_read(const char *path, struct err *err)
{
	CLEANUP(mem_freep) char *why = mem_dup(strerror(errno));

	if (*why >= 'A' && *why <= 'Z')
		*why = (char)(*why + ('a' - 'A'));
	return err_set(err, ERR_PARSE, "error reading %s: %s", path, why);
}

int key_values_add_file(struct json_object *obj, const char *source, const char *key, struct err *err)
{
	const char *equals = strchr(source, '='), *path = equals ? equals + 1 : source;
	CLEANUP(mem_freep) char *own = equals ? mem_dupn(source, (size_t)(equals - source)) : NULL;
	struct stat st;

	if (equals && strchr(path, '='))
		return err_set(err, ERR_PARSE, "key names or file paths cannot contain '='");
	if (equals == source)
		return err_set(err, ERR_PARSE, "key name for file path %s missing", path);
	if (!*path)
		return err_set(err, ERR_PARSE, "file path for key name %s missing", own ? own : "");
	if (stat(path, &st) < 0)
		return cannot_read(path, err);
	if (S_ISDIR(st.st_mode) && own)
		return err_set(err, ERR_PARSE, "cannot give a key name for a directory path");
	if (S_ISDIR(st.st_mode))
		return add_folder(obj, path, err);
	const char *slash = strrchr(path, '/');
	return add_file(obj, own ? own : key ? key : slash ? slash + 1 : path, path, err);
}

/* --- --from-literal, --from-env-file --- */

static int add_literal(struct json_object *obj, const char *literal, struct err *err)
{
	const char *equals = strchr(literal, '=');

	if (!equals || equals == literal)
		return err_set(err, ERR_PARSE, "invalid literal source %s, expected key=value", literal);
	CLEANUP(mem_freep) char *key = mem_dupn(literal, (size_t)(equals - literal));
	return key_values_add_one(obj, key, equals + 1, strlen(equals + 1), err);
}

/* Letters, digits, '-', '_' and '.', and no digit first. */
static bool is_variable(const char *name)
{
	static const char allowed[] = "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	return *name && strspn(name, allowed) == strlen(name) && !(*name >= '0' && *name <= '9') &&
	       strcmp(name, ".") != 0 && strncmp(name, "..", 2) != 0;
}

int key_values_check_variable(const char *name, struct err *err)
{
	if (is_variable(name))
		return 0;
	return err_set(
	    err, ERR_PARSE,
	    "\"%s\" is not a valid key name: a valid environment variable name must consist of "
	    "alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. "
	    "'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
	    "'[-._a-zA-Z][-._a-zA-Z0-9]*')",
	    name);
}

/* KEY=VALUE, or KEY: what it is in our own environment. */
static int add_variable(struct json_object *obj, char *line, struct err *err)
{
	char *key = line + strspn(line, " \t\v\f\r"), *value = strchr(key, '=');

	if (!*key || *key == '#')
		return 0;
	if (value)
		*value++ = '\0';
	if (key_values_check_variable(key, err) < 0)
		return -1;
	if (!value)
		value = getenv(key);
	return key_values_add_one(obj, key, value ? value : "", value ? strlen(value) : 0, err);
}

static int add_env_file(struct json_object *obj, const char *path, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct stat st;

	if (stat(path, &st) < 0)
		return cannot_read(path, err);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_PARSE, "env %s file cannot be a directory",
			       is_secret(obj) ? "secret" : "config");
	if (buf_read_file(&text, path, FILE_MAX_BYTES, err) < 0)
		return -1;
	if (!is_utf8(text.data ? text.data : "", text.len))
		return err_set(err, ERR_PARSE, "env file %s contains invalid utf-8 bytes", path);
	for (char *rest = text.data, *line; rest && (line = strsep(&rest, "\n"));) {
		size_t len = strlen(line);
		if (len && line[len - 1] == '\r')
			line[len - 1] = '\0';
		if (add_variable(obj, line, err) < 0)
			return -1;
	}
	return 0;
}

/* --- all together --- */

int key_values_add(struct json_object *obj, const struct key_values_flags *sources, struct err *err)
{
	if (sources->env_files.n && (sources->files.n || sources->literals.n))
		return err_set(err, ERR_PARSE,
			       "from-env-file cannot be combined with from-file or from-literal");
	for (size_t i = 0; i < sources->files.n; i++)
		if (key_values_add_file(obj, sources->files.items[i], NULL, err) < 0)
			return -1;
	for (size_t i = 0; i < sources->literals.n; i++)
		if (add_literal(obj, sources->literals.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < sources->env_files.n; i++)
		if (add_env_file(obj, sources->env_files.items[i], err) < 0)
			return -1;
	return 0;
}

void key_values_append_hash(struct json_object *obj)
{
	CLEANUP(json_putp) struct json_object *content = json_object_new_object();
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct json_object *metadata = json_ensure_object(obj, "metadata"), *data = json_get(obj, "data");
	const char *name = json_str_or_empty(metadata, "name");
	unsigned char digest[32];
	char hash[11];

	json_set_str(content, "kind", json_str(obj, "kind"));
	json_set_str(content, "name", name);
	json_set(content, "data", data ? json_clone(data) : json_object_new_object());
	if (json_get(obj, "binaryData"))
		json_set(content, "binaryData", json_clone(json_get(obj, "binaryData")));
	if (is_secret(obj))
		json_set_str(content, "type", json_str_or_empty(obj, "type"));
	write_go_json(&text, content, true);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text.data, text.len, digest) < 0)
		abort(); /* GnuTLS without SHA-256 speaks no TLS either */
	for (size_t i = 0; i < 5; i++)
		snprintf(hash + 2 * i, 3, "%02x", digest[i]);
	/* Vowels, and digits that look like letters, make words. */
	for (char *p = hash; *p; p++)
		*p = *p == '0'   ? 'g'
		     : *p == '1' ? 'h'
		     : *p == '3' ? 'k'
		     : *p == 'a' ? 'm'
		     : *p == 'e' ? 't'
				 : *p;
	CLEANUP(mem_freep) char *hashed = mem_printf("%s-%s", name, hash);
	json_set_str(metadata, "name", hashed);
}
