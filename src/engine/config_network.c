#include <arpa/inet.h>
#include <string.h>

#include "engine/config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

static int set_mode(struct container *c, const struct create_options *o, struct err *e)
{
	static const char *const modes[] = { "none", "host", "private", NULL };

	if (o->network.count > 1)
		return err_set(e, ERR_INVALID, "--network: %s and %s: only one can be had",
			       o->network.items[0], o->network.items[1]);
	const char *text = o->network.count ? o->network.items[0] : "private";
	if (!strcmp(text, "default"))
		text = "private";
	const char *other = config_container_name(text);
	if (!config_is_one_of(text, modes) && str_empty(other)) {
		err_set(e, ERR_INVALID,
			"--network %s: not one of private, none, host, container:NAME", text);
		return err_hint(e, "networks with names and bridges are not there yet");
	}
	c->network.mode = mem_text(text);
	return 0;
}

static int check_address(const char *option, const char *whole, const char *address, struct err *e)
{
	struct in6_addr bytes;

	if (inet_pton(AF_INET, address, &bytes) == 1 || inet_pton(AF_INET6, address, &bytes) == 1)
		return 0;
	return err_set(e, ERR_INVALID, "%s %s: '%s' is not an IP address", option, whole, address);
}

/* NAME:ADDRESS or NAME=ADDRESS; an IPv6 address may stand in brackets. Stored as NAME:ADDRESS. */
static int add_host(struct container *c, const char *text, struct err *e)
{
	size_t length = strcspn(text, ":=");
	const char *address = text + length + 1;

	if (!length || !text[length])
		return err_set(e, ERR_INVALID, "--add-host %s: not NAME:ADDRESS", text);
	if (strcspn(text, " \t\n#") < length)
		return err_set(e, ERR_INVALID, "--add-host %s: a name without blanks", text);
	size_t end = strlen(address);
	bool bracketed = address[0] == '[' && end > 2 && address[end - 1] == ']';
	own_free char *bare = bracketed ? mem_text_n(address + 1, end - 2) : mem_text(address);
	if (strcmp(bare, "host-gateway") != 0) {
		int r = check_address("--add-host", text, bare, e);
		if (r < 0)
			return r;
	} else {
		return err_set(e, ERR_UNSUPPORTED,
			       "--add-host %s: without a bridge there is no host-gateway", text);
	}
	strv_addf(&c->network.add_host, "%.*s:%s", (int)length, text, bare);
	return 0;
}

static int add_words(struct strv *to, const char *option, const struct strv *words, struct err *e)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		if (!*word || word[strcspn(word, " \t\n")])
			return err_set(e, ERR_INVALID, "%s '%s': one word", option, word);
		strv_add(to, word);
	}
	return 0;
}

int config_network(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e)
{
	(void)image;
	(void)context;
	int r = set_mode(c, o, e);
	if (r < 0)
		return r;

	const char *option = o->add_host.count     ? "--add-host"
			     : o->dns.count        ? "--dns"
			     : o->dns_search.count ? "--dns-search"
			     : o->dns_option.count ? "--dns-option"
						   : NULL;
	if (option && config_container_name(c->network.mode))
		return err_set(e, ERR_INVALID,
			       "%s and --network %s exclude each other: its files "
			       "are the other container's",
			       option, c->network.mode);
	for (size_t i = 0; r == 0 && i < o->add_host.count; i++)
		r = add_host(c, o->add_host.items[i], e);
	for (size_t i = 0; r == 0 && i < o->dns.count; i++)
		r = check_address("--dns", o->dns.items[i], o->dns.items[i], e);
	if (r == 0)
		strv_add_all(&c->network.dns, &o->dns);
	if (r == 0)
		r = add_words(&c->network.dns_search, "--dns-search", &o->dns_search, e);
	if (r == 0)
		r = add_words(&c->network.dns_option, "--dns-option", &o->dns_option, e);
	return r;
}
