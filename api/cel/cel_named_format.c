/* Formats by their names.
 * https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library
 */
#include <string.h>

#include "api/cel/cel_functions.h"
#include "api/structural.h"
#include "api/validate.h"

struct format {
	const char *name;
	/* One of these. */
	void (*prefixed)(const char *name, bool is_prefix, struct name_faults *faults);
	void (*plain)(const char *name, struct name_faults *faults);
	const char *openapi, *fault;
	bool is_prefix;
};

static const struct format formats[] = {
	{ .name = "dns1123Label", .prefixed = name_check_dns_label },
	{ .name = "dns1123Subdomain", .prefixed = name_check_dns_subdomain },
	{ .name = "dns1035Label", .prefixed = name_check_dns1035_label },
	{ .name = "qualifiedName", .plain = name_check_qualified },
	{ .name = "dns1123LabelPrefix", .prefixed = name_check_dns_label, .is_prefix = true },
	{ .name = "dns1123SubdomainPrefix", .prefixed = name_check_dns_subdomain, .is_prefix = true },
	{ .name = "dns1035LabelPrefix", .prefixed = name_check_dns1035_label, .is_prefix = true },
	{ .name = "labelValue", .plain = name_check_label_value },
	{ .name = "uri", .openapi = "uri", .fault = "invalid URI" },
	{ .name = "uuid", .openapi = "uuid", .fault = "does not match the UUID format" },
	{ .name = "byte", .openapi = "byte", .fault = "invalid base64" },
	{ .name = "date", .openapi = "date", .fault = "invalid date" },
	{ .name = "datetime", .openapi = "date-time", .fault = "invalid datetime" },
};

static const struct format *find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strlen(formats[i].name) == len && !memcmp(formats[i].name, name, len))
			return &formats[i];
	return NULL;
}

CEL_FUNCTION(cel_format_named)
{
	const struct format *format = find(args[0].text, args[0].len);

	(void)node, (void)n;
	return format ? cel_optional(e, (struct cel_value){ .kind = CEL_FORMAT, .data = format })
		      : cel_none();
}

CEL_FUNCTION(cel_format_constant)
{
	const char *name = node->name + strlen("format.");

	(void)e, (void)args, (void)n;
	return (struct cel_value){ .kind = CEL_FORMAT, .data = find(name, strlen(name)) };
}

CEL_FUNCTION(cel_format_validate)
{
	const struct format *format = args[0].data;
	struct name_faults faults = { .n = 0 };
	struct cel_value *items, list;
	const char *text;

	(void)node, (void)n;
	if (!cel_charge(e, args[1].len + 10U * CEL_STEP))
		return cel_exhausted();
	text = cel_copy(&e->arena, args[1].text, args[1].len);
	if (format->prefixed)
		format->prefixed(text, format->is_prefix, &faults);
	else if (format->plain)
		format->plain(text, &faults);
	if (format->openapi && !structural_format_holds(format->openapi, text)) {
		list = cel_new_list(e, 1, &items);
		if (list.kind == CEL_ERROR)
			return list;
		items[0] = cel_text(format->fault, strlen(format->fault));
		return cel_optional(e, list);
	}
	if (!faults.n)
		return cel_none();
	list = cel_new_list(e, faults.n, &items);
	if (list.kind == CEL_ERROR)
		return list;
	for (size_t i = 0; i < faults.n; i++)
		items[i] = cel_new_text(e, faults.text[i], strlen(faults.text[i]));
	return cel_optional(e, list);
}
