#include "apiserver/encryption_file.h"

#include "lib/log.h"

void encryption_file_init(struct encryption_file *file, const char *path)
{
	*file = (struct encryption_file){ .path = path };
	if (path)
		file->stamp = file_stamp_take(path);
}

static void renew(void *arg)
{
	struct encryption_file *file = arg;
	struct encryption *encryption = NULL;
	struct err err = ERR_INIT;
	if (!file_stamp_changed(&file->stamp))
		return;
	if (encryption_new(file->path, &encryption, &err) < 0 ||
	    store_encrypted_reload(file->store, encryption, &err) < 0)
		log_warn("encryption configuration not taken anew", "file", file->path, "error", err.msg,
			 NULL);
	else
		log_info("encryption configuration taken anew, for what is written from here on", "file",
			 file->path, NULL);
}

int encryption_file_watch(struct encryption_file *file, struct loop *loop, struct err *err)
{
	if (!file->path)
		return 0;
	if (file_watch_open(&file->watch, loop, renew, file, err) < 0 ||
	    file_watch_add(&file->watch, file->path, err) < 0)
		return -1;
	/* It may have changed while the store was loaded. */
	renew(file);
	return 0;
}

void encryption_file_close(struct encryption_file *file)
{
	file_watch_close(&file->watch);
}
