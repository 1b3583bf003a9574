#include "nodeagent/image_manifest.h"

#include <string.h>

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#error "what do images call this machine?"
#endif

static int parse(const char *what, const char *text, size_t len, struct json_object **ret, struct err *err)
{
	struct err e = ERR_INIT;
	if (len > IMAGE_JSON_MAX_BYTES)
		return err_set(err, ERR_CORRUPT, "%s is over 4 MiB", what);
	if (json_parse(text, len, ret, NULL, &e))
		return err_set(err, ERR_CORRUPT, "%s: %s", what, e.msg);
	return 0;
}

static int parse_descriptor(const struct json_object *obj, struct image_descriptor *ret, struct err *err)
{
	const char *digest = json_str(obj, "digest");
	int64_t size = json_int(obj, "size", -1);
	if (!digest_valid(digest))
		return err_set(err, ERR_CORRUPT, "digest \"%.100s\" is no sha256 digest",
			       digest ? digest : "");
	if (size < 0)
		return err_set(err, ERR_CORRUPT, "%s has no size", digest);
	strcpy(ret->digest, digest);
	ret->size = (uint64_t)size;
	return 0;
}

int image_manifest_parse(const char *text, size_t len, struct image_manifest *ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	if (parse("image manifest", text, len, &obj, err))
		return -1;
	const struct json_object *layers = json_get(obj, "layers");
	if (json_int(obj, "schemaVersion", 0) != 2)
		return err_set(err, ERR_CORRUPT, "image manifest is not of schema version 2");
	if (!json_len(layers) || json_len(layers) > IMAGE_MAX_LAYERS)
		return err_set(err, ERR_CORRUPT, "image manifest has %zu layers, not 1 to %d",
			       json_len(layers), IMAGE_MAX_LAYERS);
	if (parse_descriptor(json_get(obj, "config"), &ret->config, err))
		return err_wrap(err, "image manifest: config");
	ret->n_layers = json_len(layers);
	for (size_t i = 0; i < ret->n_layers; i++) {
		if (parse_descriptor(json_at(layers, i), &ret->layers[i], err))
			return err_wrap(err, "image manifest: layer %zu", i + 1);
	}
	return 0;
}

static int check_machine(const struct json_object *config, struct err *err)
{
	const char *os = json_str(config, "os"), *architecture = json_str(config, "architecture");
	if (os && *os && strcmp(os, "linux") != 0)
		return err_set(err, ERR_CORRUPT, "the image is for %s", os);
	if (architecture && *architecture && strcmp(architecture, ARCHITECTURE) != 0)
		return err_set(err, ERR_CORRUPT, "the image is for %s machines, this is %s", architecture,
			       ARCHITECTURE);
	return 0;
}

int image_config_parse(const char *text, size_t len, struct json_object **ret,
		       char (*ret_diff_ids)[DIGEST_SIZE], size_t *ret_n, struct err *err)
{
	CLEANUP(json_putp) struct json_object *config = NULL;
	if (parse("image config", text, len, &config, err) || check_machine(config, err))
		return -1;
	const struct json_object *ids = json_path(config, "rootfs", "diff_ids", NULL);
	size_t n = json_len(ids);
	if (!n || n > IMAGE_MAX_LAYERS)
		return err_set(err, ERR_CORRUPT, "image config has %zu layers, not 1 to %d", n,
			       IMAGE_MAX_LAYERS);
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_at(ids, i);
		const char *id =
		    json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";
		if (!digest_valid(id))
			return err_set(err, ERR_CORRUPT, "image config: diff ID %zu is no sha256 digest",
				       i + 1);
		strcpy(ret_diff_ids[i], id);
	}
	*ret_n = n;
	*ret = TAKE(config);
	return 0;
}

/* containerd's annotation holds the full name; the OCI's holds that or, by the letter, a tag alone. */
static const char *annotated_name(const struct json_object *entry)
{
	const struct json_object *annotations = json_get(entry, "annotations");
	const char *name = json_str(annotations, "io.containerd.image.name");
	return name ? name : json_str(annotations, "org.opencontainers.image.ref.name");
}

static bool is_other_machine(const struct json_object *entry)
{
	const struct json_object *platform = json_get(entry, "platform");
	const char *os = json_str(platform, "os"), *architecture = json_str(platform, "architecture");
	return (os && strcmp(os, "linux") != 0) || (architecture && strcmp(architecture, ARCHITECTURE) != 0);
}

int image_index_parse(const char *text, size_t len,
		      int (*fn)(const struct image_index_entry *entry, void *arg, struct err *err), void *arg,
		      struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	if (parse("image index", text, len, &obj, err))
		return -1;
	const struct json_object *manifests = json_get(obj, "manifests");
	if (json_int(obj, "schemaVersion", 0) != 2 || !json_object_is_type(manifests, json_type_array))
		return err_set(err, ERR_CORRUPT, "image index is not of schema version 2");
	for (size_t i = 0; i < json_len(manifests); i++) {
		const struct json_object *item = json_at(manifests, i);
		const char *type = json_str_or_empty(item, "mediaType");
		struct image_index_entry entry = {
			.is_index =
			    !strcmp(type, "application/vnd.oci.image.index.v1+json") ||
			    !strcmp(type, "application/vnd.docker.distribution.manifest.list.v2+json"),
			.other_machine = is_other_machine(item),
			.name = annotated_name(item),
		};
		if (parse_descriptor(item, &entry.descriptor, err))
			return err_wrap(err, "image index: entry %zu", i + 1);
		int rc = fn(&entry, arg, err);
		if (rc)
			return rc;
	}
	return 0;
}

void image_manifest_write(struct buf *b, const struct image_manifest *m)
{
	buf_printf(b,
		   "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		   "\"config\":{\"mediaType\":\"application/"
		   "vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%llu},"
		   "\"layers\":[",
		   m->config.digest, (unsigned long long)m->config.size);
	for (size_t i = 0; i < m->n_layers; i++)
		buf_printf(b,
			   "%s{\"mediaType\":\"application/"
			   "vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%llu}",
			   i ? "," : "", m->layers[i].digest, (unsigned long long)m->layers[i].size);
	buf_str(b, "]}");
}
