/* attach: the streams of a container that runs, on a client's channels. Its shim has them
 * (nodeagent/shim/attach.h).
 */
#pragma once

#include "nodeagent/streaming/channels.h"
#include "nodeagent/streaming/session.h"

struct attach_target {
	char *dir; /* the attempt's folder; taken */
	bool tty;
	bool takes_input; /* the container has a standard input; else what comes is dropped */
	bool stdin_once;  /* the container's input ends with this client's */
};
/* CHANNELS and TARGET's strings are taken. */
void attach_session_new(struct streaming *streaming, struct channels *channels,
			const struct channels_wanted *wanted, const struct attach_target *target);
