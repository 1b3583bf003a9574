/* ConfigMaps of the tests of the core: of namespace d, with one key. */
#pragma once

#include "tests/unit/apiserver/core_fixture.h"

static inline struct object *config_map(const char *name, const char *value)
{
	return make(config_maps(),
		    "\"name\":\"%s\",\"namespace\":\"d\",\"uid\":\"uid-%s\"},\"data\":{\"k\":\"%s\"}", name,
		    name, value);
}

/* The revision, 0 on error. */
static inline uint64_t create_config_map(struct core *core, const char *name, const char *value)
{
	return put_object(core, CORE_CREATE, config_map(name, value), 0);
}

static inline UNUSED uint64_t update_config_map(struct core *core, const char *name, const char *value)
{
	return put_object(core, CORE_UPDATE, config_map(name, value), 0);
}
