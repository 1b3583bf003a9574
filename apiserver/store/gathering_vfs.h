/* SQLite's own VFS with two differences. What is written to a write-ahead log is gathered and goes to the
 * kernel in one piece; SQLite writes a log page by page, header and content of each by themselves, at odd
 * places of the file: twenty-six calls for thirteen pages, which cost the kernel six times what one call
 * does.
 *
 * Bytes that follow each other wait in memory until they are synced, read, asked for by the file's size,
 * truncated or closed, until something else is written, or until there are too many. Nobody can miss them:
 * with synchronous=FULL, which connections of this VFS must have, SQLite syncs the log before it tells of a
 * transaction in the log's index, and other connections and processes read only what the index tells of. A
 * crash finds what it could have found without this: a part of what was written since the last sync.
 *
 * And a log becomes longer by steps, with zeros, which no reader takes for a frame (there is no page 0):
 * else the disk has to flush the file's new length with each commit, in one write more.
 *
 * A write that fails is an error of the call that made the bytes go: of the sync, above all. They are dropped
 * then, and a part of them may be in the file. SQLITE_IOERR_WRITE and SQLITE_FULL say that they are not all
 * there, SQLITE_IOERR that they may be.
 */
#pragma once

#include <sqlite3.h>

/* The name for sqlite3_open_v2, registered by the first call above the VFS that is the default then; NULL,
 * which is the default itself, when there is no memory for it. Any thread. */
const char *gathering_vfs(void);
/* Between two transactions of DB: drops what one that was rolled back has left. It has no place in the log
 * any more, where another process may have written meanwhile. */
void gathering_forget(sqlite3 *db);
