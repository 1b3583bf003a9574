/* Channels over WebSocket: a message's first byte says which channel its other bytes are of. In the base64
 * protocols it is a digit, and they are base64. From version 5 on a client can say that a channel has ended:
 * channel 255, and its number.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/websocket_session.h"
#include "nodeagent/streaming/channels.h"

#define CHANNEL_CLOSE 255
#define MAX_BASE64    ((size_t)1 << 20) /* bytes of a message, which must come whole */
#define NO_CHANNEL    (-1)

const char *const channels_websocket_protocols[] = {
	"v5.channel.k8s.io", "v4.channel.k8s.io",     "v4.base64.channel.k8s.io",
	"channel.k8s.io",    "base64.channel.k8s.io", NULL,
};

struct channels_websocket {
	struct channels channels;
	struct loop *loop;
	struct websocket_session *session;
	struct channels_wanted wanted;
	bool base64, with_status, with_close;
	int channel;        /* of the message that is under way */
	struct buf message; /* of base64 */
	bool ready, finished;
	struct loop_task task; /* ready() */
};

static struct channels_websocket *of(const struct channels *channels)
{
	return CONTAINER_OF((uintptr_t)channels, struct channels_websocket, channels);
}

/* --- from the client --- */

/* The channels may be gone after it. */
static void take(struct channels_websocket *c, const void *data, size_t len)
{
	const struct channels_user *user = c->channels.user;
	uint16_t columns, rows;

	if (c->finished || len == 0)
		return;
	if (c->channel == CHANNEL_STDIN && c->wanted.in)
		user->input(data, len, c->channels.arg);
	else if (c->channel == CHANNEL_RESIZE && channels_read_size(&c->channels, data, len, &columns, &rows))
		user->resized(columns, rows, c->channels.arg);
	else if (c->channel == CHANNEL_CLOSE && c->with_close &&
		 *(const unsigned char *)data == CHANNEL_STDIN)
		user->input_ended(c->channels.arg);
}

static void take_base64(struct channels_websocket *c)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT_MAX(MAX_BASE64);
	CLEANUP(buf_close) struct buf message = c->message;

	c->message = BUF_INIT_MAX(MAX_BASE64);
	if (message.len == 0 || buf_base64_decode(message.data + 1, message.len - 1, &bytes, NULL) < 0)
		return;
	c->channel = message.data[0] - '0';
	take(c, bytes.data, bytes.len);
}

static void on_piece(const struct websocket_piece *piece, void *arg)
{
	struct channels_websocket *c = arg;
	const unsigned char *data = piece->data;
	size_t len = piece->len;

	if (c->base64) {
		buf_add(&c->message, data, len);
		if (piece->last)
			take_base64(c);
		return;
	}
	if (piece->first)
		c->channel = NO_CHANNEL;
	if (c->channel == NO_CHANNEL && len > 0) {
		c->channel = *data++;
		len--;
	}
	take(c, data, len);
}

static void on_drained(void *arg)
{
	struct channels_websocket *c = arg;

	if (!c->finished)
		c->channels.user->writable(c->channels.arg);
}

static void on_ended(const struct err *err, void *arg)
{
	struct channels_websocket *c = arg;

	(void)err;
	c->finished = true;
	c->channels.user->gone(c->channels.arg);
}

static const struct websocket_session_user session_user = { on_piece, on_drained, on_ended };

/* --- to the client --- */

static void send(struct channels_websocket *c, enum channel channel, const void *data, size_t len)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	unsigned char number = (unsigned char)(c->base64 ? '0' + (int)channel : (int)channel);

	if (c->base64) {
		buf_base64(&text, data, len);
		data = text.data;
		len = text.len;
	}
	const struct iovec parts[] = { { .iov_base = &number, .iov_len = 1 },
				       { .iov_base = (void *)(uintptr_t)data, .iov_len = len } };
	websocket_session_send(c->session, c->base64 ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, parts,
			       len > 0 ? 2 : 1);
}

static void write_channel(struct channels *channels, enum channel channel, const void *data, size_t len)
{
	struct channels_websocket *c = of(channels);

	if (!c->finished && len > 0 && (channel == CHANNEL_STDOUT ? c->wanted.out : c->wanted.err))
		send(c, channel, data, len);
}

static size_t room(const struct channels *channels)
{
	size_t unsent = websocket_session_unsent(of(channels)->session);

	return unsent < BYTE_PIPE_HIGH ? BYTE_PIPE_HIGH - unsent : 0;
}

static void hold_input(struct channels *channels, size_t unsent)
{
	if (!of(channels)->finished)
		websocket_session_set_reading(of(channels)->session, unsent <= BYTE_PIPE_LOW);
}

static void finish(struct channels *channels, const struct channels_end *end)
{
	struct channels_websocket *c = of(channels);
	const char *text = c->with_status ? end->status : end->message;

	if (c->finished)
		return;
	if (*text)
		send(c, CHANNEL_ERROR, text, strlen(text));
	c->finished = true;
	websocket_session_goodbye(c->session, WEBSOCKET_NORMAL, "");
	websocket_session_set_reading(c->session, true);
}

static void close_channels(struct channels *channels)
{
	struct channels_websocket *c = of(channels);

	loop_unpost(c->loop, &c->task);
	websocket_session_goodbye(c->session, WEBSOCKET_GOING_AWAY, "");
	websocket_session_free(c->session);
	buf_close(&c->channels.size);
	buf_close(&c->message);
	free(c);
}

static const struct channels_ops ops = { write_channel, room, hold_input, finish, close_channels };

/* An empty message tells the client that its channels are there. */
static void on_task(struct loop_task *task, void *arg)
{
	struct channels_websocket *c = arg;

	(void)task;
	send(c, c->wanted.out ? CHANNEL_STDOUT : c->wanted.err ? CHANNEL_STDERR : CHANNEL_ERROR, "", 0);
	c->channels.user->ready(c->channels.arg);
}

struct channels *channels_websocket_new(struct loop *loop, struct byte_pipe *pipe, const char *protocol,
					const struct channels_wanted *wanted)
{
	struct channels_websocket *c = mem_zalloc(sizeof(*c));

	c->channels.ops = &ops;
	c->loop = loop;
	c->wanted = *wanted;
	c->base64 = strstr(protocol, "base64") != NULL;
	c->with_close = strncmp(protocol, "v5.", 3) == 0;
	c->with_status = c->with_close || strncmp(protocol, "v4.", 3) == 0;
	c->channel = NO_CHANNEL;
	c->message = BUF_INIT_MAX(MAX_BASE64);
	c->session = websocket_session_new(pipe, true, c->base64 ? MAX_BASE64 : 0, &session_user, c);
	c->task = (struct loop_task){ .fn = on_task, .arg = c };
	loop_post(loop, &c->task);
	return &c->channels;
}
