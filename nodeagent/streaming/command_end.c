#include "nodeagent/streaming/command_end.h"

#define MAX_SHOWN 4096 /* bytes of a command in a message */

void command_end_well(struct channels *channels)
{
	const struct channels_end end = { .status = "{\"metadata\":{},\"status\":\"Success\"}",
					  .message = "" };

	channels_finish(channels, &end);
}

void command_end_code(struct channels *channels, const char *const *argv, int code)
{
	CLEANUP(buf_close) struct buf message = BUF_INIT_MAX(MAX_SHOWN);
	CLEANUP(buf_close) struct buf status = BUF_INIT;

	buf_str(&message, "command terminated with non-zero exit code: error executing command [");
	for (size_t i = 0; argv[i]; i++)
		buf_printf(&message, "%s%s", i ? " " : "", argv[i]);
	buf_printf(&message, "], exit code %d", code);
	if (message.failed) {
		buf_reset(&message);
		buf_printf(&message, "command terminated with non-zero exit code: %d", code);
	}
	buf_str(&status, "{\"metadata\":{},\"status\":\"Failure\",\"message\":");
	buf_json_string(&status, message.data);
	buf_printf(&status,
		   ",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\","
		   "\"message\":\"%d\"}]}}",
		   code);
	const struct channels_end end = { .status = status.data, .message = message.data };
	channels_finish(channels, &end);
}

void command_end_error(struct channels *channels, const char *what, const struct err *err)
{
	CLEANUP(buf_close) struct buf message = BUF_INIT;
	CLEANUP(buf_close) struct buf status = BUF_INIT;

	buf_printf(&message, "error %s container: %s", what, err->msg);
	buf_str(&status, "{\"metadata\":{},\"status\":\"Failure\",\"message\":");
	CLEANUP(mem_freep) char *whole = mem_printf("Internal error occurred: %s", message.data);
	buf_json_string(&status, whole);
	buf_str(&status, ",\"reason\":\"InternalError\",\"details\":{\"causes\":[{\"message\":");
	buf_json_string(&status, message.data);
	buf_str(&status, "}]},\"code\":500}");
	const struct channels_end end = { .status = status.data, .message = whole };
	channels_finish(channels, &end);
}
