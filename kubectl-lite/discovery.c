#include "kubectl-lite/discovery.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kubectl-lite/session.h"

#define ACCEPT                                                                                               \
	"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"                              \
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"

enum { MAX_AGE_S = 6 * 3600, CACHE_MAX_BYTES = 16 * 1024 * 1024 };

/* --- asking --- */

static void copy_member(const struct json_object *from, const char *key, struct json_object *to)
{
	json_set(to, key, json_object_get(json_get(from, key)));
}

static void read_resource(const struct json_object *resource, const char *group, const char *version,
			  struct json_object *rows)
{
	const char *kind = json_str(json_get(resource, "responseKind"), "kind");
	const struct json_object *subresources = json_get(resource, "subresources");

	if (!kind || !json_str(resource, "resource") || !json_len(json_get(resource, "verbs")))
		return;
	struct json_object *row = json_object_new_object();
	json_object_array_add(rows, row);
	json_set_str(row, "group", group);
	json_set_str(row, "version", version);
	json_set_str(row, "name", json_str(resource, "resource"));
	json_set_str(row, "singularName", json_str_or_empty(resource, "singularResource"));
	json_set_str(row, "kind", kind);
	json_set_bool(row, "namespaced", strcmp(json_str_or_empty(resource, "scope"), "Namespaced") == 0);
	copy_member(resource, "shortNames", row);
	copy_member(resource, "categories", row);
	copy_member(resource, "verbs", row);
	for (size_t i = 0; i < json_len(subresources); i++) {
		const char *name = json_str(json_at(subresources, i), "subresource");
		if (name)
			json_object_array_add(json_ensure_array(row, "subresources"),
					      json_object_new_string(name));
	}
}

void discovery_read(const struct json_object *answer, struct json_object *rows)
{
	const struct json_object *groups = json_get(answer, "items");

	for (size_t g = 0; g < json_len(groups); g++) {
		const struct json_object *group = json_at(groups, g), *versions = json_get(group, "versions");
		const char *name = json_str_or_empty(json_get(group, "metadata"), "name");
		for (size_t v = 0; v < json_len(versions); v++) {
			const struct json_object *version = json_at(versions, v),
						 *resources = json_get(version, "resources");
			const char *version_name = json_str(version, "version");
			for (size_t r = 0; version_name && r < json_len(resources); r++)
				read_resource(json_at(resources, r), name, version_name, rows);
		}
	}
}

static int fetch_part(const char *path, struct json_object *rows, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(json_putp) struct json_object *answer = NULL;

	if (session_do("GET", path, ACCEPT, NULL, NULL, &text, err) < 0 ||
	    json_parse(text.data ? text.data : "", text.len, &answer, NULL, err) < 0)
		return -1;
	if (strcmp(json_str_or_empty(answer, "kind"), "APIGroupDiscoveryList") != 0)
		return err_set(err, ERR_PARSE,
			       "the server does not tell what it has in aggregated form "
			       "(Kubernetes before 1.27)");
	discovery_read(answer, rows);
	return 0;
}

int discovery_fetch(bool with_core, struct json_object **ret_rows, struct err *err)
{
	CLEANUP(json_putp) struct json_object *rows = json_object_new_array();

	if ((with_core && fetch_part("/api", rows, err) < 0) || fetch_part("/apis", rows, err) < 0)
		return -1;
	*ret_rows = TAKE(rows);
	return 0;
}

/* --- keeping --- */

/* The file of SERVER, or NULL: nobody knows where. MAKE: with the folders to it. */
static char *cache_path(const char *server, bool make)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	CLEANUP(mem_freep) char *folder = NULL, *ours = NULL, *name = NULL;
	const char *host = strstr(server, "://");

	if (base && *base == '/')
		folder = mem_dup(base);
	else if (home && *home == '/')
		folder = mem_printf("%s/.cache", home);
	else
		return NULL;
	ours = mem_printf("%s/kubectl-lite", folder);
	if (make) {
		mkdir(folder, 0700);
		mkdir(ours, 0700);
	}
	name = mem_dup(host ? host + 3 : server);
	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '.' && *p != '-')
			*p = '_';
	return mem_printf("%s/%.128s.json", ours, name);
}

struct json_object *discovery_cached(const char *server)
{
	CLEANUP(mem_freep) char *path = cache_path(server, false);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(json_putp) struct json_object *kept = NULL;
	struct stat st;
	time_t now = time(NULL);

	if (!path || stat(path, &st) < 0 || st.st_mtime > now || now - st.st_mtime > MAX_AGE_S ||
	    buf_read_file(&text, path, CACHE_MAX_BYTES, NULL) < 0 ||
	    json_parse(text.data ? text.data : "", text.len, &kept, NULL, NULL) < 0)
		return NULL;
	/* Two servers' names can make one file name. */
	if (strcmp(json_str_or_empty(kept, "server"), server) != 0 ||
	    !json_object_is_type(json_get(kept, "rows"), json_type_array))
		return NULL;
	return json_object_get(json_get(kept, "rows"));
}

void discovery_keep(const char *server, const struct json_object *rows)
{
	CLEANUP(mem_freep) char *path = cache_path(server, true);
	CLEANUP(json_putp) struct json_object *kept = json_object_new_object();
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (!path)
		return;
	json_set_str(kept, "server", server);
	json_set(kept, "rows", json_object_get((struct json_object *)(uintptr_t)rows));
	json_write(&text, kept);
	buf_write_file_atomic(path, text.data, text.len, 0600, NULL);
}

void discovery_forget(const char *server)
{
	CLEANUP(mem_freep) char *path = cache_path(server, false);

	if (path)
		unlink(path);
}
