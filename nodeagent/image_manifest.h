/* The JSON of images: index, manifest and config of the OCI, docker's manifest.json.
 * https://github.com/opencontainers/image-spec
 *
 * All of it comes from files that anyone may have made: sizes, counts and digests are checked here.
 */
#pragma once

#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"
#include "nodeagent/digest.h"

#define IMAGE_JSON_MAX_BYTES (4 << 20)
#define IMAGE_MAX_LAYERS     256

struct image_descriptor {
	char digest[DIGEST_SIZE];
	uint64_t size;
};

struct image_manifest {
	struct image_descriptor config;
	struct image_descriptor layers[IMAGE_MAX_LAYERS]; /* lowest first */
	size_t n_layers;
};

/* ERR_CORRUPT and what is wrong, for all of these. */
int image_manifest_parse(const char *text, size_t len, struct image_manifest *ret, struct err *err);
/* *RET is the config as a whole, DIFF_IDS (IMAGE_MAX_LAYERS) its layers' digests, uncompressed. */
int image_config_parse(const char *text, size_t len, struct json_object **ret,
		       char (*ret_diff_ids)[DIGEST_SIZE], size_t *ret_n, struct err *err);

/* An entry of an index. */
struct image_index_entry {
	struct image_descriptor descriptor;
	bool is_index;      /* another index, of one image for several machines */
	bool other_machine; /* for another system or processor than this */
	const char *name;   /* as its annotations name it, within the index's JSON; or NULL */
};

/* Calls FN for each image of an index until it returns non-zero, which is then returned. */
int image_index_parse(const char *text, size_t len,
		      int (*fn)(const struct image_index_entry *entry, void *arg, struct err *err), void *arg,
		      struct err *err);

/* Appends the manifest of an image with CONFIG and plain tar LAYERS. */
void image_manifest_write(struct buf *b, const struct image_manifest *manifest);
