#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/description.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/session.h"

static struct {
	bool recursive;
	const char *api_version;
} flags;

static const struct flag explain_flags[] = {
	{ "recursive", 0, FLAG_BOOL, &flags.recursive, NULL, "fields of fields too, names and types only",
	  NULL, NULL },
	{ "api-version", 0, FLAG_STRING, &flags.api_version, "GROUP/VERSION", "of this version", NULL, NULL },
	{ 0 },
};

enum { MAX_DEEP = 64 };

/* "Always|Never" as a copy, or NULL. */
static char *values_of(const struct schema_def *def, const struct schema_field *field)
{
	size_t len;
	const char *values =
	    field->container == SCHEMA_SINGLE ? description_values(def, field->name, &len) : NULL;

	return values ? mem_dupn(values, len) : NULL;
}

/* The first few of them, as kubectl does. */
static void print_values(const struct schema_def *def, const struct schema_field *field, unsigned depth)
{
	enum { SHOWN = 4 };
	CLEANUP(mem_freep) char *values = values_of(def, field);
	char *rest = values;

	if (!values)
		return;
	printf("%*senum: ", (int)(2 * depth), "");
	for (size_t i = 0; rest && i <= SHOWN; i++)
		printf("%s%s", i ? ", " : "", i < SHOWN ? strsep(&rest, "|") : "....");
	putchar('\n');
}

static void print_name(const struct schema_def *def, const struct schema_field *field, unsigned depth)
{
	char type[128];

	printf("%*s%s\t%s%s\n", (int)(2 * depth), "", field->name,
	       schema_explain_type(field, type, sizeof(type)), field->required ? " -required-" : "");
	print_values(def, field, depth);
}

/* ABOVE: definitions that this one lies in; some (JSONSchemaProps) hold themselves and are shown once. */
static void print_tree(const struct schema_def *def, unsigned depth, const struct schema_def **above)
{
	for (unsigned i = 0; i < depth - 1; i++)
		if (above[i] == def)
			return;
	above[depth - 1] = def;
	for (size_t i = 0; i < def->n_fields; i++) {
		print_name(def, &def->fields[i], depth);
		if (def->fields[i].def && depth + 1 < MAX_DEEP)
			print_tree(def->fields[i].def, depth + 1, above);
	}
}

/* TEXT in lines of at most WIDTH, indented. */
static void print_wrapped(const char *text, size_t len)
{
	enum { WIDTH = 76 };

	while (len) {
		size_t line = len;
		if (line > WIDTH) {
			line = WIDTH;
			while (line && text[line] != ' ')
				line--;
			if (!line) /* a word longer than a line */
				line = WIDTH;
		}
		printf("    %.*s\n", (int)line, text);
		while (line < len && text[line] == ' ')
			line++;
		text += line;
		len -= line;
	}
}

static bool print_description(const struct schema_def *def, const char *field)
{
	size_t len;
	const char *text = description_find(def, field, &len);

	if (text)
		print_wrapped(text, len);
	return text;
}

static void print_fields(const struct schema_def *def)
{
	const struct schema_def *above[MAX_DEEP] = { NULL };

	puts("FIELDS:");
	if (flags.recursive) {
		print_tree(def, 1, above);
		putchar('\n');
		return;
	}
	for (size_t i = 0; i < def->n_fields; i++) {
		print_name(def, &def->fields[i], 1);
		if (!print_description(def, def->fields[i].name))
			puts("    <no description>");
		putchar('\n');
	}
	putchar('\n');
}

/* FIELD of HOLDER, or, both NULL, the kind itself. */
static void print_head(const struct resource *resource, const struct schema_def *holder,
		       const struct schema_field *field)
{
	const struct schema_def *def = field ? field->def : resource->def;
	char type[128];

	if (*resource->group)
		printf("GROUP:      %s\n", resource->group);
	printf("KIND:       %s\nVERSION:    %s\n\n", resource->kind_name, resource->version);
	if (field) {
		CLEANUP(mem_freep) char *values = values_of(holder, field);
		printf("FIELD: %s %s\n", field->name, schema_explain_type(field, type, sizeof(type)));
		puts(values ? "ENUM:" : "\n");
		for (char *rest = values, *value; (value = strsep(&rest, "|"));)
			printf("    %s\n", value);
		if (values)
			putchar('\n');
	}
	puts("DESCRIPTION:");
	bool any = field && print_description(holder, field->name);
	if (def)
		any |= print_description(def, "");
	puts(any ? "    " : "    <empty>");
}

static const struct resource *find_resource(const char *type)
{
	const struct resource *resource = resource_find_typed(type);

	if (!resource || !flags.api_version || strcmp(resource->group_version, flags.api_version) == 0)
		return resource;
	return resource_find_kind(flags.api_version, resource->kind_name);
}

static int run_explain(char **args, size_t n_args)
{
	if (n_args != 1)
		return command_usage_error(
		    "explain", n_args
				   ? "We accept only this format: explain RESOURCE"
				   : "You must specify the type of resource to explain. Use \"kubectl-lite "
				     "api-resources\" for a complete list of supported resources.");
	CLEANUP(mem_freep) char *copy = mem_dup(args[0]);
	char *rest = copy, *type = strsep(&rest, ".");
	const struct resource *resource = find_resource(type);
	if (!resource) {
		fprintf(stderr, "the server doesn't have a resource type \"%s\"\n", type);
		return 1;
	}
	const struct schema_def *def = resource->def;
	const struct schema_def *holder = NULL;
	const struct schema_field *field = NULL;
	for (char *name; (name = strsep(&rest, "."));) {
		if (!*name && !rest)
			break; /* "pods.spec." */
		holder = def;
		field = def ? schema_field_find(def, name, strlen(name)) : NULL;
		if (!field)
			return command_error("field \"%s\" does not exist", name);
		def = field->def;
	}
	print_head(resource, holder, field);
	if (def && def->n_fields)
		print_fields(def);
	else
		putchar('\n');
	return 0;
}

const struct command command_explain = {
	.name = "explain",
	.about = "Show what fields an object has, their types and what they are for",
	.usage = "explain TYPE[.FIELD...] [flags]",
	.help = "Examples:\n"
		"  kubectl-lite explain pods.spec.containers\n"
		"  kubectl-lite explain deployment --recursive\n",
	.flags = explain_flags,
	.run = run_explain,
};
