#include "lib/byte_pump.h"

#include <stdlib.h>

#include "lib/mem.h"

struct byte_pump;

struct end {
	struct byte_pump *pump;
	struct byte_pipe *pipe;
	struct end *other;
};

struct byte_pump {
	struct end ends[2];
};

static void on_received(void *data, size_t len, void *arg)
{
	const struct end *from = arg;

	byte_pipe_write(from->other->pipe, data, len);
	if (byte_pipe_unsent(from->other->pipe) >= BYTE_PIPE_HIGH)
		byte_pipe_set_reading(from->pipe, false);
}

static void on_drained(void *arg)
{
	const struct end *to = arg;

	byte_pipe_set_reading(to->other->pipe, true);
}

static void on_ended(const struct err *err, void *arg)
{
	const struct end *end = arg;
	struct byte_pump *pump = end->pump;

	(void)err;
	byte_pipe_close(pump->ends[0].pipe);
	byte_pipe_close(pump->ends[1].pipe);
	free(pump);
}

static const struct byte_pipe_user user = { on_received, on_drained, on_ended };

void byte_pump_start(struct byte_pipe *a, struct byte_pipe *b)
{
	struct byte_pump *pump = mem_zalloc(sizeof(*pump));

	pump->ends[0] = (struct end){ pump, a, &pump->ends[1] };
	pump->ends[1] = (struct end){ pump, b, &pump->ends[0] };
	for (size_t i = 0; i < 2; i++) {
		pump->ends[i].pipe->user = &user;
		pump->ends[i].pipe->arg = &pump->ends[i];
	}
	byte_pipe_set_reading(a, true);
	byte_pipe_set_reading(b, true);
}
