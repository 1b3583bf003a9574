#include "api/cel/cel_overload.h"

#include <string.h>

#include "api/cel/cel_functions.h"

/* What a signature's letter stands for. */
static const struct {
	char letter;
	uint8_t type, kind;
} letters[] = {
	{ 'X', CEL_TYPE_DYN, 0 },
	{ 'b', CEL_TYPE_BOOL, CEL_BOOL },
	{ 'i', CEL_TYPE_INT, CEL_INT },
	{ 'u', CEL_TYPE_UINT, CEL_UINT },
	{ 'd', CEL_TYPE_DOUBLE, CEL_DOUBLE },
	{ 's', CEL_TYPE_STRING, CEL_STRING },
	{ 'y', CEL_TYPE_BYTES, CEL_BYTES },
	{ 'n', CEL_TYPE_NULL, CEL_NULL },
	{ 'D', CEL_TYPE_DURATION, CEL_DURATION },
	{ 'T', CEL_TYPE_TIMESTAMP, CEL_TIMESTAMP },
	{ 't', CEL_TYPE_TYPE, CEL_TYPE },
	{ 'L', CEL_TYPE_LIST, CEL_LIST },
	{ 'M', CEL_TYPE_MAP, CEL_MAP },
	{ 'O', CEL_TYPE_OPTIONAL, CEL_OPTIONAL },
	{ 'Q', CEL_TYPE_QUANTITY, CEL_QUANTITY },
	{ 'U', CEL_TYPE_URL, CEL_URL },
	{ 'I', CEL_TYPE_IP, CEL_IP },
	{ 'C', CEL_TYPE_CIDR, CEL_CIDR },
	{ 'V', CEL_TYPE_SEMVER, CEL_SEMVER },
	{ 'F', CEL_TYPE_FORMAT, CEL_FORMAT },
	{ 'A', CEL_TYPE_PARAM, 0 },
	{ 'B', CEL_TYPE_PARAM, 0 },
};

static size_t row_of(char letter)
{
	size_t i = 0;

	while (letters[i].letter != letter)
		i++;
	return i;
}

static bool is_param(char letter)
{
	return letter == 'A' || letter == 'B';
}

/* Behind the type that begins at S. */
static const char *skip(const char *s)
{
	char c = *s++;

	if (c == 'L' || c == 'O' || c == 't')
		return skip(s);
	return c == 'M' ? skip(skip(s)) : s;
}

/* --- types --- */

struct binding {
	const struct cel_type *bound[2]; /* of A and B, or NULL */
};

/* The parts of a type that is not known are not known. */
static const struct cel_type *part(const struct cel_type *type, const struct cel_type *part)
{
	return part ? part : type;
}

static bool fits(const char *s, const struct cel_type *type, struct binding *binding)
{
	const struct cel_type **bound;

	if (is_param(*s)) {
		bound = &binding->bound[*s - 'A'];
		if (*bound && !cel_type_fits(*bound, type))
			return false;
		*bound = *bound ? cel_type_join(*bound, type) : type;
		return true;
	}
	if (*s == 'X')
		return true;
	if (!cel_type_is_dyn(type) && type->kind != letters[row_of(*s)].type)
		return type->kind == CEL_TYPE_NULL && (*s == 'D' || *s == 'T');
	if (*s == 'L' || *s == 'O' || *s == 't')
		return fits(s + 1, part(type, type->a), binding);
	if (*s == 'M')
		return fits(s + 1, part(type, type->a), binding) &&
		       fits(skip(s + 1), part(type, type->b), binding);
	return true;
}

static const struct cel_type *build(const char *s, const struct binding *binding, struct cel_arena *arena)
{
	const struct cel_type *bound;

	switch (*s) {
	case 'A':
	case 'B':
		bound = binding->bound[*s - 'A'];
		return bound ? bound : cel_type(CEL_TYPE_DYN);
	case 'L':
	case 'O':
	case 't':
		return cel_type_of(arena, letters[row_of(*s)].type, build(s + 1, binding, arena), NULL);
	case 'M':
		return cel_type_of(arena, CEL_TYPE_MAP, build(s + 1, binding, arena),
				   build(skip(s + 1), binding, arena));
	default:
		return cel_type(letters[row_of(*s)].type);
	}
}

bool cel_overload_accepts(const struct cel_overload *overload, bool member,
			  const struct cel_type *const *args, unsigned n, struct cel_arena *arena,
			  const struct cel_type **ret_result)
{
	const char *s = overload->signature;
	struct binding binding = { { NULL, NULL } };

	if ((*s == '.') != member)
		return false;
	s += member;
	for (unsigned i = 0; i < n; i++, s = skip(s))
		if (*s == ':' || !fits(s, args[i], &binding))
			return false;
	if (*s != ':')
		return false;
	*ret_result = build(s + 1, &binding, arena);
	return true;
}

/* --- values --- */

bool cel_overload_takes(const struct cel_overload *overload, bool member, const struct cel_value *args,
			unsigned n)
{
	const char *s = overload->signature;

	if ((*s == '.') != member)
		return false;
	s += member;
	for (unsigned i = 0; i < n; i++, s = skip(s)) {
		uint8_t kind = args[i].kind == CEL_OBJECT ? CEL_MAP : args[i].kind;

		if (*s == ':' || (letters[row_of(*s)].kind && letters[row_of(*s)].kind != kind))
			return false;
	}
	return *s == ':';
}

/* --- the table --- */

static const struct cel_overload overloads[] = {
	{ "_+_", "ii:i", cel_add },
	{ "_+_", "uu:u", cel_add },
	{ "_+_", "dd:d", cel_add },
	{ "_+_", "ss:s", cel_concat },
	{ "_+_", "yy:y", cel_concat },
	{ "_+_", "LALA:LA", cel_concat_lists },
	{ "_+_", "DD:D", cel_add },
	{ "_+_", "DT:T", cel_add_time },
	{ "_+_", "TD:T", cel_add_time },
	{ "_-_", "ii:i", cel_subtract },
	{ "_-_", "uu:u", cel_subtract },
	{ "_-_", "dd:d", cel_subtract },
	{ "_-_", "DD:D", cel_subtract },
	{ "_-_", "TT:D", cel_subtract_time },
	{ "_-_", "TD:T", cel_subtract_time },
	{ "_*_", "ii:i", cel_multiply },
	{ "_*_", "uu:u", cel_multiply },
	{ "_*_", "dd:d", cel_multiply },
	{ "_/_", "ii:i", cel_divide },
	{ "_/_", "uu:u", cel_divide },
	{ "_/_", "dd:d", cel_divide },
	{ "_%_", "ii:i", cel_modulo },
	{ "_%_", "uu:u", cel_modulo },
	{ "-_", "i:i", cel_negate },
	{ "-_", "d:d", cel_negate },
	{ "!_", "b:b", cel_not },
	{ "_==_", "AA:b", cel_equals },
	{ "_!=_", "AA:b", cel_equals_not },
#define COMPARISONS(name_)                                                                                   \
	{ name_, "bb:b", cel_compares }, { name_, "ii:b", cel_compares }, { name_, "iu:b", cel_compares },   \
	    { name_, "id:b", cel_compares }, { name_, "uu:b", cel_compares },                                \
	    { name_, "ui:b", cel_compares }, { name_, "ud:b", cel_compares },                                \
	    { name_, "dd:b", cel_compares }, { name_, "di:b", cel_compares },                                \
	    { name_, "du:b", cel_compares }, { name_, "ss:b", cel_compares },                                \
	    { name_, "yy:b", cel_compares }, { name_, "TT:b", cel_compares },                                \
	{                                                                                                    \
		name_, "DD:b", cel_compares                                                                  \
	}
	COMPARISONS("_<_"),
	COMPARISONS("_<=_"),
	COMPARISONS("_>_"),
	COMPARISONS("_>=_"),
	{ "@in", "ALA:b", cel_in_list },
	{ "@in", "AMAB:b", cel_in_map },
	{ "_[_]", "LAi:A", cel_index },
	{ "_[_]", "MABA:B", cel_index },
	{ "_[_]", "OLAi:OA", cel_index_optional },
	{ "_[_]", "OMABA:OB", cel_index_optional },
	{ "_[?_]", "LAi:OA", cel_index_optional },
	{ "_[?_]", "MABA:OB", cel_index_optional },
	{ "_[?_]", "OLAi:OA", cel_index_optional },
	{ "_[?_]", "OMABA:OB", cel_index_optional },
	{ "size", "s:i", cel_size },
	{ "size", ".s:i", cel_size },
	{ "size", "y:i", cel_size },
	{ "size", ".y:i", cel_size },
	{ "size", "LA:i", cel_size },
	{ "size", ".LA:i", cel_size },
	{ "size", "MAB:i", cel_size },
	{ "size", ".MAB:i", cel_size },
	{ "type", "A:tA", cel_type_value },
	{ "dyn", "A:X", cel_dyn },
	{ "int", "i:i", cel_to_int },
	{ "int", "u:i", cel_to_int },
	{ "int", "d:i", cel_to_int },
	{ "int", "s:i", cel_to_int },
	{ "int", "T:i", cel_to_int },
	{ "int", "D:i", cel_to_int },
	{ "uint", "u:u", cel_to_uint },
	{ "uint", "i:u", cel_to_uint },
	{ "uint", "d:u", cel_to_uint },
	{ "uint", "s:u", cel_to_uint },
	{ "double", "d:d", cel_to_double },
	{ "double", "i:d", cel_to_double },
	{ "double", "u:d", cel_to_double },
	{ "double", "s:d", cel_to_double },
	{ "bool", "b:b", cel_to_bool },
	{ "bool", "s:b", cel_to_bool },
	{ "string", "s:s", cel_to_string },
	{ "string", "b:s", cel_to_string },
	{ "string", "i:s", cel_to_string },
	{ "string", "u:s", cel_to_string },
	{ "string", "d:s", cel_to_string },
	{ "string", "y:s", cel_to_string },
	{ "string", "T:s", cel_to_string },
	{ "string", "D:s", cel_to_string },
	{ "string", "I:s", cel_ip_string },
	{ "string", "C:s", cel_cidr_string },
	{ "bytes", "y:y", cel_to_bytes },
	{ "bytes", "s:y", cel_to_bytes },
	{ "timestamp", "T:T", cel_to_timestamp },
	{ "timestamp", "s:T", cel_to_timestamp },
	{ "timestamp", "i:T", cel_to_timestamp },
	{ "duration", "D:D", cel_to_duration },
	{ "duration", "s:D", cel_to_duration },
	{ "getFullYear", ".T:i", cel_date_part },
	{ "getFullYear", ".Ts:i", cel_date_part },
	{ "getMonth", ".T:i", cel_date_part },
	{ "getMonth", ".Ts:i", cel_date_part },
	{ "getDayOfYear", ".T:i", cel_date_part },
	{ "getDayOfYear", ".Ts:i", cel_date_part },
	{ "getDayOfMonth", ".T:i", cel_date_part },
	{ "getDayOfMonth", ".Ts:i", cel_date_part },
	{ "getDate", ".T:i", cel_date_part },
	{ "getDate", ".Ts:i", cel_date_part },
	{ "getDayOfWeek", ".T:i", cel_date_part },
	{ "getDayOfWeek", ".Ts:i", cel_date_part },
	{ "getHours", ".T:i", cel_date_part },
	{ "getHours", ".Ts:i", cel_date_part },
	{ "getHours", ".D:i", cel_duration_part },
	{ "getMinutes", ".T:i", cel_date_part },
	{ "getMinutes", ".Ts:i", cel_date_part },
	{ "getMinutes", ".D:i", cel_duration_part },
	{ "getSeconds", ".T:i", cel_date_part },
	{ "getSeconds", ".Ts:i", cel_date_part },
	{ "getSeconds", ".D:i", cel_duration_part },
	{ "getMilliseconds", ".T:i", cel_date_part },
	{ "getMilliseconds", ".Ts:i", cel_date_part },
	{ "getMilliseconds", ".D:i", cel_duration_part },
	{ "contains", ".ss:b", cel_contains },
	{ "startsWith", ".ss:b", cel_starts_with },
	{ "endsWith", ".ss:b", cel_ends_with },
	{ "matches", ".ss:b", cel_matches },
	{ "matches", "ss:b", cel_matches },
	{ "find", ".ss:s", cel_find },
	{ "findAll", ".ss:Ls", cel_find_all },
	{ "findAll", ".ssi:Ls", cel_find_all },
	{ "charAt", ".si:s", cel_char_at },
	{ "indexOf", ".ss:i", cel_index_of },
	{ "indexOf", ".ssi:i", cel_index_of },
	{ "indexOf", ".LAA:i", cel_list_index_of },
	{ "lastIndexOf", ".ss:i", cel_last_index_of },
	{ "lastIndexOf", ".ssi:i", cel_last_index_of },
	{ "lastIndexOf", ".LAA:i", cel_list_last_index_of },
	{ "join", ".Ls:s", cel_join },
	{ "join", ".Lss:s", cel_join },
	{ "lowerAscii", ".s:s", cel_lower },
	{ "upperAscii", ".s:s", cel_upper },
	{ "replace", ".sss:s", cel_replace },
	{ "replace", ".sssi:s", cel_replace },
	{ "split", ".ss:Ls", cel_split },
	{ "split", ".ssi:Ls", cel_split },
	{ "substring", ".si:s", cel_substring },
	{ "substring", ".sii:s", cel_substring },
	{ "trim", ".s:s", cel_trim },
	{ "format", ".sLX:s", cel_format_string },
	{ "strings.quote", "s:s", cel_quote },
#define ORDERED(name_, prefix_, result_, fn_)                                                                \
	{                                                                                                    \
		name_, ".L" prefix_ ":" result_, fn_                                                         \
	}
	ORDERED("isSorted", "i", "b", cel_is_sorted),
	ORDERED("isSorted", "u", "b", cel_is_sorted),
	ORDERED("isSorted", "d", "b", cel_is_sorted),
	ORDERED("isSorted", "b", "b", cel_is_sorted),
	ORDERED("isSorted", "D", "b", cel_is_sorted),
	ORDERED("isSorted", "T", "b", cel_is_sorted),
	ORDERED("isSorted", "s", "b", cel_is_sorted),
	ORDERED("isSorted", "y", "b", cel_is_sorted),
	ORDERED("sum", "i", "i", cel_sum),
	ORDERED("sum", "u", "u", cel_sum),
	ORDERED("sum", "d", "d", cel_sum),
	ORDERED("sum", "D", "D", cel_sum),
	ORDERED("min", "i", "i", cel_min),
	ORDERED("min", "u", "u", cel_min),
	ORDERED("min", "d", "d", cel_min),
	ORDERED("min", "b", "b", cel_min),
	ORDERED("min", "D", "D", cel_min),
	ORDERED("min", "T", "T", cel_min),
	ORDERED("min", "s", "s", cel_min),
	ORDERED("min", "y", "y", cel_min),
	ORDERED("max", "i", "i", cel_max),
	ORDERED("max", "u", "u", cel_max),
	ORDERED("max", "d", "d", cel_max),
	ORDERED("max", "b", "b", cel_max),
	ORDERED("max", "D", "D", cel_max),
	ORDERED("max", "T", "T", cel_max),
	ORDERED("max", "s", "s", cel_max),
	ORDERED("max", "y", "y", cel_max),
	{ "sets.contains", "LALA:b", cel_sets_contains },
	{ "sets.equivalent", "LALA:b", cel_sets_equivalent },
	{ "sets.intersects", "LALA:b", cel_sets_intersects },
	{ "optional.of", "A:OA", cel_optional_of },
	{ "optional.ofNonZeroValue", "A:OA", cel_optional_of_non_zero },
	{ "optional.none", ":OA", cel_optional_none },
	{ "hasValue", ".OA:b", cel_optional_has_value },
	{ "value", ".OA:A", cel_optional_value },
	{ "or", ".OAOA:OA", cel_optional_or },
	{ "orValue", ".OAA:A", cel_optional_or_value },
	{ "quantity", "s:Q", cel_quantity },
	{ "isQuantity", "s:b", cel_is_quantity },
	{ "isInteger", ".Q:b", cel_quantity_is_integer },
	{ "asInteger", ".Q:i", cel_quantity_as_integer },
	{ "asApproximateFloat", ".Q:d", cel_quantity_as_float },
	{ "sign", ".Q:i", cel_quantity_sign },
	{ "add", ".QQ:Q", cel_quantity_add },
	{ "add", ".Qi:Q", cel_quantity_add },
	{ "sub", ".QQ:Q", cel_quantity_sub },
	{ "sub", ".Qi:Q", cel_quantity_sub },
	{ "isLessThan", ".QQ:b", cel_quantity_less },
	{ "isLessThan", ".VV:b", cel_semver_less },
	{ "isGreaterThan", ".QQ:b", cel_quantity_greater },
	{ "isGreaterThan", ".VV:b", cel_semver_greater },
	{ "compareTo", ".QQ:i", cel_quantity_compare },
	{ "compareTo", ".VV:i", cel_semver_compare },
	{ "semver", "s:V", cel_semver },
	{ "semver", "sb:V", cel_semver },
	{ "isSemver", "s:b", cel_is_semver },
	{ "isSemver", "sb:b", cel_is_semver },
	{ "major", ".V:i", cel_semver_part },
	{ "minor", ".V:i", cel_semver_part },
	{ "patch", ".V:i", cel_semver_part },
	{ "url", "s:U", cel_url },
	{ "isURL", "s:b", cel_is_url },
	{ "getScheme", ".U:s", cel_url_part },
	{ "getHost", ".U:s", cel_url_part },
	{ "getHostname", ".U:s", cel_url_part },
	{ "getPort", ".U:s", cel_url_part },
	{ "getEscapedPath", ".U:s", cel_url_part },
	{ "getQuery", ".U:MsLs", cel_url_query },
	{ "ip", "s:I", cel_ip },
	{ "ip", ".C:I", cel_cidr_ip },
	{ "isIP", "s:b", cel_is_ip },
	{ "ip.isCanonical", "s:b", cel_ip_is_canonical },
	{ "family", ".I:i", cel_ip_family },
	{ "isUnspecified", ".I:b", cel_ip_is },
	{ "isLoopback", ".I:b", cel_ip_is },
	{ "isLinkLocalMulticast", ".I:b", cel_ip_is },
	{ "isLinkLocalUnicast", ".I:b", cel_ip_is },
	{ "isGlobalUnicast", ".I:b", cel_ip_is },
	{ "cidr", "s:C", cel_cidr },
	{ "isCIDR", "s:b", cel_is_cidr },
	{ "containsIP", ".Cs:b", cel_cidr_contains_ip },
	{ "containsIP", ".CI:b", cel_cidr_contains_ip },
	{ "containsCIDR", ".Cs:b", cel_cidr_contains_cidr },
	{ "containsCIDR", ".CC:b", cel_cidr_contains_cidr },
	{ "masked", ".C:C", cel_cidr_masked },
	{ "prefixLength", ".C:i", cel_cidr_prefix_length },
	{ "format.named", "s:OF", cel_format_named },
	{ "format.dns1123Label", ":F", cel_format_constant },
	{ "format.dns1123Subdomain", ":F", cel_format_constant },
	{ "format.dns1035Label", ":F", cel_format_constant },
	{ "format.qualifiedName", ":F", cel_format_constant },
	{ "format.dns1123LabelPrefix", ":F", cel_format_constant },
	{ "format.dns1123SubdomainPrefix", ":F", cel_format_constant },
	{ "format.dns1035LabelPrefix", ":F", cel_format_constant },
	{ "format.labelValue", ":F", cel_format_constant },
	{ "format.uri", ":F", cel_format_constant },
	{ "format.uuid", ":F", cel_format_constant },
	{ "format.byte", ":F", cel_format_constant },
	{ "format.date", ":F", cel_format_constant },
	{ "format.datetime", ":F", cel_format_constant },
	{ "validate", ".Fs:OLs", cel_format_validate },
	{ "", NULL, NULL },
};

const struct cel_overload *cel_overload_find(const char *name)
{
	for (const struct cel_overload *o = overloads; o->function; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}
