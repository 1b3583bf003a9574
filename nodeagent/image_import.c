/* Images from files: OCI layout folders, OCI archives, docker archives.
 *
 *     archive ──unpacked──▶ tmp/import-XXXXXX ─┐
 *     layout folder ───────────────────────────┴▶ blobs (verified) ─▶ layers (verified) ─▶ refs
 *
 * Nothing is named by a reference before all of it is there and on disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/timefmt.h"
#include "nodeagent/image_store_files.h"
#include "nodeagent/layer_unpack.h"
#include "nodeagent/tree.h"

#define CHUNK (1 << 18)

struct import {
	struct image_store *store;
	int source;            /* folder of the layout or of the unpacked archive */
	bool staged;           /* it is ours: its files need no copy */
	const char *reference; /* given by the user, or NULL */
	const char *name;      /* of the image at hand, for a nested index */
	bool found;            /* a nested index had an image for this machine */
	void (*progress)(const char *what, uint64_t done, uint64_t total, void *arg);
	void *arg;
	const char *what; /* of the step under way */
	uint64_t total;
	struct json_object *names;
};

static void report(struct import *in, uint64_t done)
{
	if (in->progress)
		in->progress(in->what, done, in->total, in->arg);
}

static void report_bytes(uint64_t done, void *arg)
{
	report(arg, done);
}

/* A file of the source, which may hold any links: none leads out of it. */
static int open_source(const struct import *in, const char *path, struct stat *ret_stat, struct err *err)
{
	struct open_how how = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	CLEANUP(mem_closep) int fd = (int)syscall(SYS_openat2, in->source, path, &how, sizeof(how));
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_CORRUPT, "%s is missing", path);
	if (fd < 0 || fstat(fd, ret_stat))
		return err_set_errno(err, errno, "open %s", path);
	if (!S_ISREG(ret_stat->st_mode))
		return err_set(err, ERR_CORRUPT, "%s is no file", path);
	int taken = fd;
	fd = -1;
	return taken;
}

static int read_source(const struct import *in, const char *path, struct buf *ret, struct err *err)
{
	struct stat st;
	CLEANUP(mem_closep) int fd = open_source(in, path, &st, err);
	if (fd < 0)
		return -1;
	if (st.st_size > IMAGE_JSON_MAX_BYTES)
		return err_set(err, ERR_CORRUPT, "%s is over 4 MiB", path);
	buf_reserve(ret, (size_t)st.st_size + 1);
	ssize_t n = pread(fd, ret->data, (size_t)st.st_size, 0);
	if (n < 0)
		return err_set_errno(err, errno, "read %s", path);
	ret->len = (size_t)n;
	ret->data[n] = '\0';
	return 0;
}

/* --- blobs --- */

/* Reads FD to its end, hashing, and writes it to OUT unless that is -1. */
static int hash_file(struct import *in, int fd, int out, char *ret_digest, struct err *err)
{
	CLEANUP(digest_freep) struct digest *digest = digest_new();
	CLEANUP(mem_freep) char *chunk = mem_alloc(CHUNK);
	uint64_t done = 0;
	for (ssize_t n; (n = read(fd, chunk, CHUNK)) != 0;) {
		if (n < 0)
			return err_set_errno(err, errno, "read");
		for (ssize_t written = 0, m; out >= 0 && written < n; written += m) {
			m = write(out, chunk + written, (size_t)(n - written));
			if (m < 0)
				return err_set_errno(err, errno, "write");
		}
		digest_add(digest, chunk, (size_t)n);
		done += (size_t)n;
		report(in, done);
	}
	digest_finish(digest, ret_digest);
	return 0;
}

/* Puts the source's file at PATH among the blobs. EXPECTED is its digest, or NULL when nobody said; the
 * digest found goes to *RET. What is in the store already is not read again. */
static int take_blob(struct import *in, const char *path, const char *expected, struct image_descriptor *ret,
		     struct err *err)
{
	struct stat st;
	CLEANUP(mem_freep) char *have = expected ? image_store_blob_path(in->store, expected) : NULL;
	if (have && !stat(have, &st)) {
		*ret = (struct image_descriptor){ .size = (uint64_t)st.st_size };
		strcpy(ret->digest, expected);
		return 0;
	}
	CLEANUP(mem_closep) int fd = open_source(in, path, &st, err);
	if (fd < 0)
		return -1;
	CLEANUP(mem_freep) char *tmp = mem_printf("%s/tmp/blob", in->store->dir);
	unlink(tmp);
	in->what = "blob";
	in->total = (uint64_t)st.st_size;
	CLEANUP(mem_closep)
	int out = in->staged ? -1 : open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (!in->staged && out < 0)
		return err_set_errno(err, errno, "make %s", tmp);
	if (hash_file(in, fd, out, ret->digest, err))
		return err_wrap(err, "%s", path);
	if (expected && strcmp(ret->digest, expected) != 0)
		return err_set(err, ERR_CORRUPT, "%s: digest mismatch: it is %s", path, ret->digest);
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (in->staged && linkat(AT_FDCWD, self, AT_FDCWD, tmp, AT_SYMLINK_FOLLOW))
		return err_set_errno(err, errno, "link %s", path);
	ret->size = (uint64_t)st.st_size;
	CLEANUP(mem_freep) char *blob = image_store_blob_path(in->store, ret->digest);
	return rename(tmp, blob) ? err_set_errno(err, errno, "make %s", blob) : 0;
}

/* --- layers --- */

static int take_layer(struct import *in, const struct image_descriptor *blob, const char *diff_id,
		      struct err *err)
{
	CLEANUP(mem_freep)
	char *layer = image_store_layer_path(in->store, diff_id),
	     *path = image_store_blob_path(in->store, blob->digest),
	     *tmp = mem_printf("%s/tmp/layer", in->store->dir);
	char found[DIGEST_SIZE];
	if (!access(layer, F_OK))
		return 0;
	if (tree_remove(tmp, err))
		return -1;
	if (mkdir(tmp, 0755))
		return err_set_errno(err, errno, "make %s", tmp);
	CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(mem_closep) int dir = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || dir < 0)
		return err_set_errno(err, errno, "open %s", fd < 0 ? path : tmp);
	in->what = diff_id;
	in->total = blob->size;
	const struct layer_unpack_opts opts = {
		.fd = fd, .dir_fd = dir, .layer = true, .progress = report_bytes, .arg = in
	};
	int rc = layer_unpack(&opts, found, err);
	if (!rc && strcmp(found, diff_id) != 0)
		rc = err_set(err, ERR_CORRUPT, "digest mismatch: unpacked it is %s", found);
	if (!rc && rename(tmp, layer))
		rc = err_set_errno(err, errno, "make %s", layer);
	if (!rc)
		return 0;
	tree_remove(tmp, NULL);
	return err_wrap(err, "layer %s", diff_id);
}

/* --- images --- */

static int sync_store(const struct image_store *store, struct err *err)
{
	CLEANUP(mem_closep) int fd = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || syncfs(fd) ? err_set_errno(err, errno, "sync %s", store->dir) : 0;
}

static int write_ref(struct import *in, const char *reference, const char *manifest, uint64_t size,
		     struct err *err)
{
	CLEANUP(mem_freep) char *path = image_store_ref_path(in->store, reference);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	if (!path)
		return err_set(err, ERR_INVALID, "image name \"%s\" is too long", reference);
	buf_str(&b, "{\"reference\":");
	buf_json_string(&b, reference);
	buf_printf(&b, ",\"manifest\":\"%s\",\"size\":%llu,\"created\":%lld}\n", manifest,
		   (unsigned long long)size, (long long)time_now_us());
	if (buf_write_file_atomic(path, b.data, b.len, 0644, err))
		return -1;
	json_object_array_add(in->names, json_object_new_string(reference));
	return 0;
}

/* All blobs are in the store: unpacks the layers and gives the image its name. */
static int finish_image(struct import *in, const struct image_manifest *manifest, const char *digest,
			const char *name, struct err *err)
{
	CLEANUP(mem_freep) char *reference = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(json_putp) struct json_object *config = NULL;
	CLEANUP(mem_freep) char(*ids)[DIGEST_SIZE] = mem_alloc(IMAGE_MAX_LAYERS * sizeof(*ids));
	size_t n;
	if (image_reference_normalise(name, &reference, err) ||
	    image_store_read_blob(in->store, manifest->config.digest, &text, err) ||
	    image_config_parse(text.data, text.len, &config, ids, &n, err))
		return -1;
	if (n != manifest->n_layers)
		return err_set(err, ERR_CORRUPT, "manifest has %zu layers, config %zu", manifest->n_layers,
			       n);
	uint64_t size = manifest->config.size;
	for (size_t i = 0; i < n; i++) {
		if (take_layer(in, &manifest->layers[i], ids[i], err))
			return -1;
		size += manifest->layers[i].size;
	}
	return sync_store(in->store, err) || write_ref(in, reference, digest, size, err) ? -1 : 0;
}

/* --- OCI layout --- */

static int take_oci_blob(struct import *in, const struct image_descriptor *wanted, struct err *err)
{
	struct image_descriptor found;
	CLEANUP(mem_freep) char *path = mem_printf("blobs/sha256/%s", digest_hex(wanted->digest));
	return take_blob(in, path, wanted->digest, &found, err);
}

static int import_manifest(struct import *in, const char *digest, const char *name, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(mem_freep) struct image_manifest *manifest = mem_alloc(sizeof(*manifest));
	struct image_descriptor self = { .size = 0 };
	strcpy(self.digest, digest);
	if (take_oci_blob(in, &self, err) || image_store_read_blob(in->store, digest, &text, err) ||
	    image_manifest_parse(text.data, text.len, manifest, err) ||
	    take_oci_blob(in, &manifest->config, err))
		return -1;
	for (size_t i = 0; i < manifest->n_layers; i++) {
		if (take_oci_blob(in, &manifest->layers[i], err))
			return -1;
	}
	return finish_image(in, manifest, digest, name, err);
}

/* In an index of one image for several machines: the first that is for ours. */
static int import_nested(const struct image_index_entry *entry, void *arg, struct err *err)
{
	struct import *in = arg;
	if (entry->other_machine || entry->is_index || in->found)
		return 0;
	in->found = true;
	return import_manifest(in, entry->descriptor.digest, in->name, err);
}

static int import_index(struct import *in, const char *digest, const char *name, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct image_descriptor self = { .size = 0 };
	strcpy(self.digest, digest);
	in->name = name;
	in->found = false;
	if (take_oci_blob(in, &self, err) || image_store_read_blob(in->store, digest, &text, err) ||
	    image_index_parse(text.data, text.len, import_nested, in, err))
		return -1;
	return in->found ? 0 : err_set(err, ERR_NOT_FOUND, "image %s: none for this machine", name);
}

static int import_entry(const struct image_index_entry *entry, void *arg, struct err *err)
{
	struct import *in = arg;
	if (entry->other_machine)
		return 0;
	const char *name = in->reference ? in->reference : entry->name;
	/* By the letter of the specification the annotation may be a tag alone. */
	if (!name || (!in->reference && !strpbrk(name, ":/")))
		return err_set(err, ERR_BAD_REQUEST,
			       "the image in it has no name%s%s%s; give it one with --name",
			       name ? " but the tag \"" : "", name ? name : "", name ? "\"" : "");
	return entry->is_index ? import_index(in, entry->descriptor.digest, name, err)
			       : import_manifest(in, entry->descriptor.digest, name, err);
}

static int import_oci(struct import *in, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	if (read_source(in, "index.json", &text, err) ||
	    image_index_parse(text.data, text.len, import_entry, in, err))
		return -1;
	return json_len(in->names) ? 0
				   : err_set(err, ERR_NOT_FOUND, "there is no image for this machine in it");
}

/* --- docker archive --- */

static int import_docker_image(struct import *in, const struct json_object *item, struct err *err)
{
	CLEANUP(mem_freep) struct image_manifest *manifest = mem_zalloc(sizeof(*manifest));
	const struct json_object *layers = json_get(item, "Layers"), *tags = json_get(item, "RepoTags");
	const char *config = json_str(item, "Config");
	if (!config || !json_len(layers) || json_len(layers) > IMAGE_MAX_LAYERS)
		return err_set(err, ERR_CORRUPT, "manifest.json: an image needs a config and 1 to %d layers",
			       IMAGE_MAX_LAYERS);
	if (!json_len(tags) && !in->reference)
		return err_set(err, ERR_BAD_REQUEST, "the image in it has no name; give it one with --name");
	if (take_blob(in, config, NULL, &manifest->config, err))
		return -1;
	for (; manifest->n_layers < json_len(layers); manifest->n_layers++) {
		const char *path = json_object_get_string(json_at(layers, manifest->n_layers));
		if (take_blob(in, path ? path : "", NULL, &manifest->layers[manifest->n_layers], err))
			return -1;
	}
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	char digest[DIGEST_SIZE];
	image_manifest_write(&text, manifest);
	digest_of(text.data, text.len, digest);
	CLEANUP(mem_freep) char *path = image_store_blob_path(in->store, digest);
	if (buf_write_file_atomic(path, text.data, text.len, 0644, err))
		return -1;
	if (in->reference)
		return finish_image(in, manifest, digest, in->reference, err);
	for (size_t i = 0; i < json_len(tags); i++) {
		const char *name = json_object_get_string(json_at(tags, i));
		if (finish_image(in, manifest, digest, name ? name : "", err))
			return -1;
	}
	return 0;
}

static int import_docker(struct import *in, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(json_putp) struct json_object *list = NULL;
	if (read_source(in, "manifest.json", &text, err))
		return -1;
	if (json_parse(text.data, text.len, &list, NULL, err))
		return err_wrap(err, "manifest.json");
	if (!json_len(list))
		return err_set(err, ERR_CORRUPT, "manifest.json lists no image");
	for (size_t i = 0; i < json_len(list); i++) {
		if (import_docker_image(in, json_at(list, i), err))
			return -1;
	}
	return 0;
}

/* --- the file --- */

static int import_source(struct import *in, struct err *err)
{
	/* Docker's newer archives are both; their index.json has no names. */
	bool docker = !faccessat(in->source, "manifest.json", F_OK, 0);
	if (docker)
		return import_docker(in, err);
	if (!faccessat(in->source, "index.json", F_OK, 0))
		return import_oci(in, err);
	return err_set(
	    err, ERR_CORRUPT,
	    "neither an OCI layout nor a docker archive: it has no index.json and no manifest.json");
}

/* Unpacks the archive FD into a folder of ours, *RET_DIR. */
static int stage(struct import *in, int fd, uint64_t size, char **ret_dir, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/tmp/import-XXXXXX", in->store->dir);
	if (!mkdtemp(dir))
		return err_set_errno(err, errno, "make %s", dir);
	*ret_dir = mem_dup(dir);
	in->source = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->source < 0)
		return err_set_errno(err, errno, "open %s", dir);
	in->staged = true;
	in->what = "archive";
	in->total = size;
	const struct layer_unpack_opts opts = {
		.fd = fd, .dir_fd = in->source, .progress = report_bytes, .arg = in
	};
	return layer_unpack(&opts, NULL, err);
}

int image_store_import(struct image_store *store, const char *file, const char *reference,
		       void (*progress)(const char *what, uint64_t done_bytes, uint64_t total_bytes,
					void *arg),
		       void *arg, struct json_object **ret_names, struct err *err)
{
	struct stat st;
	CLEANUP(json_putp) struct json_object *names = json_object_new_array();
	CLEANUP(mem_freep) char *staged = NULL;
	struct import in = { .store = store,
			     .source = -1,
			     .reference = reference,
			     .progress = progress,
			     .arg = arg,
			     .names = names };
	CLEANUP(mem_closep) int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return err_set_errno(err, errno, "open %s", file);
	CLEANUP(mem_closep) int lock = image_store_lock(store, err);
	if (lock < 0)
		return -1;
	/* The lock is ours, so what lies here is left from an import that died. */
	CLEANUP(mem_freep) char *tmp = mem_printf("%s/tmp", store->dir);
	if (tree_remove(tmp, err) || tree_make(tmp, 0711, err))
		return -1;
	int rc = 0;
	if (S_ISDIR(st.st_mode))
		in.source = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	else
		rc = stage(&in, fd, (uint64_t)st.st_size, &staged, err);
	if (!rc)
		rc = import_source(&in, err);
	mem_closep(&in.source);
	if (staged && tree_remove(staged, rc ? NULL : err))
		rc = -1;
	if (rc) {
		/* Blobs that were read before the fault was found belong to no image. What cannot be removed
		 * now goes with the next sweep; the fault of the import is what is told. */
		image_store_sweep(store, NULL);
		return err_wrap(err, "%s", file);
	}
	*ret_names = TAKE(names);
	return 0;
}
