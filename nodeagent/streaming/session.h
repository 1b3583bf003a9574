/* Sessions between a client and a pod, as the streaming server keeps them: what they have in common is that
 * they end by themselves, or with the server.
 */
#pragma once

#include <sys/queue.h>

#include "nodeagent/exec_process.h"

struct session {
	LIST_ENTRY(session) link;
	void (*free)(struct session *session); /* takes it off the list */
};
LIST_HEAD(sessions, session);

/* What sessions share; outlives them. */
struct streaming {
	struct loop *loop;
	struct sessions sessions;
	struct exec_processes processes;
};

/* How long a client may take to open its channels, and to close a connection that has said all. */
#define SESSION_OPEN_MS  30000
#define SESSION_CLOSE_MS 5000
