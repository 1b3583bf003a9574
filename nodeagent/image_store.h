/* The images of this node, under DIR/images:
 *
 *     oci-layout, blobs/sha256/HEX   content-addressed, verified when they came in (OCI image layout)
 *     layers/HEX/                    a layer unpacked once, HEX is its diffID; stacked with overlayfs
 *     refs/ESCAPED-REFERENCE         one small JSON file per name: {"reference","manifest","size","created"}
 *     lock                           flock: one importer at a time, shared by readers that remove
 *
 * Written so that a crash at any byte leaves it readable: blobs and layers appear by rename, refs last.
 * An image is imported from an OCI layout folder, an OCI archive or a docker archive (tar), by
 * `knarr-nodeagent image import`; a running agent sees new refs through inotify.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/loop.h"

struct image_store;

/* Opens (and makes) the store. LOOP may be NULL for command line use. CHANGED, when not NULL, is called from
 * the loop after images were added or removed by anyone. */
struct image_store *image_store_open(struct loop *loop, const char *dir, void (*changed)(void *arg),
				     void *arg, struct err *err);
void image_store_close(struct image_store *store);

/* What a container needs of an image. Owned by the caller: image_close. */
struct image {
	char *reference; /* normalised: "docker.io/library/market-data:v1" */
	char *id;        /* "sha256:..." digest of the config: what imageID shows */
	char *digest;    /* "sha256:..." of the manifest */
	struct json_object
	    *config;   /* OCI image config (Entrypoint, Cmd, Env, User, WorkingDir, StopSignal...) */
	char **layers; /* absolute paths of unpacked layers, lowest first */
	size_t n_layers;
	uint64_t size_bytes;
	int64_t created_us;
};

/* Finds REFERENCE as a pod names it ("market-data:v1", "registry.local/web:1", "...@sha256:..."), normalised
 * as docker does (docker.io/library, :latest). ERR_NOT_FOUND when it is not here; ERR_CORRUPT when
 * it is damaged: the message says how. Reads two small files, verifies nothing twice. */
int image_store_find(struct image_store *store, const char *reference, struct image *ret, struct err *err);
void image_close(struct image *image);

/* Imports all images of FILE (archive or layout folder); REFERENCE names the image when the archive does
 * not, or NULL. Digests verified, layers unpacked (safely: no path leaves the layer). Blocking, for command
 * line. PROGRESS may be NULL. Sets *ret_names to a JSON array of references. */
int image_store_import(struct image_store *store, const char *file, const char *reference,
		       void (*progress)(const char *what, uint64_t done_bytes, uint64_t total_bytes,
					void *arg),
		       void *arg, struct json_object **ret_names, struct err *err);
/* All images as a JSON array of {"reference","id","digest","size","created"}; the Node's status shows them.
 */
int image_store_list(struct image_store *store, struct json_object **ret, struct err *err);
/* Removes the name; blobs and layers that no ref needs go with it. ERR_CONFLICT when in_use(layer path) says
 * so. */
int image_store_remove(struct image_store *store, const char *reference, struct err *err);
/* "market-data:v1" -> "docker.io/library/market-data:v1"; ERR_BAD_REQUEST ("couldn't parse image name
 * \"...\": invalid reference format") when it is none: InvalidImageName. */
int image_reference_normalise(const char *reference, char **ret, struct err *err);
