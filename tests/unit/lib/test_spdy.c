#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/spdy.h"

/* What a reader made of an input: "9:1 +100. " for each frame, data as text; and "!" and the error. */
static void feed(const void *data, size_t len, size_t step, struct buf *ret)
{
	struct spdy_reader reader = { 0 };
	enum spdy_event event = SPDY_MORE;
	struct err err = ERR_INIT;
	struct spdy_frame frame;
	bool in_data = false;

	buf_str(ret, "");
	for (size_t at = 0; at < len && event != SPDY_BAD; at += step) {
		size_t size = at + step < len ? step : len - at;
		CLEANUP(mem_freep) unsigned char *copy = mem_copy((const char *)data + at, size);
		const unsigned char *p = copy, *end = copy + size;

		while ((event = spdy_next(&reader, &p, end, &frame, &err)) == SPDY_FRAME) {
			if (!in_data || frame.type != SPDY_DATA)
				buf_printf(ret, "%s%d:%u ", in_data ? ". " : "", (int)frame.type,
					   frame.stream);
			in_data = frame.type == SPDY_DATA;
			if (frame.value)
				buf_printf(ret, "+%u", frame.value);
			if (in_data)
				buf_add(ret, frame.data, frame.len);
			else if (frame.data)
				buf_printf(ret, "[%zu]", frame.len);
			if (frame.fin)
				buf_str(ret, "F");
			if (!in_data)
				buf_str(ret, ". ");
		}
		assert_true(event == SPDY_BAD || p == end);
	}
	if (event == SPDY_BAD)
		buf_printf(ret, "!%s", err.msg);
	spdy_reader_close(&reader);
}

static void check(const void *data, size_t len, const char *want)
{
	for (size_t step = 1; step <= len; step++) {
		CLEANUP(buf_close) struct buf seen = BUF_INIT;
		feed(data, len, step, &seen);
		assert_string_equal(seen.data, want);
	}
}

#define BYTES(text) (text), sizeof(text) - 1

static void frames(void **state)
{
	(void)state;
	check(BYTES("\x00\x00\x00\x01\x00\x00\x00\x03"
		    "abc"
		    "\x00\x00\x00\x01\x01\x00\x00\x00"),
	      "0:1 abcF");
	check(BYTES("\x80\x03\x00\x01\x01\x00\x00\x0c\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00zz"),
	      "1:5 [2]F. ");
	check(BYTES("\x80\x03\x00\x02\x00\x00\x00\x04\x00\x00\x00\x05"), "2:5 [0]. ");
	check(BYTES("\x80\x03\x00\x03\x00\x00\x00\x08\x00\x00\x00\x05\x00\x00\x00\x03"), "3:5 +3. ");
	check(BYTES("\x80\x03\x00\x06\x00\x00\x00\x04\x80\x00\x00\x05"), "6:2147483653 . ");
	check(BYTES("\x80\x03\x00\x09\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x10\x00"), "9:0 +4096. ");
	check(BYTES("\x80\x03\x00\x04\x00\x00\x00\x14\x00\x00\x00\x02"
		    "\x00\x00\x00\x04\x00\x00\x00\x64"
		    "\x00\x00\x00\x07\x00\x10\x00\x00"),
	      "4:0 +1048576. ");
	/* CREDENTIAL, which nobody speaks, is skipped. */
	check(BYTES("\x80\x03\x00\x0a\x00\x00\x00\x02zz\x80\x03\x00\x07\x00\x00\x00\x08\x00\x00\x00\x01\x00"
		    "\x00\x00\x00"),
	      "7:1 . ");
}

static void refused(void **state)
{
	(void)state;
	check(BYTES("\x00\x00\x00\x00\x00\x00\x00\x00"), "!spdy: data for stream 0");
	check(BYTES("\x80\x02\x00\x06\x00\x00\x00\x04"), "!spdy: not SPDY/3");
	check(BYTES("\x80\x03\x00\x06\x00\x01\x00\x01"), "!spdy: a control frame that is too long");
	check(BYTES("\x80\x03\x00\x06\x00\x00\x00\x05\x00\x00\x00\x05\x01"),
	      "!spdy: a control frame of the wrong length");
	check(BYTES("\x80\x03\x00\x01\x00\x00\x00\x04\x00\x00\x00\x05"),
	      "!spdy: a control frame of the wrong length");
	check(BYTES("\x80\x03\x00\x04\x00\x00\x00\x0c\xff\xff\xff\xff\x00\x00\x00\x04\x00\x00\x00\x64"),
	      "!spdy: SETTINGS that do not add up");
}

static void there_and_back(void **state)
{
	const struct spdy_header headers[] = { { "streamtype", "stdin" }, { "port", "80" } };
	CLEANUP(buf_close) struct buf out = BUF_INIT;
	bool begun = false;

	(void)state;
	spdy_write_headers(&out, SPDY_SYN_STREAM, 1, false, headers, 2, &begun);
	spdy_write_headers(&out, SPDY_SYN_REPLY, 2, true, NULL, 0, &begun);
	spdy_write_data(&out, 3, true, "hello", 5);
	spdy_write_rst(&out, 4, SPDY_CANCEL);
	spdy_write_ping(&out, 5);
	spdy_write_goaway(&out, 6);
	spdy_write_window_update(&out, 7, 8);
	/* Only the first block begins the zlib stream. */
	check(out.data, out.len, "1:1 [53]. 2:2 [14]F. 0:3 helloF. 3:4 +5. 6:5 . 7:6 . 9:7 +8. ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),
		cmocka_unit_test(refused),
		cmocka_unit_test(there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
