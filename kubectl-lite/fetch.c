#include "kubectl-lite/fetch.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

#define LIBRARY       "libcurl-gnutls.so.4"
#define TIMEOUT_S     30L
#define MAX_REDIRECTS 10L

/* The functions of libcurl that are used, under their own names. */
struct library {
	void *handle;
	__typeof__(&curl_easy_init) easy_init;
	__typeof__(&curl_easy_setopt) easy_setopt;
	__typeof__(&curl_easy_perform) easy_perform;
	__typeof__(&curl_easy_getinfo) easy_getinfo;
	__typeof__(&curl_easy_strerror) easy_strerror;
	__typeof__(&curl_easy_cleanup) easy_cleanup;
};

bool fetch_is_url(const char *file)
{
	return strncmp(file, "http://", 7) == 0 || strncmp(file, "https://", 8) == 0;
}

static int library_open(struct library *library, struct err *err)
{
	const struct {
		const char *name;
		void *function;
	} symbols[] = {
		{ "curl_easy_init", &library->easy_init },
		{ "curl_easy_setopt", &library->easy_setopt },
		{ "curl_easy_perform", &library->easy_perform },
		{ "curl_easy_getinfo", &library->easy_getinfo },
		{ "curl_easy_strerror", &library->easy_strerror },
		{ "curl_easy_cleanup", &library->easy_cleanup },
	};

	library->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library->handle)
		return err_set(err, ERR_SYSTEM, "URLs are read by libcurl, which is not installed: %s",
			       dlerror());
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(library->handle, symbols[i].name);

		if (!symbol)
			return err_set(err, ERR_SYSTEM, "%s: %s", LIBRARY, dlerror());
		memcpy(symbols[i].function, &symbol, sizeof(symbol));
	}
	return 0;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_add(b, data, size * n);
	return b->failed ? 0 : size * n;
}

static int perform(const struct library *library, CURL *easy, const char *url, struct buf *b, struct err *err)
{
	char why[CURL_ERROR_SIZE] = "";
	long code = 0;

	library->easy_setopt(easy, CURLOPT_URL, url);
	library->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	library->easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	library->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	library->easy_setopt(easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
	library->easy_setopt(easy, CURLOPT_TIMEOUT, TIMEOUT_S);
	library->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	library->easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
	library->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
	library->easy_setopt(easy, CURLOPT_WRITEDATA, b);
	CURLcode result = library->easy_perform(easy);
	if (b->failed)
		return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", url, b->max);
	if (result != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "unable to read URL \"%s\": %s", url,
			       why[0] ? why : library->easy_strerror(result));
	library->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	if (code != 200)
		return err_set(err, ERR_SYSTEM, "unable to read URL \"%s\", server reported status code=%ld",
			       url, code);
	return 0;
}

int fetch(const char *url, struct buf *b, struct err *err)
{
	struct library library = { 0 };
	CURL *easy = NULL;
	int result = library_open(&library, err);

	if (result == 0) {
		easy = library.easy_init();
		result = easy ? perform(&library, easy, url, b, err)
			      : err_set(err, ERR_SYSTEM, "libcurl cannot be initialised");
	}
	if (easy)
		library.easy_cleanup(easy);
	if (library.handle)
		dlclose(library.handle);
	return result;
}
