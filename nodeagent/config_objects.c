#include "nodeagent/config_objects.h"

#include <stdlib.h>
#include <string.h>

#include "lib/informer.h"

struct config_item {
	struct informer_item item;
	struct json_object *object;
};

struct config_use {
	struct config_use *next;
	struct watched *watched;
	void (*changed)(void *arg);
	void *arg;
};

/* One object with its own informer, whose field selector names it. */
struct watched {
	struct config_objects *objects;
	char *map_key; /* "0/NAMESPACE/NAME" */
	char *key;     /* "NAMESPACE/NAME" */
	const char *name;
	enum config_kind kind;
	char *path, *query;
	struct informer_type type;
	struct informer *informer;
	struct config_use *uses;
};

struct config_objects {
	struct loop *loop;
	struct api_client *api;
	struct map watched;
};

static bool decode(void *item, struct json_object *obj, void *arg)
{
	struct config_item *config = item;

	(void)arg;
	config->object = json_object_get(obj);
	return true;
}

static void close_item(void *item)
{
	json_object_put(((struct config_item *)item)->object);
}

/* Users may drop their own hold in the call, never each other's. */
static void tell(struct watched *watched)
{
	for (struct config_use *use = watched->uses, *next; use; use = next) {
		next = use->next;
		use->changed(use->arg);
	}
}

static void added(void *item, void *arg)
{
	(void)item;
	tell(arg);
}

static void updated(void *old, void *new_, void *arg)
{
	(void)old;
	(void)new_;
	tell(arg);
}

static void synced(void *arg)
{
	tell(arg);
}

struct config_objects *config_objects_new(struct loop *loop, struct api_client *api)
{
	struct config_objects *objects = mem_zalloc(sizeof(*objects));

	objects->loop = loop;
	objects->api = api;
	return objects;
}

static void watched_free(struct watched *watched)
{
	informer_free(watched->informer);
	free(watched->map_key);
	free(watched->key);
	free(watched->path);
	free(watched->query);
	free(watched);
}

void config_objects_free(struct config_objects *objects)
{
	void *value;

	if (!objects)
		return;
	for (size_t i = 0; map_next(&objects->watched, &i, NULL, &value);)
		watched_free(value);
	map_close(&objects->watched);
	free(objects);
}

static struct watched *watch(struct config_objects *objects, enum config_kind kind, const char *namespace_,
			     const char *name)
{
	struct watched *watched = mem_zalloc(sizeof(*watched));
	CLEANUP(buf_close) struct buf query = BUF_INIT;

	watched->objects = objects;
	watched->kind = kind;
	watched->map_key = mem_printf("%d/%s/%s", (int)kind, namespace_, name);
	watched->key = mem_printf("%s/%s", namespace_, name);
	watched->name = watched->key + strlen(namespace_) + 1;
	watched->path =
	    mem_printf("/api/v1/namespaces/%s/%s", namespace_, kind == CONFIG_MAP ? "configmaps" : "secrets");
	buf_str(&query, "fieldSelector=metadata.name%3D");
	buf_url_encode(&query, name);
	watched->query = buf_take(&query);
	watched->type = (struct informer_type){
		.path = watched->path,
		.query = watched->query,
		.item_size = sizeof(struct config_item),
		.decode = decode,
		.close = close_item,
		.added = added,
		.updated = updated,
		.deleted = added,
		.synced = synced,
	};
	map_put(&objects->watched, watched->map_key, watched);
	watched->informer = informer_new(objects->loop, objects->api, &watched->type, watched);
	return watched;
}

struct config_use *config_objects_use(struct config_objects *objects, enum config_kind kind,
				      const char *namespace_, const char *name, void (*changed)(void *arg),
				      void *arg)
{
	CLEANUP(mem_freep) char *key = mem_printf("%d/%s/%s", (int)kind, namespace_, name);
	struct watched *watched = map_get(&objects->watched, key);
	struct config_use *use = mem_zalloc(sizeof(*use));

	if (!watched)
		watched = watch(objects, kind, namespace_, name);
	use->watched = watched;
	use->changed = changed;
	use->arg = arg;
	use->next = watched->uses;
	watched->uses = use;
	return use;
}

void config_objects_drop(struct config_use *use)
{
	if (!use)
		return;
	struct watched *watched = use->watched;
	for (struct config_use **p = &watched->uses; *p; p = &(*p)->next)
		if (*p == use) {
			*p = use->next;
			break;
		}
	free(use);
	if (!watched->uses) {
		map_remove(&watched->objects->watched, watched->map_key);
		watched_free(watched);
	}
}

enum config_presence config_use_get(const struct config_use *use, const struct json_object **ret_object)
{
	const struct config_item *item = informer_get(use->watched->informer, use->watched->key);

	if (item) {
		if (ret_object)
			*ret_object = item->object;
		return CONFIG_PRESENT;
	}
	return informer_synced(use->watched->informer) ? CONFIG_MISSING : CONFIG_UNKNOWN;
}

bool config_use_is(const struct config_use *use, enum config_kind kind, const char *name)
{
	return use->watched->kind == kind && strcmp(use->watched->name, name) == 0;
}
