#include "apiserver/authn/known_certificates.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apiserver/authn/certificate.h"
#include "lib/mem.h"

#define PLACES   64
#define KEPT_S   300
#define MAX_SIZE 4096 /* of what is remembered */

struct known {
	const void *trust; /* the credentials that vouch for it: compared, never looked into */
	unsigned char *der;
	size_t size;
	time_t until;
	struct identity *identity; /* NULL: an empty place */
};

struct known_certificates {
	pthread_mutex_t lock;
	struct known places[PLACES];
};

struct known_certificates *known_certificates_new(void)
{
	struct known_certificates *known = mem_zalloc(sizeof(*known));

	pthread_mutex_init(&known->lock, NULL);
	return known;
}

static void empty(struct known *place)
{
	identity_unref(place->identity);
	free(place->der);
	*place = (struct known){ 0 };
}

void known_certificates_forget(struct known_certificates *known)
{
	pthread_mutex_lock(&known->lock);
	for (size_t i = 0; i < PLACES; i++)
		empty(&known->places[i]);
	pthread_mutex_unlock(&known->lock);
}

void known_certificates_free(struct known_certificates *known)
{
	if (!known)
		return;
	known_certificates_forget(known);
	pthread_mutex_destroy(&known->lock);
	free(known);
}

/* By the signature's last bytes, which are as good as chance. Who has two certificates that share a place
 * pays for it himself. */
static struct known *place_of(struct known_certificates *known, const gnutls_datum_t *der)
{
	return &known->places[der->data[der->size - 1] % PLACES];
}

static struct identity *find(struct known_certificates *known, const void *trust, const gnutls_datum_t *der)
{
	struct identity *identity = NULL;

	pthread_mutex_lock(&known->lock);
	const struct known *place = place_of(known, der);
	if (place->identity && place->trust == trust && place->size == der->size &&
	    memcmp(place->der, der->data, der->size) == 0 && time(NULL) < place->until)
		identity = identity_ref(place->identity);
	pthread_mutex_unlock(&known->lock);
	return identity;
}

static void keep(struct known_certificates *known, const void *trust, const gnutls_datum_t *der,
		 time_t expires, struct identity *identity)
{
	time_t until = time(NULL) + KEPT_S;

	pthread_mutex_lock(&known->lock);
	struct known *place = place_of(known, der);
	empty(place);
	*place = (struct known){ .trust = trust,
				 .der = mem_copy(der->data, der->size),
				 .size = der->size,
				 .until = expires < until ? expires : until,
				 .identity = identity_ref(identity) };
	pthread_mutex_unlock(&known->lock);
}

struct identity *known_certificates_identity(struct known_certificates *known, gnutls_session_t session)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	void *trust = NULL;

	if (n != 1 || chain->size == 0 || chain->size > MAX_SIZE ||
	    gnutls_credentials_get(session, GNUTLS_CRD_CERTIFICATE, &trust) < 0)
		return certificate_identity(session);
	struct identity *identity = find(known, trust, chain);
	if (identity)
		return identity;
	identity = certificate_identity(session);
	if (identity)
		keep(known, trust, chain, gnutls_certificate_expiration_time_peers(session), identity);
	return identity;
}
