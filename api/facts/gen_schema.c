/* Writes the tables of schema.h as C: gen_schema FOLDER > schema_tables.c. Runs on the build machine, from
 * the Makefile, and uses the C library only. A fact it does not understand ends the build with its line. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 8 };

struct row {
	char *columns[MAX_COLUMNS];
	size_t n_columns;
	size_t line;
};

struct table {
	char path[512];
	struct row *rows;
	size_t n;
};

static _Noreturn void die(const struct table *table, const struct row *row, const char *what)
{
	fprintf(stderr, "gen_schema: %s:%zu: %s\n", table->path, row == NULL ? 0 : row->line, what);
	exit(1);
}

static void *check(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "gen_schema: out of memory\n");
		exit(1);
	}
	return p;
}

static void table_add(struct table *table, char *line, size_t number)
{
	struct row row = { .line = number };
	char *cell;

	while ((cell = strsep(&line, "\t")) != NULL) {
		row.columns[row.n_columns++] = check(strdup(cell));
		if (row.n_columns == MAX_COLUMNS)
			break;
	}
	for (size_t i = row.n_columns; i < MAX_COLUMNS; i++)
		row.columns[i] = "";
	table->rows = check(realloc(table->rows, (table->n + 1) * sizeof(*table->rows)));
	table->rows[table->n++] = row;
}

/* Cells separated by tabs; lines that begin with '#' are comments. */
static struct table table_read(const char *folder, const char *name)
{
	struct table table = { 0 };
	snprintf(table.path, sizeof(table.path), "%s/%s", folder, name);
	FILE *f = fopen(table.path, "re");
	if (f == NULL)
		die(&table, NULL, strerror(errno));

	char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t len;
	while ((len = getline(&line, &size, f)) >= 0) {
		number++;
		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (line[0] != '#' && line[0] != '\0')
			table_add(&table, line, number);
	}
	free(line);
	fclose(f);
	return table;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int by_definition = strcmp(x->columns[0], y->columns[0]);

	return by_definition != 0 ? by_definition : strcmp(x->columns[1], y->columns[1]);
}

/* A C string literal. The facts hold printable ASCII only. */
static void put_string_to(FILE *to, const char *s)
{
	fputc('"', to);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', to);
		fputc(*s, to);
	}
	fputc('"', to);
}

static void put_string(const char *s)
{
	put_string_to(stdout, s);
}

/* Names of fields, each once: they become one text, and a name the place in it where it begins. */
static struct {
	const char **items;
	size_t *places;
	size_t n, len;
} names;

static size_t name_place(const char *name)
{
	for (size_t i = 0; i < names.n; i++)
		if (strcmp(names.items[i], name) == 0)
			return names.places[i];
	names.items = check(realloc(names.items, (names.n + 1) * sizeof(*names.items)));
	names.places = check(realloc(names.places, (names.n + 1) * sizeof(*names.places)));
	names.items[names.n] = name;
	names.places[names.n++] = names.len;
	names.len += strlen(name) + 1;
	return names.places[names.n - 1];
}

static void put_names(void)
{
	if (names.len > UINT16_MAX) {
		fprintf(stderr, "gen_schema: names of fields have more than 64 KiB\n");
		exit(1);
	}
	fputs("const char schema_names[] =\n", stdout);
	for (size_t i = 0; i < names.n; i++) {
		fputs("\t", stdout);
		put_string(names.items[i]);
		fputs(" \"\\0\"\n", stdout);
	}
	fputs("\t\"\";\n", stdout);
}

/* Definitions: runs of rows with one first column. A definition whose one row is the field "-" is another
 * name for a scalar or any value. */
struct definitions {
	const struct table *fields;
	size_t *first; /* index of the first row of each, and one past the last */
	size_t n;
};

static struct definitions definitions_find(const struct table *fields)
{
	struct definitions defs = { .fields = fields };
	defs.first = check(calloc(fields->n + 1, sizeof(*defs.first)));

	for (size_t i = 0; i < fields->n; i++) {
		bool alias = strcmp(fields->rows[i].columns[1], "-") == 0;
		bool same = i > 0 && strcmp(fields->rows[i].columns[0], fields->rows[i - 1].columns[0]) == 0;
		if (!alias && !same)
			defs.first[defs.n++] = i;
	}
	return defs;
}

static const char *definition_name(const struct definitions *defs, size_t i)
{
	return defs->fields->rows[defs->first[i]].columns[0];
}

static size_t definition_n_fields(const struct definitions *defs, size_t i)
{
	const struct table *fields = defs->fields;
	size_t n = 0;

	while (defs->first[i] + n < fields->n &&
	       strcmp(fields->rows[defs->first[i] + n].columns[0], definition_name(defs, i)) == 0)
		n++;
	return n;
}

static const char *alias_type(const struct definitions *defs, const char *name)
{
	for (size_t i = 0; i < defs->fields->n; i++) {
		const struct row *row = &defs->fields->rows[i];
		if (strcmp(row->columns[0], name) == 0 && strcmp(row->columns[1], "-") == 0)
			return row->columns[2];
	}
	return NULL;
}

static const struct {
	const char *fact, *constant;
} scalars[] = {
	{ "string", "SCHEMA_STRING" },
	{ "string:byte", "SCHEMA_BYTES" },
	{ "boolean", "SCHEMA_BOOLEAN" },
	{ "integer:int32", "SCHEMA_INT32" },
	{ "integer:int64", "SCHEMA_INT64" },
	{ "number:double", "SCHEMA_DOUBLE" },
	{ "meta.v1.Time", "SCHEMA_TIME" },
	{ "meta.v1.MicroTime", "SCHEMA_MICRO_TIME" },
	{ "resource.Quantity", "SCHEMA_QUANTITY" },
	{ "util.intstr.IntOrString", "SCHEMA_INT_OR_STRING" },
	{ "any", "SCHEMA_ANY" },
	{ "object", "SCHEMA_ANY" },
};

static const char *scalar_constant(const char *type)
{
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
		if (strcmp(scalars[i].fact, type) == 0)
			return scalars[i].constant;
	return NULL;
}

static bool take_prefix(const char **s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(*s, prefix, len) != 0)
		return false;
	*s += len;
	return true;
}

/* Prints ".type = ..., .container = ..., .def = ...". */
static void put_type(const struct definitions *defs, const struct row *row)
{
	const char *type = row->columns[2];
	const char *container = "SCHEMA_SINGLE";

	if (take_prefix(&type, "map[string][]"))
		container = "SCHEMA_MAP_OF_ARRAY";
	else if (take_prefix(&type, "map[string]"))
		container = "SCHEMA_MAP";
	else if (take_prefix(&type, "[]"))
		container = "SCHEMA_ARRAY";

	const char *constant = scalar_constant(type);
	const char *alias = constant == NULL ? alias_type(defs, type) : NULL;
	if (alias != NULL)
		constant = scalar_constant(alias);
	if (constant != NULL) {
		printf(".type = %s, .container = %s", constant, container);
		return;
	}
	for (size_t i = 0; i < defs->n; i++) {
		if (strcmp(definition_name(defs, i), type) == 0) {
			printf(".type = SCHEMA_OBJECT, .container = %s, .def = %zu", container, i + 1);
			return;
		}
	}
	die(defs->fields, row, "unknown type");
}

/* The members of a field's struct schema_texts, put together at its end; and the rows of those, which follow
 * the fields. */
static struct {
	const char *member;
	char *value;
} texts[4];
static size_t n_texts, n_text_rows;
static FILE *text_rows;

static void put_text(const char *member, const char *value)
{
	if (n_texts == sizeof(texts) / sizeof(texts[0])) {
		fprintf(stderr, "gen_schema: more texts of a field than there are: %s\n", member);
		exit(1);
	}
	texts[n_texts].member = member;
	texts[n_texts++].value = check(strdup(value));
}

static void put_texts(void)
{
	if (n_texts == 0)
		return;
	printf(", .texts = %zu", ++n_text_rows);
	fputs("\t{", text_rows);
	for (size_t i = 0; i < n_texts; i++) {
		fprintf(text_rows, "%s .%s = ", i ? "," : "", texts[i].member);
		put_string_to(text_rows, texts[i].value);
		free(texts[i].value);
	}
	fputs(" },\n", text_rows);
	n_texts = 0;
}

static void put_flag(const struct table *fields, const struct row *row, const char *flag)
{
	const char *value = flag;

	if (strcmp(flag, "required") == 0) {
		fputs(", .required = true", stdout);
	} else if (take_prefix(&value, "merge=")) {
		put_text("merge_key", value);
	} else if (take_prefix(&value, "strategy=")) {
		if (strstr(value, "merge") != NULL)
			fputs(", .patch_merge = true", stdout);
		if (strstr(value, "replace") != NULL)
			fputs(", .patch_replace = true", stdout);
		if (strstr(value, "retainKeys") != NULL)
			fputs(", .retain_keys = true", stdout);
	} else if (take_prefix(&value, "listmap=")) {
		fputs(", .list = SCHEMA_LIST_MAP", stdout);
		put_text("list_map_keys", value);
	} else if (strcmp(flag, "listtype=atomic") == 0) {
		fputs(", .list = SCHEMA_LIST_ATOMIC", stdout);
	} else if (strcmp(flag, "listtype=set") == 0) {
		fputs(", .list = SCHEMA_LIST_SET", stdout);
	} else if (strcmp(flag, "maptype=atomic") == 0) {
		fputs(", .map_atomic = true", stdout);
	} else if (strcmp(flag, "orboolean") == 0) {
		fputs(", .or_boolean = true", stdout);
	} else if (take_prefix(&value, "default=")) {
		put_text("default_value", value);
	} else if (strcmp(flag, "maptype=granular") == 0) {
		fputs(", .map_granular = true", stdout);
	} else {
		die(fields, row, "unknown flag");
	}
}

/* What facts/apply.tsv says of a field, "-" for its definition, or NULL. */
static const char *apply_fact(const struct table *apply, const char *definition, const char *field)
{
	for (size_t i = 0; i < apply->n; i++) {
		char **columns = apply->rows[i].columns;
		if ((strcmp(columns[0], definition) == 0 || strcmp(columns[0], "*") == 0) &&
		    strcmp(columns[1], field) == 0)
			return columns[2];
	}
	return NULL;
}

/* What is required, Go never leaves out. */
static void put_apply(const struct table *apply, const struct row *row)
{
	const char *fact = apply_fact(apply, row->columns[0], row->columns[1]);

	if (fact != NULL && take_prefix(&fact, "default=")) {
		put_text("default_value", fact);
	} else if (fact != NULL && strcmp(fact, "zero") != 0) {
		die(apply, NULL, fact);
	} else if (fact != NULL || strstr(row->columns[3], "required") != NULL) {
		fputs(", .zero = true", stdout);
	}
}

/* The name of a string type ("v1.RestartPolicy"): facts/enums.tsv says "core.v1.PodSpec.restartPolicy uses
 * RestartPolicy" in the package of the definition. */
static void put_go_type(const struct table *enums, const struct row *row)
{
	char key[256];
	snprintf(key, sizeof(key), "%s.%s", row->columns[0], row->columns[1]);

	for (size_t i = 0; i < enums->n; i++) {
		const char *type = enums->rows[i].columns[1];
		if (strcmp(enums->rows[i].columns[0], key) != 0 || !take_prefix(&type, "uses "))
			continue;
		const char *end = strrchr(row->columns[0], '.'), *package = end;
		while (package > row->columns[0] && package[-1] != '.')
			package--;
		if (strchr(type, '.') != NULL)
			snprintf(key, sizeof(key), "%s", type);
		else
			snprintf(key, sizeof(key), "%.*s.%s", (int)(end - package), package, type);
		put_text("go_type", key);
		return;
	}
}

/* Its place in protobuf: facts/wire.tsv. */
static void put_wire(const struct table *wire, const struct row *row)
{
	for (size_t i = 0; i < wire->n; i++) {
		char **columns = wire->rows[i].columns;
		if (strcmp(columns[0], row->columns[0]) != 0 || strcmp(columns[1], row->columns[1]) != 0)
			continue;
		unsigned outer = 0, number;
		if (sscanf(columns[2], "%u.%u", &outer, &number) != 2 &&
		    (outer = 0, sscanf(columns[2], "%u", &number)) != 1)
			die(wire, &wire->rows[i], "no field number");
		if (outer > 255 || number == 0 || number > 255)
			die(wire, &wire->rows[i], "field number out of range");
		printf(", .wire_outer = %u, .wire = %u", outer, number);
		if (strcmp(columns[3], "zero") == 0)
			fputs(", .wire_zero = true", stdout);
		else if (columns[3][0] != '\0')
			die(wire, &wire->rows[i], "unknown flag");
		return;
	}
}

static void put_fields(const struct definitions *defs, const struct table *enums, const struct table *wire,
		       const struct table *apply, size_t i)
{
	for (size_t k = 0; k < definition_n_fields(defs, i); k++) {
		const struct row *row = &defs->fields->rows[defs->first[i] + k];
		printf("\t{ .name = %zu, ", name_place(row->columns[1]));
		put_type(defs, row);
		char *flags = check(strdup(row->columns[3]));
		for (char *rest = flags, *flag; (flag = strsep(&rest, " ")) != NULL;)
			if (*flag != '\0')
				put_flag(defs->fields, row, flag);
		free(flags);
		put_go_type(enums, row);
		put_wire(wire, row);
		put_apply(apply, row);
		put_texts();
		printf(" }, /* %s */\n", row->columns[1]);
	}
}

static void put_definitions(const struct table *fields, const struct table *enums, const struct table *wire,
			    const struct table *apply)
{
	struct definitions defs = definitions_find(fields);
	char *rows = NULL;
	size_t n = 0, first = 0;

	text_rows = check(open_memstream(&rows, &n));
	fputs("const struct schema_seed schema_seeds[] = {\n", stdout);
	for (size_t i = 0; i < defs.n; i++)
		put_fields(&defs, enums, wire, apply, i);
	fclose(text_rows);
	printf("};\nconst struct schema_texts schema_seed_texts[] = {\n%s};\n", rows);
	free(rows);
	put_names();
	fputs("const struct schema_def schema_defs[] = {\n", stdout);
	for (size_t i = 0; i < defs.n; i++) {
		n = definition_n_fields(&defs, i);
		printf("\t{ .name = \"%s\", .first = %zu, .n_fields = %zu%s },\n", definition_name(&defs, i),
		       first, n, apply_fact(apply, definition_name(&defs, i), "-") ? ", .atomic = true" : "");
		first += n;
	}
	printf("};\nconst size_t schema_n_defs = %zu, schema_n_seeds = %zu;\n", defs.n, first);
	free(defs.first);
}

/* "get,list" as VERB_GET | VERB_LIST. */
static void put_verbs(const char *verbs)
{
	fputs("0", stdout);
	for (const char *p = verbs; *p != '\0'; p++) {
		if (p == verbs || p[-1] == ',')
			fputs(" | VERB_", stdout);
		if (*p != ',')
			putchar(toupper((unsigned char)*p));
	}
}

static void put_resources(const struct table *resources)
{
	fputs("const struct schema_resource schema_resources[] = {\n", stdout);
	for (size_t i = 0; i < resources->n; i++) {
		const struct row *row = &resources->rows[i];
		bool namespaced = strcmp(row->columns[3], "namespaced") == 0;
		if (row->n_columns < 8 || (!namespaced && strcmp(row->columns[3], "cluster") != 0))
			die(resources, row, "no resource");
		printf("\t{ \"%s\", \"%s\", \"%s\", %s, \"%s\", \"%s\", \"%s\", ", row->columns[0],
		       row->columns[1], row->columns[2], namespaced ? "true" : "false", row->columns[4],
		       row->columns[5], row->columns[6]);
		put_verbs(row->columns[7]);
		fputs(" },\n", stdout);
	}
	printf("};\nconst size_t schema_n_resources = %zu;\n", resources->n);
}

/* A row for a definition or field that is not there would be a slip. */
static void check_description(const struct table *descriptions, const struct row *row,
			      const struct table *fields)
{
	if (row->n_columns != 3)
		die(descriptions, row, "needs definition, field and text");
	for (size_t i = 0; i < fields->n; i++) {
		char **columns = fields->rows[i].columns;
		bool same_def = strcmp(columns[0], row->columns[0]) == 0 || strcmp(row->columns[0], "*") == 0;
		if (same_def && (row->columns[1][0] == '\0' || strcmp(columns[1], row->columns[1]) == 0))
			return;
	}
	die(descriptions, row, "no such field");
}

static void put_descriptions(struct table *descriptions, const struct table *fields)
{
	size_t len = 0;

	qsort(descriptions->rows, descriptions->n, sizeof(*descriptions->rows), compare_rows);
	fputs("const char description_lines[] =\n", stdout);
	for (size_t i = 0; i < descriptions->n; i++) {
		const struct row *row = &descriptions->rows[i];
		check_description(descriptions, row, fields);
		for (size_t k = 0; k < 3; k++)
			len += strlen(row->columns[k]) + 1;
		fputs("\t", stdout);
		put_string(row->columns[0]);
		fputs(" \"\\t\" ", stdout);
		put_string(row->columns[1]);
		fputs(" \"\\t\" ", stdout);
		put_string(row->columns[2]);
		fputs(" \"\\n\"\n", stdout);
	}
	printf("\t\"\";\nconst size_t description_lines_len = %zu;\n", len);
}

static const char *values_of(const struct table *enums, const char *type)
{
	for (size_t i = 0; i < enums->n; i++)
		if (strcmp(enums->rows[i].columns[0], type) == 0)
			return enums->rows[i].columns[1];
	return "";
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

static bool has_definition(const struct table *fields, const char *def)
{
	for (size_t i = 0; i < fields->n; i++)
		if (strcmp(fields->rows[i].columns[0], def) == 0)
			return true;
	return false;
}

/* Sets that others add to, that allow nothing as well, or that nobody reads. */
static bool is_closed(const char *type, const char *values)
{
	static const char *const open[] = { "ConditionType",        ".ResourceName",  ".SecretType",
					    ".StorageMedium",       ".FinalizerName", ".NodeAddressType",
					    ".ClaimResourceStatus", ".Signal",        ".KeyUsage" };

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (ends_with(type, open[i]))
			return false;
	return values[0] != '\0' && values[0] != '|' && strstr(values, "||") == NULL &&
	       !ends_with(values, "|");
}

/* "core.v1.Container.imagePullPolicy uses PullPolicy", a type of the same package. */
static void put_values(struct table *enums, const struct table *fields)
{
	size_t len = 0;

	qsort(enums->rows, enums->n, sizeof(*enums->rows), compare_rows);
	fputs("const char description_value_lines[] =\n", stdout);
	for (size_t i = 0; i < enums->n; i++) {
		char *def = enums->rows[i].columns[0], *field = strrchr(def, '.');
		const char *use = enums->rows[i].columns[1];
		char type[256];
		if (!take_prefix(&use, "uses ") || field == NULL)
			continue;
		*field++ = '\0';
		int package = (int)(strrchr(def, '.') - def);
		snprintf(type, sizeof(type), "%.*s.%s", package, def, use);
		const char *values = values_of(enums, type);
		if (!is_closed(type, values) || !has_definition(fields, def))
			continue;
		len += strlen(def) + strlen(field) + strlen(values) + 3;
		printf("\t\"%s\" \"\\t\" \"%s\" \"\\t\" \"%s\" \"\\n\"\n", def, field, values);
	}
	printf("\t\"\";\nconst size_t description_value_lines_len = %zu;\n", len);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: gen_schema FOLDER\n");
		return 2;
	}
	struct table fields = table_read(argv[1], "fields.tsv");
	struct table enums = table_read(argv[1], "enums.tsv");
	struct table wire = table_read(argv[1], "wire.tsv");
	struct table apply = table_read(argv[1], "apply.tsv");
	struct table resources = table_read(argv[1], "resources.tsv");
	struct table descriptions = table_read(argv[1], "descriptions.tsv");

	qsort(fields.rows, fields.n, sizeof(*fields.rows), compare_rows);
	fputs("/* Made by api/facts/gen_schema.c from api/facts. */\n#include "
	      "\"api/description.h\"\n#include \"api/resource.h\"\n#include \"api/schema_seed.h\"\n\n",
	      stdout);
	put_definitions(&fields, &enums, &wire, &apply);
	put_resources(&resources);
	put_descriptions(&descriptions, &fields);
	put_values(&enums, &fields);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
