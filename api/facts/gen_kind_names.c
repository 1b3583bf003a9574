/* gen-kind-names: prints the list of kinds as programs see it that only speak to an API server: names and
 * definitions without what the kinds do, which is a third of such a program. Built from the rows themselves,
 * so both agree.
 */
#include <stdio.h>

#include "api/kind.h"

int main(void)
{
	printf("#include \"api/kind.h\"\n");
	for (size_t i = 0; kind_rows[i]; i++) {
		printf("static const struct kind row_%zu = { .api_version = \"%s\", .kind = \"%s\", "
		       ".definition = \"%s\"",
		       i, kind_rows[i]->api_version, kind_rows[i]->kind, kind_rows[i]->definition);
		if (kind_rows[i]->view)
			printf(", .view = &(const struct kind_view){ .api_version = \"%s\" }",
			       kind_rows[i]->view->api_version);
		printf(" };\n");
	}
	printf("const struct kind *const kind_rows[] = {\n");
	for (size_t i = 0; kind_rows[i]; i++)
		printf("\t&row_%zu,\n", i);
	printf("\tNULL,\n};\n");
	return 0;
}
