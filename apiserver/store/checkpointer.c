#include "apiserver/store/checkpointer.h"

#include <signal.h>

#include "apiserver/store/sqlite.h"

static void *run(void *arg)
{
	struct checkpointer *checkpointer = arg;

	pthread_mutex_lock(&checkpointer->lock);
	while (!checkpointer->stop) {
		if (!checkpointer->asked) {
			pthread_cond_wait(&checkpointer->changed, &checkpointer->lock);
			continue;
		}
		checkpointer->asked = false;
		pthread_mutex_unlock(&checkpointer->lock);
		sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		atomic_store(&checkpointer->busy, false);
		pthread_mutex_lock(&checkpointer->lock);
	}
	pthread_mutex_unlock(&checkpointer->lock);
	return NULL;
}

/* A connection that has read nothing does not know that the database has a log: its checkpoints succeed and
 * copy nothing. */
static bool open_database(struct checkpointer *checkpointer, const char *path)
{
	if (sqlite_connect(path, &checkpointer->db, NULL) < 0)
		return false;
	if (sqlite3_exec(checkpointer->db, "PRAGMA synchronous=FULL; SELECT count(*) FROM sqlite_schema",
			 NULL, NULL, NULL) == SQLITE_OK)
		return true;
	sqlite3_close(checkpointer->db);
	return false;
}

static bool start(struct checkpointer *checkpointer, const char *path)
{
	sigset_t all, before;
	int error;

	if (!open_database(checkpointer, path))
		return false;
	sqlite3_db_config(checkpointer->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	pthread_mutex_init(&checkpointer->lock, NULL);
	pthread_cond_init(&checkpointer->changed, NULL);
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&checkpointer->thread, NULL, run, checkpointer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		sqlite3_close(checkpointer->db);
		return false;
	}
	pthread_setname_np(checkpointer->thread, "checkpointer");
	checkpointer->started = true;
	return true;
}

void checkpointer_ask(struct checkpointer *checkpointer, const char *path)
{
	if (!checkpointer->started && !start(checkpointer, path))
		return;
	atomic_store(&checkpointer->busy, true);
	pthread_mutex_lock(&checkpointer->lock);
	checkpointer->asked = true;
	pthread_cond_signal(&checkpointer->changed);
	pthread_mutex_unlock(&checkpointer->lock);
}

bool checkpointer_busy(const struct checkpointer *checkpointer)
{
	return atomic_load(&checkpointer->busy);
}

void checkpointer_stop(struct checkpointer *checkpointer)
{
	if (!checkpointer->started)
		return;
	pthread_mutex_lock(&checkpointer->lock);
	checkpointer->stop = true;
	pthread_cond_signal(&checkpointer->changed);
	pthread_mutex_unlock(&checkpointer->lock);
	pthread_join(checkpointer->thread, NULL);
	sqlite3_close(checkpointer->db);
	checkpointer->started = false;
}
