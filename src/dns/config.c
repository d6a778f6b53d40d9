#include "dns/config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

#define RESOLV_CONF "/etc/resolv.conf"

enum { PORT = 53 };

/* ---- servers ---- */

static bool set_ipv6(struct sockaddr_in6 *to, const char *text)
{
	own_free char *bare = mem_text_n(text, strcspn(text, "%"));

	*to = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	if (text[strlen(bare)])
		to->sin6_scope_id = if_nametoindex(text + strlen(bare) + 1);
	return inet_pton(AF_INET6, bare, &to->sin6_addr) == 1;
}

static bool set_ipv4(struct sockaddr_in *to, const char *text)
{
	*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(PORT) };
	return inet_pton(AF_INET, text, &to->sin_addr) == 1;
}

static void add_server(struct dns_servers *servers, const char *text)
{
	struct dns_server server = { 0 };

	if (set_ipv4((struct sockaddr_in *)&server.address, text))
		server.length = sizeof(struct sockaddr_in);
	else if (set_ipv6((struct sockaddr_in6 *)&server.address, text))
		server.length = sizeof(struct sockaddr_in6);
	if (server.length && servers->count < DNS_SERVERS_MAX)
		servers->items[servers->count++] = server;
}

/* ---- lines ---- */

/* The first words of a line; "" where there is none. */
struct line {
	char *key;
	char *value;
	char *other;
};

static void line_clear(struct line *line)
{
	free(line->key);
	free(line->value);
	free(line->other);
}

/* The word at *at, which moves on, within its line. */
static char *next_word(const char **at)
{
	static const char blank[] = " \t\r";

	*at += strspn(*at, blank);
	size_t length = strcspn(*at, " \t\r\n");
	char *word = mem_text_n(*at, length);
	*at += length;
	return word;
}

/* The line at *text, which moves on to the next one. The caller clears. */
static bool next_line(const char **text, struct line *ret)
{
	if (!**text)
		return false;
	ret->key = next_word(text);
	ret->value = next_word(text);
	ret->other = next_word(text);
	*text += strcspn(*text, "\n");
	*text += **text == '\n';
	return true;
}

static void add_link(struct dns_config *config, char *name, const char *other)
{
	for (char *at = name; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	strv_addf(&config->links, "%s=%s", name, other);
}

void dns_config_parse(struct dns_config *config, const char *text)
{
	struct line line;

	while (next_line(&text, &line)) {
		if (str_equal(line.key, "forward"))
			config->forward = true;
		else if (str_equal(line.key, "server"))
			add_server(&config->servers, line.value);
		else if (str_equal(line.key, "network"))
			strv_add(&config->networks, line.value);
		else if (str_equal(line.key, "link"))
			add_link(config, line.value, line.other);
		line_clear(&line);
	}
}

void dns_config_parse_resolv(struct dns_servers *servers, const char *text)
{
	struct line line;

	while (next_line(&text, &line)) {
		if (str_equal(line.key, "nameserver"))
			add_server(servers, line.value);
		line_clear(&line);
	}
}

/* ---- files ---- */

/* fd, which is kept. */
static void watch(struct dns_config *config, int fd)
{
	struct dns_watched watched = { .fd = fd };

	if (fd < 0)
		return;
	if (config->watched_count < DNS_WATCHED_MAX && fstat(fd, &watched.then) == 0)
		config->watched[config->watched_count++] = watched;
	else
		close(fd);
}

/* A file that is replaced has no name any more; one that is written has another time; what a name
 * leads to is seen by the folder. */
bool dns_config_has_changed(const struct dns_config *config)
{
	struct stat now;

	for (size_t i = 0; i < config->watched_count; i++) {
		const struct stat *then = &config->watched[i].then;
		if (fstat(config->watched[i].fd, &now) < 0 || now.st_nlink != then->st_nlink ||
		    now.st_ctim.tv_sec != then->st_ctim.tv_sec ||
		    now.st_ctim.tv_nsec != then->st_ctim.tv_nsec)
			return true;
	}
	return false;
}

static void watch_folder(struct dns_config *config, const char *path)
{
	const char *slash = strrchr(path, '/');
	own_free char *folder = mem_text_n(path, slash ? (size_t)(slash - path) : 0);

	watch(config, open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* The host's. It may be a link, to what systemd-resolved or resolvconf writes. A host without one
 * has none to ask. */
static void read_resolv(struct dns_config *config)
{
	own_free char *real = realpath(RESOLV_CONF, NULL);
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	watch_folder(config, RESOLV_CONF);
	if (!real)
		return;
	int fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (strcmp(real, RESOLV_CONF) != 0)
		watch_folder(config, real);
	if (fd >= 0 && fd_read_all(fd, DNS_CONFIG_BYTES_MAX, &text, &ignored) == 0 && text.text)
		dns_config_parse_resolv(&config->servers, text.text);
	watch(config, fd);
}

int dns_config_read(struct dns_config *ret, int run_fd, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	*ret = (struct dns_config){ 0 };
	int fd = openat(run_fd, "dns", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open dns");
	watch(ret, fd);
	int r = fd_read_all(fd, DNS_CONFIG_BYTES_MAX, &text, e);
	if (r < 0)
		return r;
	dns_config_parse(ret, text.text ? text.text : "");
	if (ret->forward && ret->servers.count == 0)
		read_resolv(ret);
	return 0;
}
