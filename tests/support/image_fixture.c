#include "tests/support/image_fixture.h"

#include <archive.h>
#include <archive_entry.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void check(int rc, struct archive *a)
{
	if (rc == ARCHIVE_OK)
		return;
	fprintf(stderr, "image fixture: %s\n", archive_error_string(a));
	abort();
}

static la_ssize_t append(struct archive *a, void *arg, const void *data, size_t len)
{
	(void)a;
	buf_add(arg, data, len);
	return (la_ssize_t)len;
}

static void add_entry(struct archive *a, const struct fixture_entry *e)
{
	struct archive_entry *entry = archive_entry_new();
	size_t len = e->len ? e->len : e->content ? strlen(e->content) : 0;
	archive_entry_set_pathname(entry, e->path);
	archive_entry_set_mode(entry, (e->type ? e->type : S_IFREG) | e->mode);
	archive_entry_set_uid(entry, e->uid);
	archive_entry_set_gid(entry, e->gid);
	archive_entry_set_mtime(entry, 1700000000, 0);
	archive_entry_set_size(entry, e->type == S_IFREG ? (la_int64_t)len : 0);
	if (e->type == 0)
		archive_entry_set_hardlink(entry, e->content);
	if (e->type == S_IFLNK)
		archive_entry_set_symlink(entry, e->content);
	if (e->type == S_IFCHR || e->type == S_IFBLK)
		archive_entry_set_rdev(entry, e->device);
	if (e->xattr)
		archive_entry_xattr_add_entry(entry, e->xattr, e->xattr_value, strlen(e->xattr_value));
	check(archive_write_header(a, entry), a);
	if (e->type == S_IFREG && len && archive_write_data(a, e->content, len) != (la_ssize_t)len)
		check(ARCHIVE_FATAL, a);
	archive_entry_free(entry);
}

void image_fixture_layer(const struct fixture_entry *entries, size_t n, bool gzip, struct buf *ret)
{
	struct archive *a = archive_write_new();
	check(archive_write_set_format_pax_restricted(a), a);
	if (gzip)
		check(archive_write_add_filter_gzip(a), a);
	check(archive_write_set_options(a, "hdrcharset=BINARY"), a);
	check(archive_write_set_bytes_in_last_block(a, 1), a);
	check(archive_write_open(a, ret, NULL, append, NULL), a);
	for (size_t i = 0; i < n; i++)
		add_entry(a, &entries[i]);
	check(archive_write_close(a), a);
	archive_write_free(a);
}

static void digest(const void *data, size_t len, char *ret)
{
	unsigned char bytes[32];
	gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(ret + 2 * i, "%02x", bytes[i]);
}

/* The digest of what LAYER is uncompressed. */
static void diff_id(const struct buf *layer, char *ret)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	CLEANUP(buf_close) struct buf plain = BUF_INIT;
	archive_read_support_filter_gzip(a);
	archive_read_support_format_raw(a);
	check(archive_read_open_memory(a, layer->data, layer->len), a);
	check(archive_read_next_header(a, &entry), a);
	char chunk[65536];
	for (la_ssize_t len; (len = archive_read_data(a, chunk, sizeof(chunk))) > 0;)
		buf_add(&plain, chunk, (size_t)len);
	archive_read_free(a);
	digest(plain.data, plain.len, ret);
}

#define MAX_LAYERS 16

void image_fixture_archive(const char *path, const char *name, const char *config, struct buf *layers, bool gzip, size_t n)
{
	char hex[65], layer_names[MAX_LAYERS][100], config_name[100], manifest_name[100];
	CLEANUP(buf_close) struct buf config_text = BUF_INIT;
	CLEANUP(buf_close) struct buf manifest = BUF_INIT;
	CLEANUP(buf_close) struct buf index = BUF_INIT;
	struct fixture_entry entries[MAX_LAYERS + 4] = {
		{ .path = "oci-layout", .type = S_IFREG, .mode = 0644, .content = "{\"imageLayoutVersion\":\"1.0.0\"}" },
	};
	size_t count = 1;

#if defined(__aarch64__)
	buf_str(&config_text, "{\"architecture\":\"arm64\"");
#else
	buf_str(&config_text, "{\"architecture\":\"amd64\"");
#endif
	buf_printf(&config_text, ",\"os\":\"linux\",\"config\":%s,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[", config);
	for (size_t i = 0; i < n; i++) {
		diff_id(&layers[i], hex);
		buf_printf(&config_text, "%s\"sha256:%s\"", i ? "," : "", hex);
	}
	buf_str(&config_text, "]}}");

	digest(config_text.data, config_text.len, hex);
	snprintf(config_name, sizeof(config_name), "blobs/sha256/%s", hex);
	buf_printf(&manifest, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":"
			      "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu},\"layers\":[",
		   hex, config_text.len);
	for (size_t i = 0; i < n; i++) {
		digest(layers[i].data, layers[i].len, hex);
		snprintf(layer_names[i], sizeof(layer_names[i]), "blobs/sha256/%s", hex);
		buf_printf(&manifest, "%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar%s\",\"digest\":\"sha256:%s\",\"size\":%zu}",
			   i ? "," : "", gzip ? "+gzip" : "", hex, layers[i].len);
		entries[count++] = (struct fixture_entry){ .path = layer_names[i], .type = S_IFREG, .mode = 0644,
							   .content = layers[i].data, .len = layers[i].len };
	}
	buf_str(&manifest, "]}");
	digest(manifest.data, manifest.len, hex);
	snprintf(manifest_name, sizeof(manifest_name), "blobs/sha256/%s", hex);
	buf_printf(&index, "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":"
			   "\"sha256:%s\",\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}}]}",
		   hex, manifest.len, name);
	entries[count++] = (struct fixture_entry){ .path = config_name, .type = S_IFREG, .mode = 0644, .content = config_text.data };
	entries[count++] = (struct fixture_entry){ .path = manifest_name, .type = S_IFREG, .mode = 0644, .content = manifest.data };
	entries[count++] = (struct fixture_entry){ .path = "index.json", .type = S_IFREG, .mode = 0644, .content = index.data };

	CLEANUP(buf_close) struct buf archive = BUF_INIT;
	image_fixture_layer(entries, count, false, &archive);
	FILE *f = fopen(path, "we");
	if (!f || fwrite(archive.data, 1, archive.len, f) != archive.len || fclose(f)) {
		perror(path);
		abort();
	}
}

void image_fixture_busybox(const char *path, const char *name, const char *config)
{
	static const char *const applets[] = { "sh", "echo", "sleep", "cat", "id", "ls", "true", "false", "httpd", "wget",
					       "hostname", "env", "dd", "yes", "head", "touch", "ip", "ping", "kill" };
	static char links[ARRAY_SIZE(applets)][32];
	struct fixture_entry entries[ARRAY_SIZE(applets) + 8] = {
		{ .path = "bin", .type = S_IFDIR, .mode = 0755 },
		{ .path = "etc", .type = S_IFDIR, .mode = 0755 },
		{ .path = "tmp", .type = S_IFDIR, .mode = 01777 },
		{ .path = "etc/passwd", .type = S_IFREG, .mode = 0644, .content = "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/:/bin/sh\n" },
		{ .path = "etc/group", .type = S_IFREG, .mode = 0644, .content = "root:x:0:\nwww:x:34:\nextra:x:77:web\n" },
	};
	CLEANUP(buf_close) struct buf busybox = BUF_INIT;
	CLEANUP(buf_close) struct buf layer = BUF_INIT;
	struct err err = ERR_INIT;
	if (buf_read_file(&busybox, "/bin/busybox", 16 << 20, &err)) {
		fprintf(stderr, "%s (package busybox-static)\n", err.msg);
		abort();
	}
	size_t n = 5;
	entries[n++] = (struct fixture_entry){ .path = "bin/busybox", .type = S_IFREG, .mode = 0755, .content = busybox.data,
					       .len = busybox.len };
	for (size_t i = 0; i < ARRAY_SIZE(applets); i++) {
		snprintf(links[i], sizeof(links[i]), "bin/%s", applets[i]);
		entries[n++] = (struct fixture_entry){ .path = links[i], .type = S_IFLNK, .mode = 0777, .content = "busybox" };
	}
	image_fixture_layer(entries, n, false, &layer);
	image_fixture_archive(path, name, config, &layer, false, 1);
}
