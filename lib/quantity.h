/* Kubernetes quantities (resource.Quantity): exact, in nano units of 128 bits.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUANTITY_SIZE 48

enum quantity_format { QUANTITY_DECIMAL_SI, QUANTITY_BINARY_SI, QUANTITY_DECIMAL_EXPONENT };

struct quantity {
	__int128 nano; /* value times 10^9; fractions below a nano are rounded up, as Kubernetes does */
	enum quantity_format format;
};

/* n u m "" k M G T P E, Ki Mi Gi Ti Pi Ei, e3 E3; sign; fraction. False when S is none or too large
 * (more than 2^63-1 is capped as Kubernetes caps it). */
bool quantity_parse(const char *s, struct quantity *ret);
/* Canonical form: no fraction, largest suffix that keeps it exact ("1.5Gi" -> "1536Mi", "0.1" -> "100m",
 * "1024Ki" -> "1Mi"). Returns BUF of QUANTITY_SIZE bytes. */
const char *quantity_format(const struct quantity *q, char *buf);
int quantity_cmp(const struct quantity *a, const struct quantity *b);
/* Value in thousandths and in whole units, rounded up, saturating at INT64_MAX. */
/* No half bytes. */
bool quantity_is_whole(const struct quantity *q);
int64_t quantity_milli(const struct quantity *q);
int64_t quantity_value(const struct quantity *q);
/* Parses and rounds in one: 0 when S is NULL or no quantity. */
int64_t quantity_milli_of(const char *s);
int64_t quantity_value_of(const char *s);
struct quantity quantity_of_value(int64_t value, enum quantity_format format);
struct quantity quantity_of_milli(int64_t milli);
