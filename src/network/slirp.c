#include "network/slirp.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/socket.h"
#include "base/str.h"
#include "base/strv.h"

enum { ANSWER_BYTES_MAX = 1 << 20 };

/* ---- its answers ---- */

struct entry {
	int64_t id;
	char *protocol;
	char *address;
	int64_t host_port;
};

struct failure {
	char *description;
};

/* A list lies in the answer itself, whatever the manual says. */
struct answer {
	struct failure error;
	SHAPE_LIST_OF(struct entry) entries;
};

static const struct shape entry_shape = {
	sizeof(struct entry),
	(const struct shape_field[]){
		{ "id", SHAPE_INT, offsetof(struct entry, id) },
		{ "proto", SHAPE_STRING, offsetof(struct entry, protocol) },
		{ "host_addr", SHAPE_STRING, offsetof(struct entry, address) },
		{ "host_port", SHAPE_INT, offsetof(struct entry, host_port) },
		{ 0 },
	},
};

static const struct shape failure_shape = {
	sizeof(struct failure),
	(const struct shape_field[]){
		{ "desc", SHAPE_STRING, offsetof(struct failure, description) },
		{ 0 },
	},
};

static const struct shape answer_shape = {
	sizeof(struct answer),
	(const struct shape_field[]){
		{ "error", SHAPE_OBJECT, offsetof(struct answer, error), &failure_shape },
		{ "entries", SHAPE_LIST, offsetof(struct answer, entries), &entry_shape },
		{ 0 },
	},
};

static void answer_clear(struct answer *answer)
{
	shape_clear(&answer_shape, answer);
}

/* One request a connection. */
static int ask(struct answer *ret, const char *path, const char *text, struct err *e)
{
	own_clear(str_clear) struct str said = { 0 };

	own_fd int fd = socket_connect(SOCK_STREAM, path, e);
	if (fd < 0)
		return err_add(e, "slirp4netns");
	int r = fd_write_all(fd, text, strlen(text));
	if (r < 0)
		return err_number(e, -r, "write to slirp4netns");
	shutdown(fd, SHUT_WR);
	str_add(&said, "");
	r = fd_read_all(fd, ANSWER_BYTES_MAX, &said, e);
	if (r == 0)
		r = shape_read_text(&answer_shape, said.text, said.length, ret, e);
	if (r < 0)
		return err_add(e, "slirp4netns");
	return ret->error.description
		       ? err_set(e, ERR_EXISTS, "slirp4netns: %s", ret->error.description)
		       : 0;
}

/* ---- the lines ---- */

enum word { PROTOCOL, ADDRESS, HOST_PORT, PORT, TARGET, WORDS };

static int add(const char *socket, const struct strv *words, struct err *e)
{
	own_clear(answer_clear) struct answer answer = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	str_addf(&text,
		 "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"%s\","
		 "\"host_addr\":\"%s\",\"host_port\":%s,\"guest_port\":%s",
		 words->items[PROTOCOL], words->items[ADDRESS], words->items[HOST_PORT],
		 words->items[PORT]);
	if (*words->items[TARGET])
		str_addf(&text, ",\"guest_addr\":\"%s\"", words->items[TARGET]);
	str_add(&text, "}}");
	int r = ask(&answer, socket, text.text, e);
	if (r < 0 && e->kind == ERR_EXISTS)
		err_add(e, "port %s/%s of %s", words->items[HOST_PORT], words->items[PROTOCOL],
			words->items[ADDRESS]);
	return r;
}

static bool is_meant(const struct entry *entry, const struct strv *ports)
{
	bool meant = false;

	for (size_t i = 0; !meant && i < ports->count; i++) {
		own_clear(strv_clear) struct strv words = { 0 };
		strv_split(&words, ports->items[i], ' ');
		meant = str_equal(entry->protocol, words.items[PROTOCOL]) &&
			str_equal(entry->address, words.items[ADDRESS]) &&
			entry->host_port == strtol(words.items[HOST_PORT], NULL, 10);
	}
	return meant;
}

int network_slirp_withdraw(const char *socket, const struct strv *ports, struct err *e)
{
	own_clear(answer_clear) struct answer all = { 0 };

	if (ports->count == 0)
		return 0;
	int r = ask(&all, socket, "{\"execute\":\"list_hostfwd\"}", e);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return 0;
	for (size_t i = 0; r == 0 && i < all.entries.count; i++) {
		const struct entry *entry = &all.entries.items[i];
		own_clear(answer_clear) struct answer answer = { 0 };
		own_free char *text =
			mem_format("{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":%lld}}",
				   (long long)entry->id);
		if (is_meant(entry, ports))
			r = ask(&answer, socket, text, e);
	}
	return r;
}

int network_slirp_publish(const char *socket, const struct strv *ports, struct err *e)
{
	own_clear(strv_clear) struct strv done = { 0 };
	struct err ignored;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ports->count; i++) {
		own_clear(strv_clear) struct strv words = { 0 };
		strv_split(&words, ports->items[i], ' ');
		r = add(socket, &words, e);
		if (r == 0)
			strv_add(&done, ports->items[i]);
	}
	if (r < 0)
		network_slirp_withdraw(socket, &done, &ignored);
	return r;
}
