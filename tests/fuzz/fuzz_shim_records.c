/* The files a container leaves on disk: whatever stands in them, no record that is taken names a process or
 * cgroup that must not be signalled. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nodeagent/container_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct container_record record;
	struct shim_record shim;
	struct state_record state;
	struct exit_record end;
	if (!container_record_parse(text, size, &record, NULL) &&
	    (strlen(record.id) != 64 || record.cgroup[0] == '/' || !record.cgroup[0] ||
	     strstr(record.cgroup, "..")))
		abort();
	if (!container_record_parse_shim(text, size, &shim, NULL) && shim.pid <= 1)
		abort();
	if (!container_record_parse_state(text, size, &state, NULL) && state.pid <= 1)
		abort();
	if (!container_record_parse_exit(text, size, &end, NULL) &&
	    (end.exit_code < 0 || end.exit_code > 255))
		abort();
	return 0;
}
