/* Answers: the ways a request's response is put together. All answer the exchange and return STEP_DONE.
 */
#pragma once

#include "apiserver/edge/request.h"

/* BODY is taken (empty after); content type as given. */
enum step_result respond_buf(struct request *r, int code, const char *content_type, struct buf *body);
enum step_result respond_text(struct request *r, int code, const char *text);
/* JSON text, turned into YAML or into lines when the client wants that. BODY is taken. */
enum step_result respond_json(struct request *r, int code, struct buf *body);
/* A further header of the answer that is to come; both without line breaks. */
void respond_add_header(struct request *r, const char *name, const char *value);
/* The client wants an answer of LEN bytes compressed, and it pays: for those who send bytes themselves. */
bool respond_compresses(const struct request *r, uint64_t len);
/* Names a content: SHA-512 as 128 hexadecimal digits. */
#define RESPOND_HASH_SIZE 129
void respond_hash(const struct buf *body, char ret[RESPOND_HASH_SIZE]);
/* BODY with HASH as its ETag, or 304 when the client has it already. BODY is taken. */
enum step_result respond_tagged(struct request *r, const char *content_type, const char *hash,
				struct buf *body);
/* Room for an answer that holds LEN bytes of memory until it is taken, and a time by which it must be;
 * answers of usual size need neither. False: r->err says that there is none (429); only reads are refused. */
bool respond_take_room(struct request *r, size_t len);
/* The object in the form the client wants: itself (its shared bytes), a table or its metadata. OBJECT's
 * reference is taken. */
enum step_result respond_object(struct request *r, int code, struct object *object);
/* The same of an object of another RESOURCE than the request is about. */
enum step_result respond_object_of(struct request *r, int code, const struct resource *resource,
				   struct object *object);
/* The Status that r->err calls for. */
enum step_result respond_failure(struct request *r);
/* A success Status; details of the object when UID is not NULL. */
enum step_result respond_success(struct request *r, int code, const char *uid);
/* LEN bytes in pieces, and a stream: http_exchange_send_pieces, http_exchange_stream. */
enum step_result respond_pieces(struct request *r, const char *content_type, uint64_t len,
				bool (*next)(const char **ret_data, size_t *ret_len, void *arg),
				void (*release)(void *arg), void *arg);
enum step_result respond_stream(struct request *r, const char *content_type,
				ssize_t (*read)(char *data, size_t size, void *arg),
				void (*closed)(void *arg), void *arg);
/* Somebody else's answer, its headers added, as a stream. */
enum step_result respond_passed_on(struct request *r, int code, const char *content_type,
				   ssize_t (*read)(char *data, size_t size, void *arg), void *arg);
/* "404 page not found" as text. */
enum step_result respond_page_not_found(struct request *r);

/* Appends a failure's Status to B: for answers, and for ERROR events of a watch. */
void respond_write_status(struct buf *b, struct request *r);
