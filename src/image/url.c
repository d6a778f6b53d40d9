#include "image/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"

OWN_DEFINE(curl_url_cleanup, CURLU *)

static char *get_part(CURLU *u, CURLUPart part, unsigned flags)
{
	char *text = NULL;

	if (curl_url_get(u, part, &text, flags) != CURLUE_OK)
		return NULL;
	char *copy = mem_text(text);
	curl_free(text);
	return copy;
}

static char *take_host(CURLU *u)
{
	char *host = get_part(u, CURLUPART_HOST, 0);
	size_t length = host ? strlen(host) : 0;

	if (length > 2 && host[0] == '[') {
		memmove(host, host + 1, length - 2);
		host[length - 2] = '\0';
	}
	for (char *c = host; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	return host;
}

static int set_text(CURLU *u, const char *text, const char *base, struct err *e)
{
	if (base && curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK)
		return err_set(e, ERR_CORRUPT, "not an address: \"%.200s\"", base);
	CURLUcode code = curl_url_set(u, CURLUPART_URL, text, 0);
	if (code == CURLUE_UNSUPPORTED_SCHEME)
		return err_set(e, ERR_PERMISSION, "address \"%.200s\" is neither http nor https",
			       text);
	if (code != CURLUE_OK)
		return err_set(e, ERR_CORRUPT, "not an address: \"%.200s\"", text);
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	return 0;
}

static int check_parts(CURLU *u, const struct image_url *url, struct err *e)
{
	own_free char *user = get_part(u, CURLUPART_USER, 0);
	own_free char *password = get_part(u, CURLUPART_PASSWORD, 0);

	if (!str_equal(url->scheme, "http") && !str_equal(url->scheme, "https"))
		return err_set(e, ERR_PERMISSION, "address with the scheme \"%.20s\"",
			       url->scheme ? url->scheme : "");
	if (user || password)
		return err_set(e, ERR_PERMISSION, "address with a user or password in it");
	if (str_empty(url->host))
		return err_set(e, ERR_CORRUPT, "address without a host");
	return 0;
}

int image_url_parse(struct image_url *url, const char *text, const char *base, struct err *e)
{
	own(curl_url_cleanup) CURLU *u = curl_url();
	own_clear(image_url_clear) struct image_url parsed = { 0 };

	if (strlen(text) > IMAGE_URL_MAX)
		return err_set(e, ERR_CORRUPT, "address longer than %d bytes", IMAGE_URL_MAX);
	int r = set_text(u, text, base, e);
	if (r < 0)
		return r;
	parsed.scheme = get_part(u, CURLUPART_SCHEME, 0);
	parsed.host = take_host(u);
	r = check_parts(u, &parsed, e);
	if (r < 0)
		return r;
	own_free char *port = get_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	uint64_t number = 0;
	r = number_parse_u64(&number, port ? port : "", 65535, e);
	if (r < 0)
		return err_add(e, "port of %.200s", text);
	parsed.port = (int)number;
	parsed.text = get_part(u, CURLUPART_URL, 0);
	*url = parsed;
	parsed = (struct image_url){ 0 };
	return 0;
}

void image_url_clear(struct image_url *url)
{
	free(url->scheme);
	free(url->host);
	free(url->text);
	*url = (struct image_url){ 0 };
}

bool image_url_same_origin(const struct image_url *a, const struct image_url *b)
{
	return str_equal(a->scheme, b->scheme) && str_equal(a->host, b->host) && a->port == b->port;
}

static bool v4_is_local(uint32_t address)
{
	return address >> 24 == 127 || address >> 24 == 0 || address >> 16 == 0xa9fe;
}

static bool v6_is_local(const struct in6_addr *a)
{
	uint32_t v4;

	memcpy(&v4, &a->s6_addr[12], sizeof(v4));
	if (IN6_IS_ADDR_V4MAPPED(a))
		return v4_is_local(ntohl(v4));
	/* fd00:ec2::254: where EC2 answers as at 169.254.169.254 */
	static const unsigned char ec2[16] = { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 };
	return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LINKLOCAL(a) ||
	       memcmp(a->s6_addr, ec2, sizeof(ec2)) == 0;
}

bool image_url_address_is_local(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return v4_is_local(ntohl(
			((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
	if (address->sa_family == AF_INET6)
		return v6_is_local(
			&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
	return true;
}

bool image_url_host_is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (str_equal(host, "localhost") || str_ends(host, ".localhost"))
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool image_url_host_is_local(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (str_equal(host, "localhost") || str_ends(host, ".localhost"))
		return true;
	/* inet_aton takes what getaddrinfo takes: "127.1", "0x7f000001" */
	if (inet_aton(host, &v4))
		return v4_is_local(ntohl(v4.s_addr));
	own_free char *without_zone = mem_text_n(host, strcspn(host, "%"));
	return inet_pton(AF_INET6, without_zone, &v6) == 1 && v6_is_local(&v6);
}

int image_url_check_step(const struct image_url *from, const struct image_url *to,
			 bool local_allowed, struct err *e)
{
	if (str_equal(from->scheme, "https") && str_equal(to->scheme, "http"))
		return err_set(e, ERR_PERMISSION, "the registry sends us from https to %.200s",
			       to->text);
	if (!local_allowed && image_url_host_is_local(to->host))
		return err_set(e, ERR_PERMISSION,
			       "the registry sends us to %.200s, an address of this machine",
			       to->text);
	return 0;
}
