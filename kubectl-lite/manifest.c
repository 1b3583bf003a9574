#include "kubectl-lite/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kubectl-lite/convert.h"
#include "kubectl-lite/fetch.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/types.h"
#include "lib/yaml.h"

enum { FILE_MAX_BYTES = 64 * 1024 * 1024, MAX_FOLDERS_DEEP = 64 };

struct manifests {
	struct manifest *items;
	size_t n, bad;
};

/* A document that is of no use: told, so that the others are still read. */
static void tell_bad(struct manifests *all, struct err *err)
{
	session_failed(err);
	*err = ERR_INIT;
	all->bad++;
}

static int add_object(struct manifests *all, const char *file, size_t line, struct json_object *obj,
		      struct err *err);

static int add_list(struct manifests *all, const char *file, size_t line, struct json_object *list,
		    struct err *err)
{
	struct json_object *items = json_get(list, "items");

	for (size_t i = 0; i < json_len(items); i++)
		if (add_object(all, file, line, json_at(items, i), err) < 0)
			tell_bad(all, err);
	return 0;
}

/* Objects of versions that are gone are read as those of today; what that changed is told, and what nobody
 * could have meant. */
static void modernise(const char *file, struct json_object *obj)
{
	CLEANUP(mem_freep) char *was = mem_dup(json_str_or_empty(obj, "apiVersion"));
	CLEANUP(buf_close) struct buf notes = BUF_INIT;
	const char *kind = json_str_or_empty(obj, "kind");
	const char *name = json_str_or_empty(json_get(obj, "metadata"), "name");

	if (convert_object(obj, &notes))
		fprintf(stderr, "Warning: %s: %s %s \"%s\" is served no more; it is read as %s\n", file, was,
			kind, name, json_str_or_empty(obj, "apiVersion"));
	convert_find_bare_probes(obj, &notes);
	for (char *rest = notes.data, *line; rest && (line = strsep(&rest, "\n")) != NULL;)
		if (*line)
			fprintf(stderr, "Warning: %s: %s \"%s\": %s\n", file, kind, name, line);
}

static int unknown_kind(const char *api_version, const char *kind, const char *name, const char *namespace_,
			const char *file, struct err *err)
{
	struct suggestion s = suggest_for(kind);

	err_set(err, ERR_PARSE,
		"resource mapping not found for name: \"%s\" namespace: \"%s\" from \"%s\": "
		"no matches for kind \"%s\" in version \"%s\"\nensure CRDs are installed first",
		name, namespace_, file, kind, api_version);
	type_offer_kinds(api_version, &s);
	return suggest_add(&s, err);
}

static int add_object(struct manifests *all, const char *file, size_t line, struct json_object *obj,
		      struct err *err)
{
	if (json_object_is_type(obj, json_type_object))
		modernise(file, obj);
	const char *api_version = json_str_or_empty(obj, "apiVersion"),
		   *kind = json_str_or_empty(obj, "kind");
	const struct json_object *metadata = json_get(obj, "metadata");
	const char *name = json_str(metadata, "name"), *namespace_ = json_str(metadata, "namespace");
	size_t kind_len = strlen(kind);

	if (!json_object_is_type(obj, json_type_object))
		return err_set(err, ERR_PARSE,
			       "error parsing %s:%zu: want an object, with apiVersion and kind", file, line);
	if (metadata && (!json_object_is_type(metadata, json_type_object) ||
			 (json_get(metadata, "annotations") &&
			  !json_object_is_type(json_get(metadata, "annotations"), json_type_object))))
		return err_set(err, ERR_PARSE,
			       "error parsing %s:%zu: metadata and its annotations must be objects", file,
			       line);
	if (!*kind)
		return err_set(
		    err, ERR_PARSE,
		    "error validating \"%s\": error validating data: kind not set (document at line %zu)",
		    file, line);
	if (!*api_version)
		return err_set(err, ERR_PARSE,
			       "error validating \"%s\": error validating data: apiVersion not set (document "
			       "at line %zu)",
			       file, line);
	if (kind_len >= 4 && strcmp(kind + kind_len - 4, "List") == 0 && json_get(obj, "items"))
		return add_list(all, file, line, obj, err);
	const struct resource *resource = type_find_kind(api_version, kind, err);
	if (!resource)
		return err->kind != ERR_NONE ? -1
					     : unknown_kind(api_version, kind, name ? name : "",
							    namespace_ ? namespace_ : "", file, err);
	if (resource->namespaced && namespace_ && session_namespace_given() &&
	    strcmp(namespace_, session_namespace()) != 0)
		return err_set(err, ERR_PARSE,
			       "the namespace from the provided object \"%s\" does not match the namespace "
			       "\"%s\". You must pass '--namespace=%s' to perform this operation.",
			       namespace_, session_namespace(), namespace_);
	all->items = mem_realloc_array(all->items, all->n + 1, sizeof(*all->items));
	all->items[all->n++] = (struct manifest){
		.file = mem_dup(file),
		.line = line,
		.object = json_object_get(obj),
		.resource = resource,
		.namespace_ =
		    !resource->namespaced ? NULL : mem_dup(namespace_ ? namespace_ : session_namespace()),
		.name = mem_dup(name),
	};
	return 0;
}

static int add_text(struct manifests *all, const char *file, const struct buf *text, struct err *err)
{
	struct yaml_doc *docs = NULL;
	size_t n = 0;

	if (yaml_parse(file, text->data ? text->data : "", text->len, &docs, &n, err) < 0) {
		err_wrap(err, "error parsing %s", file);
		tell_bad(all, err);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		int failed = 0;
		if (docs[i].duplicates)
			failed = err_set(
			    err, ERR_PARSE,
			    "error parsing %s: document at line %zu: key \"%s\" already set in map", file,
			    docs[i].line, docs[i].first_duplicate ? docs[i].first_duplicate : "?");
		else if (docs[i].value)
			failed = add_object(all, file, docs[i].line, docs[i].value, err);
		if (failed)
			tell_bad(all, err);
	}
	yaml_docs_free(docs, n);
	return 0;
}

static int read_stdin(struct buf *text, struct err *err)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, errno, "reading standard input");
		buf_add(text, chunk, (size_t)n);
	}
	return text->failed
		   ? err_set(err, ERR_LIMIT, "standard input is larger than %d bytes", FILE_MAX_BYTES)
		   : 0;
}

int manifest_read(const char *file, struct buf *b, struct err *err)
{
	b->max = FILE_MAX_BYTES;
	if (strcmp(file, "-") == 0)
		return read_stdin(b, err);
	return fetch_is_url(file) ? fetch(file, b, err) : buf_read_file(b, file, FILE_MAX_BYTES, err);
}

static int add_read(struct manifests *all, const char *file, const char *shown, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	return manifest_read(file, &text, err) < 0 ? -1 : add_text(all, shown, &text, err);
}

static bool is_manifest(const char *name)
{
	static const char *const endings[] = { ".yaml", ".yml", ".json" };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (len > strlen(endings[i]) && strcmp(name + len - strlen(endings[i]), endings[i]) == 0)
			return true;
	return false;
}

static int add_path(struct manifests *all, const char *path, bool recursive, unsigned depth, struct err *err);

static int add_folder(struct manifests *all, const char *path, bool recursive, unsigned depth,
		      struct err *err)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), failed = 0;

	if (n < 0)
		return err_set_errno(err, errno, "reading folder %s", path);
	if (depth > MAX_FOLDERS_DEEP)
		failed = err_set(err, ERR_LIMIT, "folders under %s lie too deep", path);
	for (int i = 0; i < n; i++) {
		CLEANUP(mem_freep) char *child = mem_printf("%s/%s", path, entries[i]->d_name);
		struct stat st;
		if (!failed && entries[i]->d_name[0] != '.' && stat(child, &st) == 0) {
			if (S_ISDIR(st.st_mode) ? recursive : is_manifest(child))
				failed = add_path(all, child, recursive, depth + 1, err);
		}
		free(entries[i]);
	}
	free(entries);
	return failed;
}

static int add_path(struct manifests *all, const char *path, bool recursive, unsigned depth, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? err_set(err, ERR_PARSE, "the path \"%s\" does not exist", path)
				       : err_set_errno(err, errno, "cannot read %s", path);
	if (S_ISDIR(st.st_mode))
		return add_folder(all, path, recursive, depth, err);
	return add_read(all, path, path, err);
}

static int add_file(struct manifests *all, const char *file, bool recursive, struct err *err)
{
	if (strcmp(file, "-") == 0)
		return add_read(all, file, "STDIN", err);
	return fetch_is_url(file) ? add_read(all, file, file, err) : add_path(all, file, recursive, 0, err);
}

int manifests_load(const struct string_list *files, bool recursive, struct manifest **ret, size_t *ret_n,
		   size_t *ret_bad, struct err *err)
{
	struct manifests all = { 0 };

	for (size_t i = 0; i < files->n; i++) {
		if (add_file(&all, files->items[i], recursive, err) < 0) {
			manifests_free(all.items, all.n);
			return -1;
		}
	}
	*ret = all.items;
	*ret_n = all.n;
	*ret_bad = all.bad;
	return 0;
}

void manifests_free(struct manifest *manifests, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(manifests[i].file);
		free(manifests[i].namespace_);
		free(manifests[i].name);
		json_putp(&manifests[i].object);
	}
	free(manifests);
}
