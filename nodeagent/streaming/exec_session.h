/* exec: a program in a container, its streams on a client's channels.
 *
 *     OPENING ──ready──▶ STARTING ──▶ RUNNING ──▶ SAID ──▶ gone
 *                            └────────failed───────▲
 *
 * When the client goes before the program does, the program loses its streams: as with ssh, a reader of
 * standard input sees its end, a writer gets SIGPIPE, and with a terminal all of the session get SIGHUP.
 * (Kubernetes lets the latter run on.)
 */
#pragma once

#include "nodeagent/streaming/channels.h"
#include "nodeagent/streaming/session.h"

/* Finds the container when the channels are open: it may have ended meanwhile. */
struct exec_target {
	struct container *(*find)(void *arg, struct err *err); /* NULL and *err: it does not run */
	void (*free)(void *arg);
	void *arg;
};
/* CHANNELS, ARGV (NULL-terminated, all of it from malloc) and TARGET are taken. */
void exec_session_new(struct streaming *streaming, struct channels *channels,
		      const struct channels_wanted *wanted, char **argv, const struct exec_target *target);
