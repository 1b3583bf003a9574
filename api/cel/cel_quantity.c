/* Quantities: exact sums and comparisons.
 * https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library
 */
#include <string.h>

#include "api/cel/cel_functions.h"
#include "lib/quantity.h"

#define NANO     1000000000
#define TEXT_MAX QUANTITY_SIZE

static bool parse(const struct cel_value *v, struct quantity *ret)
{
	char text[TEXT_MAX];

	if (v->len >= sizeof(text) || memchr(v->text, '\0', v->len))
		return false;
	*(char *)mempcpy(text, v->text, v->len) = '\0';
	return quantity_parse(text, ret);
}

static struct cel_value made(struct cel_eval *e, const struct quantity *quantity)
{
	struct quantity *kept = cel_alloc(&e->arena, sizeof(*kept));

	*kept = *quantity;
	return (struct cel_value){ .kind = CEL_QUANTITY, .data = kept };
}

CEL_FUNCTION(cel_quantity)
{
	struct quantity quantity;

	(void)node, (void)n;
	if (!parse(&args[0], &quantity))
		return cel_error("quantities must match the regular expression "
				 "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
	return made(e, &quantity);
}

CEL_FUNCTION(cel_is_quantity)
{
	struct quantity quantity;

	(void)e, (void)node, (void)n;
	return cel_bool(parse(&args[0], &quantity));
}

static bool as_int(const struct quantity *q, int64_t *ret)
{
	__int128 whole = q->nano / NANO;

	*ret = (int64_t)whole;
	return q->nano % NANO == 0 && whole >= INT64_MIN && whole <= INT64_MAX;
}

CEL_FUNCTION(cel_quantity_is_integer)
{
	int64_t ignored;

	(void)e, (void)node, (void)n;
	return cel_bool(as_int(args[0].data, &ignored));
}

CEL_FUNCTION(cel_quantity_as_integer)
{
	int64_t value;

	(void)e, (void)node, (void)n;
	return as_int(args[0].data, &value) ? cel_int(value) : cel_error("cannot convert value to integer");
}

CEL_FUNCTION(cel_quantity_as_float)
{
	const struct quantity *q = args[0].data;

	(void)e, (void)node, (void)n;
	return cel_double((double)q->nano / NANO);
}

static int order(const struct cel_value *args)
{
	return quantity_cmp(args[0].data, args[1].data);
}

CEL_FUNCTION(cel_quantity_sign)
{
	const struct quantity *q = args[0].data;

	(void)e, (void)node, (void)n;
	return cel_int((q->nano > 0) - (q->nano < 0));
}

CEL_FUNCTION(cel_quantity_less)
{
	(void)e, (void)node, (void)n;
	return cel_bool(order(args) < 0);
}

CEL_FUNCTION(cel_quantity_greater)
{
	(void)e, (void)node, (void)n;
	return cel_bool(order(args) > 0);
}

CEL_FUNCTION(cel_quantity_compare)
{
	int o = order(args);

	(void)e, (void)node, (void)n;
	return cel_int((o > 0) - (o < 0));
}

/* A - B when MINUS, else A + B. */
static struct cel_value sum(struct cel_eval *e, const struct cel_value *args, bool minus)
{
	struct quantity result = *(const struct quantity *)args[0].data;
	__int128 other = args[1].kind == CEL_INT ? (__int128)args[1].i * NANO
						 : ((const struct quantity *)args[1].data)->nano;

	if (minus ? __builtin_sub_overflow(result.nano, other, &result.nano)
		  : __builtin_add_overflow(result.nano, other, &result.nano))
		return cel_error("quantity overflow");
	return made(e, &result);
}

CEL_FUNCTION(cel_quantity_add)
{
	(void)node, (void)n;
	return sum(e, args, false);
}

CEL_FUNCTION(cel_quantity_sub)
{
	(void)node, (void)n;
	return sum(e, args, true);
}
