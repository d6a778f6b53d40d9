/*	holm				criu swrk FD
 *	request ---------------->
 *		<----------------	notify "setup-namespaces"...
 *		<----------------	notify "orphan-pts-master", with a descriptor
 *	request NOTIFY --------->	after each
 *		<----------------	response: success, pid
 *
 * A message is one packet. criu opens the folders of images and logs as descriptors of this
 * process, so its own, which may be in another mount namespace, are sent here first; what is
 * inherited is named as in itself. */
#include "runtime/criu_rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/criu.h"
#include "runtime/word.h"
#include "wire/protobuf.h"

enum { ANSWER_BYTES_MAX = 65536 };

/* criu_req, criu_req_type */
enum { REQUEST_TYPE = 1, REQUEST_OPTIONS = 2, REQUEST_NOTIFY_SUCCESS = 3 };
enum { TYPE_DUMP = 1, TYPE_RESTORE = 2, TYPE_PRE_DUMP = 4, TYPE_NOTIFY = 6 };

/* criu_resp; criu_restore_resp.pid and criu_notify.script are both 1 */
enum {
	RESPONSE_TYPE = 1,
	RESPONSE_SUCCESS = 2,
	RESPONSE_RESTORE = 4,
	RESPONSE_NOTIFY = 5,
	INNER = 1,
};

/* criu_opts */
enum {
	OPTION_PAGE_SERVER = 11,
	OPTION_NOTIFY_SCRIPTS = 12,
	OPTION_MANAGE_CGROUPS = 24,
	OPTION_ORPHAN_PTS_MASTER = 50,
};

/* ---- the request ---- */

/* What of the command line becomes which field of criu_opts. */
enum kind {
	FLAG,      /* true */
	CONSTANT,  /* the row's value */
	NUMBER,    /* the next argument, or what is behind "=" */
	TEXT,      /* the same */
	WORD,      /* the same, by the row's words */
	FOLDER,    /* the same, opened */
	ROOT,      /* "CONTROLLERS:PATH" as cgroup_root */
	INHERITED, /* "fd[N]:KEY" as inherit_fd */
	ADDRESS,   /* of criu_page_server_info */
	PORT,
	NOTHING,     /* nothing: a service does so anyway */
	NOTHING_AND, /* nothing, with the next argument */
};

static const struct runtime_word cgroup_modes[] = {
	{ "ignore", 0 }, { "none", 1 },   { "props", 2 }, { "soft", 3 },
	{ "full", 4 },   { "strict", 5 }, { 0 }
};
static const struct runtime_word lock_methods[] = {
	{ "iptables", 1 }, { "nftables", 2 }, { "skip", 3 }, { 0 }
};

static const struct row {
	const char *option;
	enum kind kind;
	unsigned field;
	uint64_t value;
	const struct runtime_word *words;
} rows[] = {
	{ "--images-dir", FOLDER, 1 },
	{ "--tree", NUMBER, 2 },
	{ "--leave-running", FLAG, 3 },
	{ "--ext-unix-sk", FLAG, 4 },
	{ "--tcp-established", FLAG, 5 },
	{ "--shell-job", FLAG, 7 },
	{ "--file-locks", FLAG, 8 },
	{ "-v3", CONSTANT, 9, 3 },
	{ "--log-file", TEXT, 10 },
	{ "--page-server", NOTHING },
	{ "--address", ADDRESS, 1 },
	{ "--port", PORT, 2 },
	{ "--root", TEXT, 13 },
	{ "--prev-images-dir", TEXT, 14 },
	{ "--track-mem", FLAG, 15 },
	{ "--auto-dedup", FLAG, 16 },
	{ "--work-dir", FOLDER, 17 },
	{ "--link-remap", FLAG, 18 },
	{ "--cgroup-root", ROOT, 25 },
	{ "--restore-sibling", FLAG, 26 },
	{ "--inherit-fd", INHERITED, 27 },
	{ "--manage-cgroups", WORD, 34, 0, cgroup_modes },
	{ "--external", TEXT, 37 },
	{ "--empty-ns", CONSTANT, 38, CLONE_NEWNET },
	{ "--freeze-cgroup", TEXT, 44 },
	{ "--skip-in-flight", FLAG, 46 },
	{ "--lazy-pages", FLAG, 48 },
	{ "--status-fd", NUMBER, 49 },
	{ "--config", TEXT, 51 },
	{ "--tcp-close", FLAG, 52 },
	{ "--lsm-profile", TEXT, 53 },
	{ "--lsm-mount-context", TEXT, 63 },
	{ "--network-lock", WORD, 64, 0, lock_methods },
	{ "--restore-detached", NOTHING },
	{ "--pidfile", NOTHING_AND },
};

enum { FOLDERS_MAX = 2 };

struct folder {
	unsigned field;
	const char *path; /* borrowed */
	int fd;           /* -1: not opened yet */
};

struct request {
	struct str options;
	struct str page_server;
	struct folder folders[FOLDERS_MAX];
	size_t folders_count;
};

static void request_clear(struct request *request)
{
	for (size_t i = 0; i < request->folders_count; i++)
		if (request->folders[i].fd >= 0)
			close(request->folders[i].fd);
	str_clear(&request->options);
	str_clear(&request->page_server);
}

static int add_folder(struct request *request, const struct row *row, const char *path,
		      struct err *e)
{
	if (request->folders_count == FOLDERS_MAX)
		return err_set(e, ERR_INTERNAL, "too many folders for criu");
	request->folders[request->folders_count++] =
		(struct folder){ .field = row->field, .path = path, .fd = -1 };
	return 0;
}

static void add_root(struct str *to, const struct row *row, const char *text)
{
	own_clear(str_clear) struct str root = { 0 };
	const char *path = strstr(text, ":/");

	if (path)
		wire_protobuf_add_bytes(&root, 1, text, (size_t)(path - text));
	wire_protobuf_add_text(&root, 2, path ? path + 1 : text);
	wire_protobuf_add_message(to, row->field, &root);
}

static int add_inherited(struct str *to, const struct row *row, const char *text, struct err *e)
{
	own_clear(str_clear) struct str inherited = { 0 };
	int fd, key = 0;

	if (sscanf(text, "fd[%d]:%n", &fd, &key) != 1 || !key)
		return err_set(e, ERR_INTERNAL, "--inherit-fd %s", text);
	wire_protobuf_add_text(&inherited, 1, text + key);
	wire_protobuf_add_number(&inherited, 2, (uint64_t)fd);
	wire_protobuf_add_message(to, row->field, &inherited);
	return 0;
}

static int add_word(struct str *to, const struct row *row, const char *text, struct err *e)
{
	uint64_t value;

	int r = runtime_word_find(&value, row->words, text, row->option, e);
	if (r == 0)
		wire_protobuf_add_number(to, row->field, value);
	return r;
}

static int add_field(struct request *request, const struct row *row, const char *value,
		     struct err *e)
{
	struct str *to = &request->options;

	switch (row->kind) {
	case FLAG:
		wire_protobuf_add_number(to, row->field, true);
		return 0;
	case CONSTANT:
		wire_protobuf_add_number(to, row->field, row->value);
		return 0;
	case NUMBER:
		wire_protobuf_add_number(to, row->field, strtoull(value, NULL, 10));
		return 0;
	case TEXT:
		wire_protobuf_add_text(to, row->field, value);
		return 0;
	case WORD:
		return add_word(to, row, value, e);
	case FOLDER:
		return add_folder(request, row, value, e);
	case ROOT:
		add_root(to, row, value);
		return 0;
	case INHERITED:
		return add_inherited(to, row, value, e);
	case ADDRESS:
		wire_protobuf_add_text(&request->page_server, row->field, value);
		return 0;
	case PORT:
		wire_protobuf_add_number(&request->page_server, row->field,
					 strtoull(value, NULL, 10));
		return 0;
	case NOTHING:
	case NOTHING_AND:
		return 0;
	}
	return 0;
}

static bool takes_value(enum kind kind)
{
	return kind != FLAG && kind != CONSTANT && kind != NOTHING;
}

static const struct row *find_row(const char *argument)
{
	size_t length = strcspn(argument, "=");

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strlen(rows[i].option) == length &&
		    strncmp(rows[i].option, argument, length) == 0)
			return &rows[i];
	return NULL;
}

static int add_arguments(struct request *request, const struct strv *arguments, struct err *e)
{
	int r = 0;

	for (size_t i = 2; r == 0 && i < arguments->count; i++) {
		const char *argument = arguments->items[i];
		const struct row *row = find_row(argument);
		const char *equals = strchr(argument, '=');
		const char *value = equals ? equals + 1 : "";
		if (!row)
			return err_set(e, ERR_INTERNAL, "criu's %s has no field", argument);
		if (!equals && takes_value(row->kind) && i + 1 < arguments->count)
			value = arguments->items[++i];
		r = add_field(request, row, value, e);
	}
	if (request->page_server.length)
		wire_protobuf_add_message(&request->options, OPTION_PAGE_SERVER,
					  &request->page_server);
	wire_protobuf_add_number(&request->options, OPTION_MANAGE_CGROUPS, true);
	wire_protobuf_add_number(&request->options, OPTION_NOTIFY_SCRIPTS, true);
	wire_protobuf_add_number(&request->options, OPTION_ORPHAN_PTS_MASTER, true);
	return r;
}

/* ---- the conversation ---- */

static int send_request(int socket, const struct str *message, struct err *e)
{
	if (fd_send(socket, message->text, message->length, NULL, 0, e) < 0)
		return err_add(e, "criu");
	return 0;
}

static int send_options(int socket, const char *action, const struct request *request,
			struct err *e)
{
	own_clear(str_clear) struct str message = { 0 };
	uint64_t type = str_equal(action, "restore")    ? TYPE_RESTORE
			: str_equal(action, "pre-dump") ? TYPE_PRE_DUMP
							: TYPE_DUMP;

	wire_protobuf_add_number(&message, REQUEST_TYPE, type);
	wire_protobuf_add_message(&message, REQUEST_OPTIONS, &request->options);
	return send_request(socket, &message, e);
}

static int go_on(int socket, bool success, struct err *e)
{
	own_clear(str_clear) struct str message = { 0 };

	wire_protobuf_add_number(&message, REQUEST_TYPE, TYPE_NOTIFY);
	wire_protobuf_add_number(&message, REQUEST_NOTIFY_SUCCESS, success);
	return send_request(socket, &message, e);
}

struct response {
	uint64_t type;
	uint64_t success;
	uint64_t pid;
	bool terminal; /* a notification that brings one */
	bool stored;   /* one that all is stored, before anything ends */
};

static bool is_script(const struct wire_protobuf_field *field, const char *script)
{
	return field->length == strlen(script) && memcmp(field->bytes, script, field->length) == 0;
}

static void read_inner(struct response *to, const struct wire_protobuf_field *message)
{
	struct wire_protobuf_reader reader = { message->bytes, message->length, 0 };
	struct wire_protobuf_field field;

	while (wire_protobuf_next(&reader, &field)) {
		if (field.number != INNER)
			continue;
		if (!field.bytes) {
			to->pid = field.value;
			continue;
		}
		to->terminal = is_script(&field, "orphan-pts-master");
		to->stored = is_script(&field, "post-dump");
	}
}

static void read_response(struct response *to, const void *bytes, size_t length)
{
	struct wire_protobuf_reader reader = { bytes, length, 0 };
	struct wire_protobuf_field field;

	while (wire_protobuf_next(&reader, &field)) {
		if (field.number == RESPONSE_TYPE && !field.bytes)
			to->type = field.value;
		else if (field.number == RESPONSE_SUCCESS && !field.bytes)
			to->success = field.value;
		else if ((field.number == RESPONSE_RESTORE || field.number == RESPONSE_NOTIFY) &&
			 field.bytes)
			read_inner(to, &field);
	}
}

/* The descriptor of a terminal is kept, any other closed. */
static int receive(struct response *to, int socket, struct runtime_criu_answer *answer,
		   struct err *e)
{
	char bytes[ANSWER_BYTES_MAX];
	int fds[FD_PASS_MAX];
	size_t count = 0;

	ssize_t n = fd_receive(socket, bytes, sizeof(bytes), fds, &count, e);
	if (n > 0)
		read_response(to, bytes, (size_t)n);
	for (size_t i = 0; i < count; i++) {
		if (to->terminal && answer->terminal < 0)
			answer->terminal = fds[i];
		else
			close(fds[i]);
	}
	if (n == 0)
		return err_set(e, ERR_SYSTEM, "criu ended without an answer");
	return n < 0 ? (int)n : 0;
}

/* What the caller wants to do about a notification; its failure is why criu then fails. */
static int heed(const struct response *response, const struct runtime_criu_options *o,
		struct err *e)
{
	return response->stored && o->stored ? o->stored(o->stored_context, e) : 0;
}

/* 1: done; 0: criu says that it failed. */
static int converse(struct runtime_criu_answer *answer, int socket,
		    const struct runtime_criu_options *o, struct err *e)
{
	struct err refused = { 0 };

	for (;;) {
		struct response response = { 0 };
		int r = receive(&response, socket, answer, e);
		if (r == 0 && response.type == TYPE_NOTIFY) {
			bool success = heed(&response, o, &refused) == 0;
			r = go_on(socket, success, e);
			if (r == 0)
				continue;
		}
		if (refused.number) {
			*e = refused;
			return -refused.number;
		}
		if (r < 0)
			return r;
		answer->pid = (pid_t)response.pid;
		return response.success != 0;
	}
}

/* ---- the whole ---- */

struct preparation {
	const struct runtime_criu_call *call;
	const struct request *request;
	int socket;
};

/* criu mounts in its work folder, which must then be one of its own mount namespace. */
static int open_folders(void *context, struct err *e)
{
	const struct preparation *p = context;
	int fds[FOLDERS_MAX];

	int r = p->call->prepare ? p->call->prepare(p->call->context, e) : 0;
	for (size_t i = 0; r == 0 && i < p->request->folders_count; i++) {
		fds[i] = open(p->request->folders[i].path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fds[i] < 0)
			r = err_sys(e, "open the folder %s", p->request->folders[i].path);
	}
	return r < 0 ? r : fd_send(p->socket, "", 1, fds, p->request->folders_count, e);
}

static int take_folders(struct request *request, int socket, struct err *e)
{
	int fds[FD_PASS_MAX];
	size_t count = 0;
	char byte;

	ssize_t n = fd_receive(socket, &byte, 1, fds, &count, e);
	if (n < 0)
		return (int)n;
	if (count != request->folders_count)
		return err_set(e, ERR_SYSTEM, "criu's process ended at once");
	for (size_t i = 0; i < count; i++) {
		request->folders[i].fd = fds[i];
		wire_protobuf_add_number(&request->options, request->folders[i].field,
					 (uint64_t)fds[i]);
	}
	return 0;
}

static int run(struct runtime_criu_answer *answer, const struct runtime_criu_call *call,
	       struct request *request, struct err *e)
{
	struct runtime_criu_process process;
	struct runtime_criu_call prepared = *call;
	struct err early;
	char number[16];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "make a socket pair");
	own_fd int ours = ends[0];
	own_fd int theirs = ends[1];
	struct preparation preparation = { call, request, theirs };
	prepared.prepare = open_folders;
	prepared.context = &preparation;
	snprintf(number, sizeof(number), "%d", theirs);
	char *const argv[] = { "criu", "swrk", number, NULL };
	int r = runtime_criu_start(&process, &prepared, argv, theirs, e);
	if (r < 0)
		return r;
	close(take_fd(&theirs));
	r = take_folders(request, ours, e);
	if (r == 0)
		r = send_options(ours, call->arguments->items[1], request, e);
	if (r == 0)
		r = converse(answer, ours, call->options, e);
	close(take_fd(&ours));
	if (runtime_criu_end(&process, &early) < 0) {
		*e = early; /* what criu would have said is not the reason */
		return -e->number;
	}
	return r;
}

int runtime_criu_rpc_run(struct runtime_criu_answer *ret, const struct runtime_criu_call *call,
			 struct err *e)
{
	own_clear(request_clear) struct request request = { 0 };
	struct runtime_criu_answer answer = { .terminal = -1 };

	int r = add_arguments(&request, call->arguments, e);
	if (r == 0)
		r = run(&answer, call, &request, e);
	if (r == 1) {
		*ret = answer;
		return 0;
	}
	if (answer.terminal >= 0)
		close(answer.terminal);
	return r < 0 ? r : runtime_criu_explain(call, e);
}
