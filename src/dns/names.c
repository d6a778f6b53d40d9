/* names.c - a folder is read anew when its time has changed. That clock ticks some times a second
 * only, so a folder that was read within a tick of its last change is not trusted to be the same
 * the next time. */
#include "dns/names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

enum { TICK_NS = 50 * 1000 * 1000, ENTRIES_MAX = 8192, ID_LENGTH = 64 };

static char *lower(const char *text)
{
	char *copy = mem_text(text);

	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

int dns_names_open(struct dns_names *ret, int folder_fd, const struct strv *networks, struct err *e)
{
	ret->networks = mem_new(networks->count ? networks->count : 1, sizeof(*ret->networks));
	ret->count = 0;
	for (size_t i = 0; i < networks->count; i++) {
		const char *name = networks->items[i];
		int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_sys(e, "open names/%s", name);
		ret->networks[ret->count++] =
			(struct dns_network){ .name = lower(name), .folder = fd };
	}
	return 0;
}

/* ---- reading ---- */

void dns_names_clear_entry(struct dns_entry *entry)
{
	free(entry->id);
	strv_clear(&entry->names);
	*entry = (struct dns_entry){ 0 };
}

static void add_address(struct dns_entry *entry, const char *text)
{
	struct dns_address address;

	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.length = 4;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.length = 16;
	else
		return;
	if (entry->addresses_count < DNS_ENTRY_ADDRESSES)
		entry->addresses[entry->addresses_count++] = address;
}

static void parse_line(struct dns_entry *entry, const char *line)
{
	if (str_starts(line, "address "))
		add_address(entry, line + strlen("address "));
	else if (str_starts(line, "name "))
		strv_add_take(&entry->names, lower(line + strlen("name ")));
}

void dns_names_parse(struct dns_entry *ret, const char *text)
{
	own_clear(strv_clear) struct strv lines = { 0 };

	*ret = (struct dns_entry){ 0 };
	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++)
		parse_line(ret, lines.items[i]);
}

static void clear_entries(struct dns_network *network)
{
	for (size_t i = 0; i < network->count; i++)
		dns_names_clear_entry(&network->entries[i]);
	free(network->entries);
	network->entries = NULL;
	network->count = 0;
}

static void add_entry(struct dns_network *network, const char *id)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err gone;

	if (fd_read_file_at(network->folder, id, DNS_ENTRY_BYTES_MAX, &text, &gone) < 0 ||
	    !text.text || network->count >= ENTRIES_MAX)
		return;
	network->entries =
		mem_resize(network->entries, network->count + 1, sizeof(*network->entries));
	struct dns_entry *entry = &network->entries[network->count++];
	dns_names_parse(entry, text.text);
	entry->id = mem_text(id);
}

void dns_names_close(struct dns_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		clear_entries(&names->networks[i]);
		free(names->networks[i].name);
		close(names->networks[i].folder);
	}
	free(names->networks);
	*names = (struct dns_names){ 0 };
}

static int64_t age_ns(const struct timespec *now, const struct timespec *then)
{
	return (now->tv_sec - then->tv_sec) * INT64_C(1000000000) + now->tv_nsec - then->tv_nsec;
}

static void load(struct dns_network *network, const struct stat *st)
{
	struct timespec now;
	int fd = openat(network->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	clear_entries(network);
	clock_gettime(CLOCK_REALTIME, &now);
	network->then = *st;
	network->settled = age_ns(&now, &st->st_mtim) > TICK_NS;
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (strlen(entry->d_name) == ID_LENGTH)
			add_entry(network, entry->d_name);
}

static void refresh(struct dns_network *network)
{
	const struct timespec *then = &network->then.st_mtim;
	struct stat st;

	if (fstat(network->folder, &st) < 0)
		return;
	if (!network->settled || st.st_mtim.tv_sec != then->tv_sec ||
	    st.st_mtim.tv_nsec != then->tv_nsec)
		load(network, &st);
}

/* ---- finding ---- */

static bool is_alive(const struct dns_network *network, const struct dns_entry *entry)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[ID_LENGTH + sizeof(".alive")];

	snprintf(name, sizeof(name), "%s.alive", entry->id);
	own_fd int fd = openat(network->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static void add_found(struct dns_found *to, const struct dns_entry *entry)
{
	for (size_t i = 0; i < entry->addresses_count && to->count < DNS_FOUND_MAX; i++)
		to->addresses[to->count++] = entry->addresses[i];
}

/* length: of the name; text is it, or it with the network's behind it. */
static bool find_in(struct dns_found *to, const struct dns_network *network, const char *text,
		    size_t length)
{
	own_free char *name = mem_text_n(text, length);
	bool found = false;

	for (size_t i = 0; i < network->count; i++) {
		const struct dns_entry *entry = &network->entries[i];
		if (!strv_contains(&entry->names, name) || !is_alive(network, entry))
			continue;
		add_found(to, entry);
		found = true;
	}
	return found;
}

bool dns_names_find(struct dns_found *ret, struct dns_names *names, const char *name)
{
	size_t length = strlen(name);
	bool found = false;

	ret->count = 0;
	for (size_t i = 0; i < names->count; i++) {
		struct dns_network *network = &names->networks[i];
		size_t suffix = strlen(network->name);
		refresh(network);
		found |= find_in(ret, network, name, length);
		if (length > suffix + 1 && name[length - suffix - 1] == '.' &&
		    str_ends(name, network->name))
			found |= find_in(ret, network, name, length - suffix - 1);
	}
	return found;
}

static bool has_address(const struct dns_entry *entry, const uint8_t *address, size_t length)
{
	for (size_t i = 0; i < entry->addresses_count; i++)
		if (entry->addresses[i].length == length &&
		    memcmp(entry->addresses[i].bytes, address, length) == 0)
			return true;
	return false;
}

bool dns_names_reverse(char *to, size_t size, struct dns_names *names, const uint8_t *address,
		       size_t length)
{
	for (size_t i = 0; i < names->count; i++) {
		struct dns_network *network = &names->networks[i];
		refresh(network);
		for (size_t k = 0; k < network->count; k++) {
			const struct dns_entry *entry = &network->entries[k];
			if (!has_address(entry, address, length) || entry->names.count == 0 ||
			    !is_alive(network, entry))
				continue;
			snprintf(to, size, "%s.%s", entry->names.items[0], network->name);
			return true;
		}
	}
	return false;
}
