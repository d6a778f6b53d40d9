#include "image/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/url.h"

/* An address of either family. */
struct ip {
	int family;
	unsigned char bytes[16];
	unsigned bits;
};

static bool parse_ip(struct ip *ip, const char *text)
{
	*ip = (struct ip){ AF_INET, { 0 }, 32 };
	if (inet_pton(AF_INET, text, ip->bytes) == 1)
		return true;
	*ip = (struct ip){ AF_INET6, { 0 }, 128 };
	return inet_pton(AF_INET6, text, ip->bytes) == 1;
}

static bool same_bits(const struct ip *a, const struct ip *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	unsigned mask = (0xff00u >> rest) & 0xff;

	if (a->family != b->family || memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return !rest || ((a->bytes[whole] ^ b->bytes[whole]) & mask) == 0;
}

static bool in_network(const char *network, const struct ip *host)
{
	const char *slash = strchr(network, '/');
	own_free char *address = mem_text_n(network, (size_t)(slash - network));
	struct err ignored;
	struct ip ip;
	uint64_t bits;

	return parse_ip(&ip, address) &&
	       number_parse_u64(&bits, slash + 1, ip.bits, &ignored) == 0 &&
	       same_bits(&ip, host, (unsigned)bits);
}

/* Takes ":port" away from the end of rule; false if it is another port. */
static bool take_port(char *rule, int port)
{
	char *colon = strrchr(rule, ':');
	bool bare_v6 = colon && *rule != '[' && strchr(rule, ':') != colon;
	struct err ignored;
	uint64_t number;

	if (!colon || bare_v6 || number_parse_u64(&number, colon + 1, 65535, &ignored) < 0)
		return true;
	*colon = '\0';
	return number == (uint64_t)port;
}

static bool name_matches(const char *rule, const char *host)
{
	bool below_only = str_starts(rule, "*.") || *rule == '.';
	size_t host_length = strlen(host);

	rule += *rule == '*';
	rule += *rule == '.';
	size_t length = strlen(rule);
	if (!length || host_length < length || strcasecmp(host + host_length - length, rule) != 0)
		return false;
	return host_length == length ? !below_only : host[host_length - length - 1] == '.';
}

static bool rule_matches(char *rule, const char *host, int port)
{
	struct ip host_ip, rule_ip;
	bool numeric = parse_ip(&host_ip, host);

	if (strcmp(rule, "*") == 0)
		return true;
	if (strchr(rule, '/'))
		return numeric && in_network(rule, &host_ip);
	if (!take_port(rule, port))
		return false;
	size_t length = strlen(rule);
	if (length > 2 && *rule == '[' && rule[length - 1] == ']') {
		rule[length - 1] = '\0';
		rule++;
	}
	if (parse_ip(&rule_ip, rule))
		return numeric && same_bits(&rule_ip, &host_ip, rule_ip.bits);
	return name_matches(rule, host);
}

bool image_proxy_excepts(const char *text, const char *host, int port)
{
	own_clear(strv_clear) struct strv rules = { 0 };

	strv_split(&rules, text, ',');
	for (size_t i = 0; i < rules.count; i++) {
		char *rule = rules.items[i] + strspn(rules.items[i], " \t");
		rule[strcspn(rule, " \t")] = '\0';
		if (*rule && rule_matches(rule, host, port))
			return true;
	}
	return false;
}

/* The first of two that is set and not empty. */
static struct image_proxy either(const char *large, const char *small)
{
	const char *value = getenv(large);

	if (!str_empty(value))
		return (struct image_proxy){ large, value };
	value = getenv(small);
	return (struct image_proxy){ small, str_empty(value) ? NULL : value };
}

struct image_proxy image_proxy_for(const struct image_url *url)
{
	struct image_proxy none = { NULL, NULL };
	struct image_proxy proxy = str_equal(url->scheme, "https")
					   ? either("HTTPS_PROXY", "https_proxy")
					   : either("HTTP_PROXY", "http_proxy");

	if (!proxy.address)
		proxy = either("ALL_PROXY", "all_proxy");
	if (!proxy.address || image_url_host_is_loopback(url->host))
		return none;
	struct image_proxy except = either("NO_PROXY", "no_proxy");
	if (except.address && image_proxy_excepts(except.address, url->host, url->port))
		return none;
	return proxy;
}
