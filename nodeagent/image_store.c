#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/map.h"
#include "lib/timefmt.h"
#include "nodeagent/image_store_files.h"
#include "nodeagent/tree.h"

#define MAX_REF_NAME 240

char *image_store_blob_path(const struct image_store *store, const char *digest)
{
	return mem_printf("%s/blobs/sha256/%s", store->dir, digest_hex(digest));
}

char *image_store_layer_path(const struct image_store *store, const char *diff_id)
{
	return mem_printf("%s/layers/%s", store->dir, digest_hex(diff_id));
}

char *image_store_ref_path(const struct image_store *store, const char *reference)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	buf_url_encode(&b, reference);
	return b.len > MAX_REF_NAME ? NULL : mem_printf("%s/refs/%s", store->dir, b.data);
}

int image_store_lock(const struct image_store *store, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/lock", store->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX)) {
		err_set_errno(err, errno, "lock %s", path);
		mem_closep(&fd);
		return -1;
	}
	return fd;
}

/* --- opening --- */

static void on_inotify(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct image_store *store = arg;
	char buf[4096];
	(void)io;
	(void)events;
	while (read(fd, buf, sizeof(buf)) > 0)
		; /* what changed is read from the files */
	store->changed(store->arg);
}

static int watch(struct image_store *store, struct err *err)
{
	CLEANUP(mem_freep) char *refs = mem_printf("%s/refs", store->dir);
	store->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (store->inotify_fd < 0 || inotify_add_watch(store->inotify_fd, refs, IN_MOVED_TO | IN_DELETE) < 0)
		return err_set_errno(err, errno, "watch %s", refs);
	store->io = loop_io_new(store->loop, store->inotify_fd, EPOLLIN, on_inotify, store, err);
	return store->io ? 0 : -1;
}

static int make_layout(const struct image_store *store, struct err *err)
{
	static const char *const folders[] = { "blobs/sha256", "layers", "refs", "tmp" };
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", store->dir, folders[i]);
		if (tree_make(path, 0711, err))
			return -1;
	}
	CLEANUP(mem_freep) char *path = mem_printf("%s/oci-layout", store->dir);
	return access(path, F_OK) ? buf_write_file_atomic(path, layout, sizeof(layout) - 1, 0644, err) : 0;
}

struct image_store *image_store_open(struct loop *loop, const char *dir, void (*changed)(void *arg),
				     void *arg, struct err *err)
{
	struct image_store *store = mem_zalloc(sizeof(*store));
	*store = (struct image_store){
		.loop = loop, .dir = mem_dup(dir), .inotify_fd = -1, .changed = changed, .arg = arg
	};
	if (!make_layout(store, err) && (!loop || !changed || !watch(store, err)))
		return store;
	err_wrap(err, "image store");
	image_store_close(store);
	return NULL;
}

void image_store_close(struct image_store *store)
{
	if (!store)
		return;
	loop_io_free(store->io);
	mem_closep(&store->inotify_fd);
	free(store->dir);
	free(store);
}

void image_close(struct image *image)
{
	for (size_t i = 0; i < image->n_layers; i++)
		free(image->layers[i]);
	free(image->layers);
	free(image->reference);
	free(image->id);
	free(image->digest);
	json_object_put(image->config);
	*image = (struct image){ 0 };
}

/* --- reading --- */

int image_store_read_blob(const struct image_store *store, const char *digest, struct buf *ret,
			  struct err *err)
{
	CLEANUP(mem_freep) char *path = image_store_blob_path(store, digest);
	char found[DIGEST_SIZE];
	struct err e = ERR_INIT;
	if (buf_read_file(ret, path, IMAGE_JSON_MAX_BYTES, &e))
		return err_set(err, ERR_CORRUPT, "%s", e.msg);
	digest_of(ret->data ? ret->data : "", ret->len, found);
	return strcmp(found, digest)
		   ? err_set(err, ERR_CORRUPT, "%s is damaged: its digest is %s", path, found)
		   : 0;
}

struct ref {
	char *reference;
	char manifest[DIGEST_SIZE];
	uint64_t size;
	int64_t created_us;
};

static void ref_close(struct ref *ref)
{
	free(ref->reference);
	ref->reference = NULL;
}

static int read_ref(const char *path, struct ref *ret, struct err *err)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(json_putp) struct json_object *obj = NULL;
	if (buf_read_file(&b, path, 65536, err))
		return -1;
	const char *manifest = "";
	if (!json_parse(b.data ? b.data : "", b.len, &obj, NULL, NULL))
		manifest = json_str_or_empty(obj, "manifest");
	if (!digest_valid(manifest) || !json_str(obj, "reference"))
		return err_set(err, ERR_CORRUPT, "%s is damaged", path);
	*ret = (struct ref){ .reference = mem_dup(json_str(obj, "reference")),
			     .size = (uint64_t)json_int(obj, "size", 0),
			     .created_us = json_int(obj, "created", 0) };
	strcpy(ret->manifest, manifest);
	return 0;
}

/* Calls FN for every readable reference; a damaged one fails only when it is asked for by name. */
static int each_ref(const struct image_store *store, int (*fn)(const struct ref *ref, void *arg), void *arg,
		    struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/refs", store->dir);
	DIR *d = opendir(dir);
	int rc = 0;
	if (!d)
		return err_set_errno(err, errno, "open %s", dir);
	for (struct dirent *entry; !rc && (entry = readdir(d));) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, entry->d_name);
		CLEANUP(ref_close) struct ref ref = { 0 };
		if (entry->d_type == DT_REG && !read_ref(path, &ref, NULL))
			rc = fn(&ref, arg);
	}
	closedir(d);
	return rc;
}

struct digest_search {
	const char *wanted; /* "docker.io/library/web@sha256:..." */
	size_t name_len;
	struct ref *found;
};

/* Whether REF is of the repository and has the manifest that the wanted name pins. */
static int match_digest(const struct ref *ref, void *arg)
{
	struct digest_search *search = arg;
	if (strncmp(ref->reference, search->wanted, search->name_len) != 0 ||
	    (ref->reference[search->name_len] != ':' && ref->reference[search->name_len] != '@') ||
	    strcmp(ref->manifest, strchr(search->wanted, '@') + 1) != 0)
		return 0;
	*search->found = *ref;
	search->found->reference = mem_dup(ref->reference);
	return 1;
}

static int find_ref(const struct image_store *store, const char *name, struct ref *ret, struct err *err)
{
	CLEANUP(mem_freep) char *path = image_store_ref_path(store, name);
	if (path && !access(path, F_OK))
		return read_ref(path, ret, err);
	const char *at = strchr(name, '@');
	/* A digest says it all; a tag before it says nothing more. */
	size_t len = at ? (size_t)(at - name) : 0;
	const char *slash = at ? memrchr(name, '/', len) : NULL;
	const char *tag = slash ? memchr(slash, ':', (size_t)(at - slash)) : NULL;
	struct digest_search search = { name, tag ? (size_t)(tag - name) : len, ret };
	int rc = at ? each_ref(store, match_digest, &search, err) : 0;
	if (rc > 0)
		return 0;
	return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "image \"%s\": not found", name);
}

static int load(const struct image_store *store, const struct ref *ref, struct image *ret, struct err *err)
{
	CLEANUP(buf_close) struct buf manifest_text = BUF_INIT;
	CLEANUP(buf_close) struct buf config_text = BUF_INIT;
	CLEANUP(mem_freep) struct image_manifest *manifest = mem_alloc(sizeof(*manifest));
	CLEANUP(mem_freep) char(*ids)[DIGEST_SIZE] = mem_alloc(IMAGE_MAX_LAYERS * sizeof(*ids));
	CLEANUP(image_close)
	struct image image = { .reference = mem_dup(ref->reference),
			       .digest = mem_dup(ref->manifest),
			       .size_bytes = ref->size,
			       .created_us = ref->created_us };
	size_t n;
	if (image_store_read_blob(store, ref->manifest, &manifest_text, err) ||
	    image_manifest_parse(manifest_text.data, manifest_text.len, manifest, err) ||
	    image_store_read_blob(store, manifest->config.digest, &config_text, err) ||
	    image_config_parse(config_text.data, config_text.len, &image.config, ids, &n, err))
		return -1;
	image.id = mem_dup(manifest->config.digest);
	image.layers = mem_zalloc(n * sizeof(*image.layers));
	image.n_layers = n;
	for (size_t i = 0; i < n; i++) {
		image.layers[i] = image_store_layer_path(store, ids[i]);
		if (access(image.layers[i], F_OK))
			return err_set(err, ERR_CORRUPT, "layer %s is not there", image.layers[i]);
	}
	*ret = image;
	image = (struct image){ 0 };
	return 0;
}

int image_store_find(struct image_store *store, const char *reference, struct image *ret, struct err *err)
{
	CLEANUP(mem_freep) char *name = NULL;
	CLEANUP(ref_close) struct ref ref = { 0 };
	if (image_reference_normalise(reference, &name, err) || find_ref(store, name, &ref, err))
		return -1;
	return load(store, &ref, ret, err) ? err_wrap(err, "image %s", name) : 0;
}

struct listing {
	const struct image_store *store;
	struct json_object *array;
};

static int add_to_list(const struct ref *ref, void *arg)
{
	struct listing *listing = arg;
	CLEANUP(image_close) struct image image = { 0 };
	struct json_object *item = json_object_new_object();
	bool damaged = load(listing->store, ref, &image, NULL);
	json_set_str(item, "reference", ref->reference);
	json_set_str(item, "id", damaged ? "" : image.id);
	json_set_str(item, "digest", ref->manifest);
	json_set_int(item, "size", (int64_t)ref->size);
	json_set_int(item, "created", ref->created_us);
	json_object_array_add(listing->array, item);
	return 0;
}

static int by_reference(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;
	return strcmp(json_str_or_empty(*x, "reference"), json_str_or_empty(*y, "reference"));
}

int image_store_list(struct image_store *store, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *array = json_object_new_array();
	if (each_ref(store, add_to_list, &(struct listing){ store, array }, err))
		return -1;
	json_object_array_sort(array, by_reference);
	*ret = TAKE(array);
	return 0;
}

/* --- removal --- */

/* What references need: hex names of blobs and layers. */
struct needed {
	const struct image_store *store;
	const char *except; /* a reference that does not count, or NULL */
	struct map names;
	bool unknown; /* a reference could not be read to its end: nothing is swept */
};

static void need(struct needed *needed, const char *digest)
{
	if (map_get(&needed->names, digest_hex(digest)))
		return;
	char *name = mem_dup(digest_hex(digest));
	map_put(&needed->names, name, name);
}

static int need_ref(const struct ref *ref, void *arg)
{
	struct needed *needed = arg;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(buf_close) struct buf config_text = BUF_INIT;
	CLEANUP(mem_freep) struct image_manifest *manifest = mem_alloc(sizeof(*manifest));
	CLEANUP(mem_freep) char(*ids)[DIGEST_SIZE] = mem_alloc(IMAGE_MAX_LAYERS * sizeof(*ids));
	CLEANUP(json_putp) struct json_object *config = NULL;
	size_t n = 0;
	if (needed->except && !strcmp(needed->except, ref->reference))
		return 0;
	if (image_store_read_blob(needed->store, ref->manifest, &text, NULL) ||
	    image_manifest_parse(text.data, text.len, manifest, NULL) ||
	    image_store_read_blob(needed->store, manifest->config.digest, &config_text, NULL) ||
	    image_config_parse(config_text.data, config_text.len, &config, ids, &n, NULL)) {
		needed->unknown = true;
		return 0;
	}
	need(needed, ref->manifest);
	need(needed, manifest->config.digest);
	for (size_t i = 0; i < manifest->n_layers; i++)
		need(needed, manifest->layers[i].digest);
	for (size_t i = 0; i < n; i++)
		need(needed, ids[i]);
	return 0;
}

/* Whether a container runs on it: its shim holds a shared lock. */
static bool in_use(const char *layer)
{
	CLEANUP(mem_closep) int fd = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
}

/* Calls FN for what lies in FOLDER and is needed no more. */
static int each_unneeded(const struct image_store *store, const struct needed *needed, const char *folder,
			 int (*fn)(const struct image_store *store, const char *path, struct err *err),
			 struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/%s", store->dir, folder);
	DIR *d = opendir(dir);
	int rc = 0;
	if (!d)
		return err_set_errno(err, errno, "open %s", dir);
	for (struct dirent *entry; !rc && (entry = readdir(d));) {
		if (entry->d_name[0] == '.' || map_get(&needed->names, entry->d_name))
			continue;
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, entry->d_name);
		rc = fn(store, path, err);
	}
	closedir(d);
	return rc;
}

static int check_unused(const struct image_store *store, const char *path, struct err *err)
{
	(void)store;
	return in_use(path) ? err_set(err, ERR_CONFLICT, "a running container uses it") : 0;
}

/* A layer goes by its name first, so that a crash leaves no half of one under it. */
static int remove_layer(const struct image_store *store, const char *path, struct err *err)
{
	CLEANUP(mem_freep) char *trash = mem_printf("%s/tmp/gone-%s", store->dir, strrchr(path, '/') + 1);
	if (in_use(path))
		return 0;
	if (tree_remove(trash, err)) /* what a crash left */
		return -1;
	if (rename(path, trash))
		return err_set_errno(err, errno, "remove %s", path);
	return tree_remove(trash, err);
}

static int remove_blob(const struct image_store *store, const char *path, struct err *err)
{
	(void)store;
	return unlink(path) ? err_set_errno(err, errno, "remove %s", path) : 0;
}

/* Calls FN with what all references but EXCEPT need. */
static int with_needed(const struct image_store *store, const char *except,
		       int (*fn)(const struct image_store *, struct needed *, struct err *), struct err *err)
{
	struct needed needed = { .store = store, .except = except };
	int rc = each_ref(store, need_ref, &needed, err);
	if (!rc && !needed.unknown)
		rc = fn(store, &needed, err);
	const char *name;
	void *value;
	for (size_t i = 0; map_next(&needed.names, &i, &name, &value);)
		free(value);
	map_close(&needed.names);
	return rc;
}

static int sweep(const struct image_store *store, struct needed *needed, struct err *err)
{
	return each_unneeded(store, needed, "layers", remove_layer, err) ||
		       each_unneeded(store, needed, "blobs/sha256", remove_blob, err)
		   ? -1
		   : 0;
}

static int check_all_unused(const struct image_store *store, struct needed *needed, struct err *err)
{
	return each_unneeded(store, needed, "layers", check_unused, err);
}

int image_store_sweep(const struct image_store *store, struct err *err)
{
	return with_needed(store, NULL, sweep, err);
}

int image_store_remove(struct image_store *store, const char *reference, struct err *err)
{
	CLEANUP(mem_freep) char *name = NULL;
	CLEANUP(mem_closep) int lock = image_store_lock(store, err);
	if (lock < 0 || image_reference_normalise(reference, &name, err))
		return -1;
	CLEANUP(mem_freep) char *path = image_store_ref_path(store, name);
	if (!path || access(path, F_OK))
		return err_set(err, ERR_NOT_FOUND, "image \"%s\": not found", name);
	if (with_needed(store, name, check_all_unused, err))
		return err_wrap(err, "image %s", name);
	if (unlink(path))
		return err_set_errno(err, errno, "remove %s", path);
	return image_store_sweep(store, err);
}
