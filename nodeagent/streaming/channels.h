/* The channels of a remote command: standard streams, errors and the terminal's size between a program here
 * and a client, whatever protocol carries them. What exec_session and attach_session stand on.
 *
 *     program ──write──▶ stdout, stderr ─────▶ client     back pressure: channels_room, writable()
 *     program ◀──input()── stdin ◀──────────── client     back pressure: channels_hold_input
 *     session ──finish──▶ error ─────────────▶ client
 *     session ◀─resized()─ resize ◀─────────── client
 */
#pragma once

#include <stdint.h>

#include "lib/buf.h"
#include "lib/byte_pipe.h"
#include "lib/loop.h"

enum channel { CHANNEL_STDIN, CHANNEL_STDOUT, CHANNEL_STDERR, CHANNEL_ERROR, CHANNEL_RESIZE, CHANNELS };

/* What the client asked for. */
struct channels_wanted {
	bool in, out, err, tty;
};

/* Told from the loop, never from within a call; each may close the channels. */
struct channels_user {
	void (*ready)(void *arg); /* the client has opened all it asked for */
	void (*input)(const void *data, size_t len, void *arg);
	void (*input_ended)(void *arg);
	void (*resized)(uint16_t columns, uint16_t rows, void *arg);
	void (*writable)(void *arg); /* room again */
	void (*gone)(void *arg);     /* the connection is over */
};

/* How it ended, as the client's last word. */
struct channels_end {
	const char *status;  /* a metav1.Status as JSON, for version 4 of the protocol and later */
	const char *message; /* for earlier ones; "": well */
};

struct channels;
struct channels_ops {
	void (*write)(struct channels *channels, enum channel channel, const void *data, size_t len);
	size_t (*room)(const struct channels *channels);
	void (*hold_input)(struct channels *channels, size_t unsent);
	void (*finish)(struct channels *channels, const struct channels_end *end);
	void (*close)(struct channels *channels);
};

struct channels {
	const struct channels_ops *ops;
	const struct channels_user *user;
	void *arg;
	struct buf size; /* of a terminal: as far as it has come */
};

/* Protocols of channels over WebSocket: "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io",
 * "channel.k8s.io", "base64.channel.k8s.io", "" (none was asked for). NULL-terminated, best first. */
extern const char *const channels_websocket_protocols[];
/* Over SPDY: "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io". */
extern const char *const channels_spdy_protocols[];

/* PIPE is taken; PROTOCOL is one of those above, kept by pointer. Who makes them sets user and arg before the
 * loop turns again. */
struct channels *channels_websocket_new(struct loop *loop, struct byte_pipe *pipe, const char *protocol,
					const struct channels_wanted *wanted);
struct channels *channels_spdy_new(struct byte_pipe *pipe, const char *protocol,
				   const struct channels_wanted *wanted);

/* STDOUT or STDERR; dropped when the client did not ask for it. */
static inline void channels_write(struct channels *channels, enum channel channel, const void *data,
				  size_t len)
{
	channels->ops->write(channels, channel, data, len);
}

/* Bytes that may be written before one should wait for `writable`. */
static inline size_t channels_room(const struct channels *channels)
{
	return channels->ops->room(channels);
}

/* UNSENT bytes of input wait at the user's, in a byte pipe; to be told after each `input` and `drained` of
 * it. */
static inline void channels_hold_input(struct channels *channels, size_t unsent)
{
	channels->ops->hold_input(channels, unsent);
}

/* Nothing is written after it. The client closes the connection, which `gone` tells. */
static inline void channels_finish(struct channels *channels, const struct channels_end *end)
{
	channels->ops->finish(channels, end);
}

/* Frees them, closes the connection after what was written. NULL is fine. */
static inline void channels_close(struct channels *channels)
{
	if (channels)
		channels->ops->close(channels);
}

/* For the implementations: bytes of the resize channel, {"Width":80,"Height":24} one after the other. True: a
 * size came. */
bool channels_read_size(struct channels *channels, const void *data, size_t len, uint16_t *ret_columns,
			uint16_t *ret_rows);
