/* Content negotiation: which of the representations we have a client's Accept header asks for.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
 */
#pragma once

#include <stdbool.h>

enum accept_form {
	ACCEPT_OBJECT,         /* the object itself */
	ACCEPT_TABLE,          /* as=Table;v=v1;g=meta.k8s.io */
	ACCEPT_METADATA,       /* as=PartialObjectMetadata */
	ACCEPT_METADATA_LIST,  /* as=PartialObjectMetadataList */
	ACCEPT_DISCOVERY,      /* as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io */
	ACCEPT_DISCOVERY_BETA, /* ...;v=v2beta1 */
};

struct accept {
	enum accept_form form;
	bool yaml;
	bool pretty;     /* JSON in lines: not of the header, but of ?pretty=true */
	bool other_form; /* of a header that nothing fits: a media type does, in another form */
};

/* HEADER may be NULL: everything is fine then. Of the clauses that we can answer the one of the highest
 * weight wins, then the most exact, then the first; false when there is none.
 */
bool accept_parse(const char *header, struct accept *ret);

enum media {
	MEDIA_NONE,
	MEDIA_JSON,
	MEDIA_YAML,
	MEDIA_JSON_PATCH,
	MEDIA_MERGE_PATCH,
	MEDIA_STRATEGIC_PATCH,
	MEDIA_APPLY_PATCH,
	MEDIA_PROTOBUF,
	MEDIA_OTHER
};
/* Of a Content-Type header, its parameters left aside; MEDIA_NONE for NULL and "". */
enum media media_parse(const char *content_type);
