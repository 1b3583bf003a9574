/* Expressions of CEL: an expression, and behind a form feed an object in JSON. Whatever compiles runs within
 * its budget, comes to the same each time, and leaves the object as it is. */
#include <stdlib.h>
#include <string.h>

#include "api/cel/cel_program.h"
#include "lib/json.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char definition[] =
    "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"i\":{\"type\":\"integer\"},"
    "\"n\":{\"type\":\"number\"},\"b\":{\"type\":\"boolean\"},\"port\":{\"x-kubernetes-int-or-string\":true},"
    "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},"
    "\"strings\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"string\"}},"
    "\"ports\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":["
    "\"name\"],"
    "\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"port\":{\"type\":"
    "\"integer\"}}}},"
    "\"map\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}},"
    "\"nested\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"integer\",\"nullable\":true}}},"
    "\"when\":{\"type\":\"string\",\"format\":\"date-time\"},\"how\":{\"type\":\"string\",\"format\":"
    "\"duration\"},"
    "\"raw\":{\"type\":\"string\",\"format\":\"byte\"},\"foo-bar\":{\"type\":\"string\"},"
    "\"any\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},"
    "\"template\":{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,"
    "\"x-kubernetes-preserve-unknown-fields\":true}}}";

struct outcome {
	int result;
	bool truth;
	uint64_t cost;
	struct buf text;
	struct err err;
};

static void run(const struct cel_program *program, enum cel_result wants, const struct json_object *value,
		const struct json_object *old, struct outcome *ret)
{
	*ret = (struct outcome){ .text = BUF_INIT, .err = ERR_INIT };
	ret->result = cel_program_run(program, value, old, &ret->cost, &ret->truth,
				      wants == CEL_WANTS_STRING ? &ret->text : NULL, &ret->err);
	if (ret->cost > CEL_COST_OF_RULE || (ret->result < 0) != (ret->err.kind != ERR_NONE))
		abort();
}

static bool same_text(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

static void check(const char *text, const struct structural *schema, const struct json_object *value,
		  enum cel_result wants)
{
	CLEANUP(json_putp) struct json_object *copy = json_clone(value);
	CLEANUP(buf_close) struct buf faults = BUF_INIT;
	struct cel_program *program = NULL;
	struct outcome first, second;

	if (cel_program_new(text, schema, true, false, wants, &program, &faults) < 0) {
		if (program || !faults.len)
			abort();
		return;
	}
	run(program, wants, value, copy, &first);
	run(program, wants, copy, value, &second);
	if (first.result != second.result || first.truth != second.truth || first.cost != second.cost ||
	    strcmp(first.err.msg, second.err.msg) != 0 || !same_text(&first.text, &second.text) ||
	    !json_equal(copy, value))
		abort();
	buf_close(&first.text);
	buf_close(&second.text);
	cel_program_free(program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct structural *schema;
	const char *bytes = (const char *)data, *end = memchr(bytes, '\f', size);
	size_t len = end ? (size_t)(end - bytes) : size;
	CLEANUP(mem_freep) char *text = mem_dupn(bytes, len);
	struct json_object *value CLEANUP(json_putp) = NULL;

	if (!schema) {
		struct json_object *json CLEANUP(json_putp) = NULL;

		if (json_parse(definition, strlen(definition), &json, NULL, NULL) < 0 ||
		    structural_new(json, &schema, NULL) < 0)
			abort();
	}
	if (!end || json_parse(end + 1, size - len - 1, &value, NULL, NULL) < 0 ||
	    !json_object_is_type(value, json_type_object)) {
		json_object_put(value);
		value = json_object_new_object();
	}
	check(text, schema, value, CEL_WANTS_BOOL);
	check(text, schema, value, CEL_WANTS_STRING);
	return 0;
}
