/* kubeconfig files: whatever their text, they are parsed or refused. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_putp) struct json_object *config = NULL;
	struct err err = ERR_INIT;

	if (kubeconfig_parse("config", (const char *)data, size, &config, &err) == 0) {
		if (!json_object_is_type(config, json_type_object))
			abort();
	} else if (err.kind == ERR_NONE) {
		abort();
	}
	return 0;
}
