#include "apiserver/serving_files.h"

#include <string.h>

#include "lib/log.h"

#define PEM_MAX (1024 * 1024)

static int read_one(struct buf *ret, const char *flag, const char *path, struct err *err)
{
	if (path && buf_read_file(ret, path, PEM_MAX, err) < 0)
		return err_wrap(err, "--%s", flag);
	return 0;
}

static int read_all(const struct serving_files *files, struct buf *cert, struct buf *key,
		    struct buf *client_ca, struct err *err)
{
	return read_one(cert, "tls-cert", files->cert_path, err) < 0 ||
		       read_one(key, "tls-key", files->key_path, err) < 0 ||
		       read_one(client_ca, "client-ca", files->client_ca_path, err) < 0
		   ? -1
		   : 0;
}

int serving_files_read(struct serving_files *files, const char *cert_path, const char *key_path,
		       const char *client_ca_path, struct err *err)
{
	*files = (struct serving_files){ .cert_path = cert_path,
					 .key_path = key_path,
					 .client_ca_path = client_ca_path };
	return read_all(files, &files->cert, &files->key, &files->client_ca, err);
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void take(struct buf *to, struct buf *from)
{
	buf_close(to);
	*to = *from;
	*from = BUF_INIT;
}

/* A certificate whose key is not there yet, or what is no certificate, leaves the server as it is: the next
 * change is looked at again. */
static void renew(void *arg)
{
	struct serving_files *files = arg;
	CLEANUP(buf_close) struct buf cert = BUF_INIT, key = BUF_INIT, client_ca = BUF_INIT;
	struct err err = ERR_INIT;
	int result = read_all(files, &cert, &key, &client_ca, &err);
	if (result == 0 && same(&cert, &files->cert) && same(&key, &files->key) &&
	    same(&client_ca, &files->client_ca))
		return;
	if (result == 0)
		result = server_set_credentials(files->server, cert.data, key.data, client_ca.data, &err);
	if (result < 0) {
		log_warn("certificates not taken anew", "error", err.msg, NULL);
		return;
	}
	take(&files->cert, &cert);
	take(&files->key, &key);
	take(&files->client_ca, &client_ca);
	log_info("certificates taken anew", "file", files->cert_path, NULL);
}

int serving_files_watch(struct serving_files *files, struct loop *loop, struct server *server,
			struct err *err)
{
	files->server = server;
	return file_watch_open(&files->watch, loop, renew, files, err) < 0 ||
		       file_watch_add(&files->watch, files->cert_path, err) < 0 ||
		       file_watch_add(&files->watch, files->key_path, err) < 0 ||
		       file_watch_add(&files->watch, files->client_ca_path, err) < 0
		   ? -1
		   : 0;
}

void serving_files_close(struct serving_files *files)
{
	if (!files->cert_path)
		return;
	file_watch_close(&files->watch);
	buf_close(&files->cert);
	buf_close(&files->key);
	buf_close(&files->client_ca);
	*files = (struct serving_files){ 0 };
}
