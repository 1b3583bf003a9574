#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/description.h"
#include "kubectl-lite/commands.h"
#include "kubectl-lite/explain_text.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/types.h"

static struct {
	bool recursive;
	const char *api_version, *output;
} flags = { .output = "plaintext" };

static const struct flag explain_flags[] = {
	{ "recursive", 0, FLAG_BOOL, &flags.recursive, NULL, "fields of fields too, names and types only",
	  NULL, NULL },
	{ "api-version", 0, FLAG_STRING, &flags.api_version, "GROUP/VERSION", "of this version", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "plaintext, the only form", NULL, NULL },
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

static void print_name(const struct schema_def *def, const struct schema_field *field, unsigned depth)
{
	CLEANUP(mem_freep) char *values = values_of(def, field);
	char type[128];

	explain_name(field->name, schema_explain_type(field, type, sizeof(type)), field->required, values,
		     depth);
}

/* ABOVE: definitions that this one lies in; some (JSONSchemaProps) hold themselves and are shown once. */
static void print_tree(const struct schema_def *def, unsigned depth, const struct schema_def **above)
{
	for (unsigned i = 0; i < depth - 1; i++)
		if (above[i] == def)
			return;
	above[depth - 1] = def;
	for (size_t i = 0; i < def->n_fields; i++) {
		print_name(def, &schema_fields(def)[i], depth);
		if (schema_fields(def)[i].def && depth + 1 < MAX_DEEP)
			print_tree(schema_fields(def)[i].def, depth + 1, above);
	}
}

static bool print_description(const struct schema_def *def, const char *field)
{
	size_t len;
	const char *text = description_find(def, field, &len);

	if (text)
		explain_paragraph(text, len);
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
		print_name(def, &schema_fields(def)[i], 1);
		if (!print_description(def, schema_fields(def)[i].name))
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

	if (field) {
		CLEANUP(mem_freep) char *values = values_of(holder, field);
		explain_field(field->name, schema_explain_type(field, type, sizeof(type)), values);
	}
	puts("DESCRIPTION:");
	bool any = field && print_description(holder, field->name);
	if (def)
		any |= print_description(def, "");
	puts(any ? "    " : "    <empty>");
}

/* What WORD ("pods.spec", "deployments.apps.spec") names: the type, and *ret_fields, what is behind it or
 * NULL. A group may stand between them; the type with the longest one is meant. */
static const struct resource *
find_with_group(const char *word, const struct resource *(*find)(const char *name), const char **ret_fields)
{
	CLEANUP(mem_freep) char *name = mem_dup(word);

	for (;;) {
		const struct resource *found = find(name);
		char *dot = strrchr(name, '.');
		if (found) {
			size_t len = strlen(name);
			*ret_fields = word[len] ? word + len + 1 : NULL;
			return found;
		}
		if (!dot)
			return NULL;
		*dot = '\0';
	}
}

static const struct resource *find_quietly(const char *name)
{
	return type_find(name, NULL);
}

static bool has_field(const struct resource *resource, const char *fields)
{
	size_t len = fields ? strcspn(fields, ".") : 0;

	return !len || (resource->def && schema_field_find(resource->def, fields, len));
}

static const struct resource *find_resource(const char *word, const char **ret_fields, struct err *err)
{
	const struct resource *found = find_with_group(word, resource_find_typed, ret_fields), *other;
	const char *fields;

	/* A type of the server's own can have a built-in one's name and another group. */
	if (!found || !has_field(found, *ret_fields)) {
		other = find_with_group(word, find_quietly, &fields);
		if (other) {
			found = other;
			*ret_fields = fields;
		}
	}
	if (!found) {
		CLEANUP(mem_freep) char *name = mem_dupn(word, strcspn(word, "."));
		type_find(name, err);
	}
	return found;
}

static void offer_fields(const struct schema_def *def, struct suggestion *s)
{
	for (size_t i = 0; def && i < def->n_fields; i++)
		suggest_offer(s, schema_fields(def)[i].name);
}

static int explain_built_in(const struct resource *resource, const char *fields)
{
	CLEANUP(mem_freep) char *copy = mem_dup(fields);
	const struct schema_def *def = resource->def, *holder = NULL;
	const struct schema_field *field = NULL;
	char *rest = copy;

	explain_kind(resource);
	for (char *name; (name = strsep(&rest, "."));) {
		if (!*name && !rest)
			break; /* "pods.spec." */
		holder = def;
		field = def ? schema_field_find(def, name, strlen(name)) : NULL;
		if (!field) {
			struct suggestion s = suggest_for(name);
			offer_fields(def, &s);
			return explain_no_field(fields, &s);
		}
		def = field->def;
	}
	print_head(resource, holder, field);
	if (def && def->n_fields)
		print_fields(def);
	else
		putchar('\n');
	return 0;
}

static int run_explain(char **args, size_t n_args)
{
	struct err err = ERR_INIT;
	const char *fields = NULL;

	if (n_args != 1)
		return command_error("%s", n_args ? "We accept only this format: explain RESOURCE"
						  : "You must specify the type of resource to explain. Use "
						    "\"kubectl-lite api-resources\" for "
						    "a complete list of supported resources.");
	if (strcmp(flags.output, "plaintext") != 0)
		return command_error("unrecognized format: %s", flags.output);
	const struct resource *resource = find_resource(args[0], &fields, &err);
	if (!resource && err.kind != ERR_PARSE)
		return session_failed(&err);
	if (!resource) {
		fprintf(stderr, "%s\n", err.msg); /* kubectl has no "error: " here */
		return 1;
	}
	if (flags.api_version && strcmp(resource->group_version, flags.api_version) != 0) {
		const struct resource *other = type_in_version(resource, flags.api_version);
		if (!other)
			return command_error("couldn't find resource for \"%s, Resource=%s\"",
					     flags.api_version, resource->plural);
		resource = other;
	}
	return type_is_custom(resource) ? explain_openapi(resource, fields, flags.recursive)
					: explain_built_in(resource, fields);
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
