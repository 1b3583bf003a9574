/* What the functions of the table in cel_overload.c do, by the files they are in. Several overloads share a
 * function; one that serves several names goes by that of the call.
 */
#pragma once

#include "api/cel/cel_eval.h"

#define CEL_FUNCTION(name_)                                                                                  \
	struct cel_value name_(struct cel_eval *e, const struct cel_node *node,                              \
			       const struct cel_value *args, unsigned n)

/* --- cel_operators.c --- */

CEL_FUNCTION(cel_add);
CEL_FUNCTION(cel_concat);
CEL_FUNCTION(cel_concat_lists);
CEL_FUNCTION(cel_subtract);
CEL_FUNCTION(cel_multiply);
CEL_FUNCTION(cel_divide);
CEL_FUNCTION(cel_modulo);
CEL_FUNCTION(cel_negate);
CEL_FUNCTION(cel_not);
CEL_FUNCTION(cel_equals);
CEL_FUNCTION(cel_equals_not);
CEL_FUNCTION(cel_compares);
CEL_FUNCTION(cel_in_list);
CEL_FUNCTION(cel_in_map);
CEL_FUNCTION(cel_index);
CEL_FUNCTION(cel_index_optional);
CEL_FUNCTION(cel_size);

/* How many characters TEXT has, which is UTF-8. */
size_t cel_characters(const char *text, size_t len);

/* --- cel_convert.c --- */

/* Appends D as string(double) has it, with an exponent from a million on, or PLAIN without. */
void cel_write_double(struct buf *b, double d, bool plain);
CEL_FUNCTION(cel_type_value);
CEL_FUNCTION(cel_dyn);
CEL_FUNCTION(cel_to_int);
CEL_FUNCTION(cel_to_uint);
CEL_FUNCTION(cel_to_double);
CEL_FUNCTION(cel_to_bool);
CEL_FUNCTION(cel_to_string);
CEL_FUNCTION(cel_to_bytes);
CEL_FUNCTION(cel_to_timestamp);
CEL_FUNCTION(cel_to_duration);

/* --- cel_date.c --- */

CEL_FUNCTION(cel_add_time);
CEL_FUNCTION(cel_subtract_time);
CEL_FUNCTION(cel_date_part);
CEL_FUNCTION(cel_duration_part);

/* --- cel_strings.c --- */

CEL_FUNCTION(cel_contains);
CEL_FUNCTION(cel_starts_with);
CEL_FUNCTION(cel_ends_with);
CEL_FUNCTION(cel_char_at);
CEL_FUNCTION(cel_index_of);
CEL_FUNCTION(cel_last_index_of);
CEL_FUNCTION(cel_join);
CEL_FUNCTION(cel_lower);
CEL_FUNCTION(cel_upper);
CEL_FUNCTION(cel_replace);
CEL_FUNCTION(cel_split);
CEL_FUNCTION(cel_substring);
CEL_FUNCTION(cel_trim);
CEL_FUNCTION(cel_quote);

/* --- cel_format.c --- */

CEL_FUNCTION(cel_format_string);

/* --- cel_regex.c --- */

CEL_FUNCTION(cel_matches);
CEL_FUNCTION(cel_find);
CEL_FUNCTION(cel_find_all);

/* --- cel_lists.c --- */

CEL_FUNCTION(cel_list_index_of);
CEL_FUNCTION(cel_list_last_index_of);
CEL_FUNCTION(cel_is_sorted);
CEL_FUNCTION(cel_sum);
CEL_FUNCTION(cel_min);
CEL_FUNCTION(cel_max);
CEL_FUNCTION(cel_sets_contains);
CEL_FUNCTION(cel_sets_equivalent);
CEL_FUNCTION(cel_sets_intersects);

/* --- cel_optional.c --- */

CEL_FUNCTION(cel_optional_of);
CEL_FUNCTION(cel_optional_of_non_zero);
CEL_FUNCTION(cel_optional_none);
CEL_FUNCTION(cel_optional_has_value);
CEL_FUNCTION(cel_optional_value);
CEL_FUNCTION(cel_optional_or);
CEL_FUNCTION(cel_optional_or_value);

/* --- cel_quantity.c --- */

CEL_FUNCTION(cel_quantity);
CEL_FUNCTION(cel_is_quantity);
CEL_FUNCTION(cel_quantity_is_integer);
CEL_FUNCTION(cel_quantity_as_integer);
CEL_FUNCTION(cel_quantity_as_float);
CEL_FUNCTION(cel_quantity_sign);
CEL_FUNCTION(cel_quantity_add);
CEL_FUNCTION(cel_quantity_sub);
CEL_FUNCTION(cel_quantity_less);
CEL_FUNCTION(cel_quantity_greater);
CEL_FUNCTION(cel_quantity_compare);

/* --- cel_semver.c --- */

CEL_FUNCTION(cel_semver_less);
CEL_FUNCTION(cel_semver);
CEL_FUNCTION(cel_semver_greater);
CEL_FUNCTION(cel_semver_compare);
CEL_FUNCTION(cel_is_semver);
CEL_FUNCTION(cel_semver_part);

/* --- cel_url.c --- */

CEL_FUNCTION(cel_url);
CEL_FUNCTION(cel_is_url);
CEL_FUNCTION(cel_url_part);
CEL_FUNCTION(cel_url_query);

/* --- cel_ip.c --- */

CEL_FUNCTION(cel_ip_string);
CEL_FUNCTION(cel_ip);
CEL_FUNCTION(cel_cidr);
CEL_FUNCTION(cel_cidr_string);
CEL_FUNCTION(cel_cidr_ip);
CEL_FUNCTION(cel_is_ip);
CEL_FUNCTION(cel_ip_is_canonical);
CEL_FUNCTION(cel_ip_is);
CEL_FUNCTION(cel_ip_family);
CEL_FUNCTION(cel_is_cidr);
CEL_FUNCTION(cel_cidr_contains_ip);
CEL_FUNCTION(cel_cidr_contains_cidr);
CEL_FUNCTION(cel_cidr_masked);
CEL_FUNCTION(cel_cidr_prefix_length);

/* --- cel_named_format.c --- */

CEL_FUNCTION(cel_format_named);
CEL_FUNCTION(cel_format_constant);
CEL_FUNCTION(cel_format_validate);

/* --- cel_value.c, cel_library.c --- */

/* Finds an item like ITEM in LIST: the same key where the list's schema has keys, else an equal one. GUESS is
 * looked at first. */
bool cel_list_has_item(struct cel_eval *e, const struct cel_value *list, const struct cel_value *item,
		       size_t guess, size_t *ret);
int cel_semver_order(const struct cel_value *a, const struct cel_value *b);
bool cel_url_same(const struct cel_value *a, const struct cel_value *b);
bool cel_ip_same(const struct cel_value *a, const struct cel_value *b);
/* Equality of two values of the same kind, one of the libraries' (quantities and so on). */
bool cel_equal_of_library(const struct cel_value *a, const struct cel_value *b);
