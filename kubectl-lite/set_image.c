#include <stdio.h>
#include <string.h>

#include "kubectl-lite/session.h"
#include "kubectl-lite/set_change.h"

/* The words CONTAINER=IMAGE. */
struct images {
	char **words;
	size_t n;
};

static const struct flag image_flags[] = {
	SET_FLAGS,
	{ 0 },
};

/* Sets the image of the containers under KEY that NAME means; how many those are. */
static size_t set_in(struct json_object *spec, const char *key, const char *name, const char *image)
{
	struct json_object *containers = json_get(spec, key);
	size_t n = 0;

	for (size_t i = 0; i < json_len(containers); i++) {
		struct json_object *container = json_at(containers, i);
		if (!set_matches(name, json_str_or_empty(container, "name")))
			continue;
		json_set_str(container, "image", image);
		n++;
	}
	return n;
}

static int make_images(const struct object *object, struct json_object *obj, const void *arg, struct err *err)
{
	const struct images *images = arg;
	struct json_object *spec = set_pod_spec(object, obj, err);

	if (!spec)
		return -1;
	for (size_t i = 0; i < images->n; i++) {
		const char *equals = strchr(images->words[i], '=');
		CLEANUP(mem_freep)
		char *name = mem_dupn(images->words[i], (size_t)(equals - images->words[i]));
		if (set_in(spec, "initContainers", name, equals + 1) +
			set_in(spec, "containers", name, equals + 1) ==
		    0)
			return err_set(err, ERR_PARSE, "unable to find container named \"%s\"", name);
	}
	return 0;
}

/* NULL, or a text of ERR. */
static const char *find_fault(const struct images *images, struct err *err)
{
	if (!images->n)
		return "at least one image update is required";
	for (size_t i = 0; i < images->n; i++) {
		if (!strchr(images->words[i], '=')) {
			err_set(err, ERR_PARSE, "invalid image format: %s", images->words[i]);
			return err->msg;
		}
		if (images->n > 1 && strncmp(images->words[i], "*=", 2) == 0)
			return "all containers are already specified by *, but saw more than one "
			       "container_name=container_image pairs";
	}
	return NULL;
}

static int run_image(char **args, size_t n_args)
{
	struct err err = ERR_INIT;
	size_t n = 0;

	if (set_split(args, n_args, "image", &n, &err) < 0)
		return session_failed(&err);
	struct images images = { args + n, n_args - n };
	return set_run(args, n,
		       &(struct set_change){ .done = "image updated",
					     .failed_to = "failed to patch image update to pod template:",
					     .fault = find_fault(&images, &err),
					     .make = make_images,
					     .arg = &images });
}

const struct command set_image = {
	.name = "image",
	.about = "Set the images of containers",
	.usage = "set image (TYPE NAME | TYPE/NAME | -f FILE) CONTAINER=IMAGE... [flags]",
	.help = "Examples:\n"
		"  kubectl-lite set image deployment/web web=web:v2\n"
		"  kubectl-lite set image deployment/web '*=web:v2'\n"
		"  kubectl-lite set image -f web.yaml web=web:v2 --local -o yaml\n",
	.flags = image_flags,
	.run = run_image,
};
