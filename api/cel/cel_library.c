/* What the kinds of the libraries have in common: they can be equal. */
#include "api/cel/cel_functions.h"
#include "lib/quantity.h"

bool cel_equal_of_library(const struct cel_value *a, const struct cel_value *b)
{
	switch ((enum cel_kind)a->kind) {
	case CEL_QUANTITY:
		return quantity_cmp(a->data, b->data) == 0;
	case CEL_SEMVER:
		return cel_semver_order(a, b) == 0;
	case CEL_URL:
		return cel_url_same(a, b);
	case CEL_IP:
	case CEL_CIDR:
		return cel_ip_same(a, b);
	default:
		return a->data == b->data;
	}
}
