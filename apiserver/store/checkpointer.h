/* A thread with its own connection that copies SQLite's write-ahead log into the database file while commits
 * go on (passive checkpoints block no writer). It is started by the first request.
 */
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>

struct checkpointer {
	bool started;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool asked, stop; /* under lock */
	atomic_bool busy;
	sqlite3 *db;
};

/* Has one pass made over the log of the database at PATH; does nothing when it cannot. */
void checkpointer_ask(struct checkpointer *checkpointer, const char *path);
/* A pass was asked for and is not over. */
bool checkpointer_busy(const struct checkpointer *checkpointer);
/* Waits for the pass under way and ends the thread. */
void checkpointer_stop(struct checkpointer *checkpointer);
