#include "apiserver/authz/attributes.h"

void attributes_set_verb(struct authz_attributes *a, const char *verb)
{
	a->verb = verb;
	a->verb_bit = verb_parse(verb);
}

void attributes_write_refusal(struct buf *b, const struct authz_attributes *a)
{
	buf_str(b, "User ");
	buf_json_string(b, a->identity->user);
	if (!a->is_resource) {
		buf_printf(b, " cannot %s path ", a->verb);
		buf_json_string(b, a->path);
		return;
	}
	buf_printf(b, " cannot %s resource \"%s%s%s\" in API group ", a->verb, a->resource,
		   *a->subresource ? "/" : "", a->subresource);
	buf_json_string(b, a->group);
	if (*a->namespace_) {
		buf_str(b, " in the namespace ");
		buf_json_string(b, a->namespace_);
	} else {
		buf_str(b, " at the cluster scope");
	}
}
