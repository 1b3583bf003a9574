/* Channels over SPDY/3.1: a stream for each, opened by the client, whose header streamType names it. Resizing
 * is known from version 3 on, the Status from version 4 on.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/spdy_headers.h"
#include "lib/spdy_session.h"
#include "nodeagent/streaming/channels.h"

const char *const channels_spdy_protocols[] = { "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
						"channel.k8s.io", NULL };

static const char *const stream_types[CHANNELS] = {
	[CHANNEL_STDIN] = "stdin", [CHANNEL_STDOUT] = "stdout", [CHANNEL_STDERR] = "stderr",
	[CHANNEL_ERROR] = "error", [CHANNEL_RESIZE] = "resize",
};

struct channels_spdy;
struct stream_of_channel {
	struct channels_spdy *owner;
	enum channel channel;
	struct spdy_stream *stream; /* NULL: not opened, or wanted */
	bool wanted;
};

struct channels_spdy {
	struct channels channels;
	struct spdy_session *session;
	struct spdy_headers *headers;
	struct stream_of_channel streams[CHANNELS];
	bool with_status, ready, finished;
};

static struct channels_spdy *of(const struct channels *channels)
{
	return CONTAINER_OF((uintptr_t)channels, struct channels_spdy, channels);
}

/* --- from the client --- */

static void on_data(const void *data, size_t len, void *arg)
{
	const struct stream_of_channel *s = arg;
	struct channels_spdy *c = s->owner;
	uint16_t columns, rows;

	if (c->finished)
		return;
	if (s->channel == CHANNEL_STDIN)
		c->channels.user->input(data, len, c->channels.arg);
	else if (s->channel == CHANNEL_RESIZE && channels_read_size(&c->channels, data, len, &columns, &rows))
		c->channels.user->resized(columns, rows, c->channels.arg);
}

static void on_stream_ended(bool reset, void *arg)
{
	const struct stream_of_channel *s = arg;
	struct channels_spdy *c = s->owner;

	(void)reset;
	if (s->channel == CHANNEL_STDIN && !c->finished)
		c->channels.user->input_ended(c->channels.arg);
}

static void on_writable(void *arg)
{
	struct channels_spdy *c = arg;

	if (!c->finished)
		c->channels.user->writable(c->channels.arg);
}

static void on_stream_writable(void *arg)
{
	on_writable(((const struct stream_of_channel *)arg)->owner);
}

static const struct spdy_stream_user stream_user = { on_data, on_stream_ended, on_stream_writable };

static int on_headers(const void *block, size_t len, struct err *err, void *arg)
{
	const struct channels_spdy *c = arg;

	return spdy_headers_read(c->headers, block, len, err);
}

/* All that are wanted are there: that is told once. */
static bool complete(const struct channels_spdy *c)
{
	for (size_t i = 0; i < CHANNELS; i++)
		if (c->streams[i].wanted && !c->streams[i].stream)
			return false;
	return true;
}

static bool on_opened(struct spdy_stream *stream, void *arg)
{
	struct channels_spdy *c = arg;
	const char *type = spdy_headers_get(c->headers, "streamtype");

	for (size_t i = 0; type && i < CHANNELS; i++) {
		struct stream_of_channel *s = &c->streams[i];
		if (strcmp(type, stream_types[i]) != 0)
			continue;
		if (!s->wanted || s->stream)
			return false;
		s->stream = stream;
		spdy_stream_use(stream, &stream_user, s);
		if (!c->ready && complete(c)) {
			c->ready = true;
			c->channels.user->ready(c->channels.arg);
		}
		return true;
	}
	return false;
}

static void on_gone(const struct err *err, void *arg)
{
	struct channels_spdy *c = arg;

	(void)err;
	c->finished = true;
	c->channels.user->gone(c->channels.arg);
}

static const struct spdy_session_user session_user = { on_headers, on_opened, on_writable, on_gone };

/* --- to the client --- */

static void write_channel(struct channels *channels, enum channel channel, const void *data, size_t len)
{
	struct channels_spdy *c = of(channels);

	if (!c->finished && c->streams[channel].stream)
		spdy_stream_write(c->streams[channel].stream, data, len);
}

static size_t room(const struct channels *channels)
{
	const struct channels_spdy *c = of(channels);
	size_t least = BYTE_PIPE_HIGH;

	for (enum channel i = CHANNEL_STDOUT; i <= CHANNEL_STDERR; i++) {
		if (!c->streams[i].stream)
			continue;
		size_t n = spdy_stream_room(c->streams[i].stream);
		if (n < least)
			least = n;
	}
	return least;
}

static void hold_input(struct channels *channels, size_t unsent)
{
	struct channels_spdy *c = of(channels);

	if (c->streams[CHANNEL_STDIN].stream && !c->finished)
		spdy_stream_hold(c->streams[CHANNEL_STDIN].stream, unsent);
}

static void finish(struct channels *channels, const struct channels_end *end)
{
	struct channels_spdy *c = of(channels);
	const char *text = c->with_status ? end->status : end->message;

	if (c->finished)
		return;
	hold_input(channels, 0);
	write_channel(channels, CHANNEL_ERROR, text, strlen(text));
	c->finished = true;
	for (size_t i = 0; i < CHANNELS; i++)
		if (c->streams[i].stream)
			spdy_stream_finish(c->streams[i].stream);
	spdy_session_goaway(c->session);
}

static void close_channels(struct channels *channels)
{
	struct channels_spdy *c = of(channels);

	spdy_session_free(c->session);
	spdy_headers_free(c->headers);
	buf_close(&c->channels.size);
	free(c);
}

static const struct channels_ops ops = { write_channel, room, hold_input, finish, close_channels };

struct channels *channels_spdy_new(struct byte_pipe *pipe, const char *protocol,
				   const struct channels_wanted *wanted)
{
	struct channels_spdy *c = mem_zalloc(sizeof(*c));
	bool resizes = strncmp(protocol, "v4.", 3) == 0 || strncmp(protocol, "v3.", 3) == 0;
	const bool wants[CHANNELS] = { wanted->in, wanted->out, wanted->err, true, wanted->tty && resizes };

	c->channels.ops = &ops;
	c->with_status = strncmp(protocol, "v4.", 3) == 0;
	c->headers = spdy_headers_new();
	for (size_t i = 0; i < CHANNELS; i++)
		c->streams[i] =
		    (struct stream_of_channel){ .owner = c, .channel = (enum channel)i, .wanted = wants[i] };
	c->session = spdy_session_new(pipe, true, &session_user, c);
	return &c->channels;
}
