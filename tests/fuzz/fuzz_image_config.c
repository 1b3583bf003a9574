/* The JSON of images: what is taken for a manifest or a config has only digests and counts that are valid,
 * and a manifest written again is taken again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nodeagent/image_manifest.h"
#include "nodeagent/image_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_entry(const struct image_index_entry *entry, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	if (!digest_valid(entry->descriptor.digest))
		abort();
	return 0;
}

static void check_manifest(const char *text, size_t size)
{
	static struct image_manifest manifest, again;
	if (image_manifest_parse(text, size, &manifest, NULL))
		return;
	if (!manifest.n_layers || manifest.n_layers > IMAGE_MAX_LAYERS ||
	    !digest_valid(manifest.config.digest))
		abort();
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	image_manifest_write(&b, &manifest);
	if (image_manifest_parse(b.data, b.len, &again, NULL) || again.n_layers != manifest.n_layers)
		abort();
}

static void check_reference(const char *text)
{
	CLEANUP(mem_freep) char *once = NULL;
	CLEANUP(mem_freep) char *twice = NULL;
	if (image_reference_normalise(text, &once, NULL))
		return;
	if (image_reference_normalise(once, &twice, NULL) || strcmp(once, twice) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char ids[IMAGE_MAX_LAYERS][DIGEST_SIZE];
	CLEANUP(mem_freep) char *text = mem_dupn((const char *)data, size);
	CLEANUP(json_putp) struct json_object *config = NULL;
	size_t n = 0;
	check_manifest((const char *)data, size);
	image_index_parse((const char *)data, size, check_entry, NULL, NULL);
	if (!image_config_parse((const char *)data, size, &config, ids, &n, NULL)) {
		for (size_t i = 0; i < n; i++) {
			if (!digest_valid(ids[i]))
				abort();
		}
	}
	check_reference(text);
	return 0;
}
