/* The files of the server's certificate, its key and the authority of client certificates: read at start, and
 * again when they change, on the main thread's loop.
 */
#pragma once

#include "apiserver/edge/server.h"
#include "apiserver/file_watch.h"

struct serving_files {
	const char *cert_path, *key_path, *client_ca_path; /* client_ca_path NULL: no client certificates */
	struct buf cert, key, client_ca;                   /* what they hold */
	struct server *server;
	struct file_watch watch;
};

/* Reads them; the paths are kept. */
int serving_files_read(struct serving_files *files, const char *cert_path, const char *key_path,
		       const char *client_ca_path, struct err *err);
/* SERVER, which shows what was read, gets what they hold when they change. */
int serving_files_watch(struct serving_files *files, struct loop *loop, struct server *server,
			struct err *err);
/* Before the server and the loop go. All zero is fine. */
void serving_files_close(struct serving_files *files);
