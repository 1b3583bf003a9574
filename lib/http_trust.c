#include "lib/http_trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/http_client.h"
#include "lib/mem.h"

static int memory_file(const char *name, const char *text, int *ret, struct err *err)
{
	CLEANUP(mem_closep) int fd = -1;
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return 0;
	fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, errno, "memfd_create");
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, errno, "write to memory");
		done += (size_t)n;
	}
	*ret = fd;
	fd = -1;
	return 0;
}

int http_trust_init(struct http_trust *trust, const struct http_identity *identity, struct err *err)
{
	*trust = HTTP_TRUST_INIT;
	if (memory_file("ca", identity->ca_pem, &trust->ca_fd, err) < 0 ||
	    memory_file("cert", identity->cert_pem, &trust->cert_fd, err) < 0 ||
	    memory_file("key", identity->key_pem, &trust->key_fd, err) < 0) {
		http_trust_close(trust);
		return -1;
	}
	return 0;
}

void http_trust_close(struct http_trust *trust)
{
	mem_closep(&trust->ca_fd);
	mem_closep(&trust->cert_fd);
	mem_closep(&trust->key_fd);
	*trust = HTTP_TRUST_INIT;
}

static void set_file(CURL *easy, CURLoption option, int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	curl_easy_setopt(easy, option, fd >= 0 ? path : NULL);
}

/* Where libcurl's build looks for the system's CAs, for handles that were told to look nowhere. */
static const char *system_ca_file(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	return info->cainfo ? info->cainfo : "/etc/ssl/certs/ca-certificates.crt";
}

void http_trust_apply(const struct http_trust *trust, CURL *easy, bool verify)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	/* Else libcurl would add the system's folder of CAs to a CA of our own, and parse all of them for
	 * each connection, which it also does when nothing is verified. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (verify && trust->ca_fd < 0)
		curl_easy_setopt(easy, CURLOPT_CAINFO, system_ca_file());
	else
		set_file(easy, CURLOPT_CAINFO, verify ? trust->ca_fd : -1);
	set_file(easy, CURLOPT_SSLCERT, trust->cert_fd);
	set_file(easy, CURLOPT_SSLKEY, trust->key_fd);
}
