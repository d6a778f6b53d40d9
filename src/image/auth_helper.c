#include "image/auth_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/process.h"
#include "base/shape.h"
#include "base/str.h"
#include "image/auth.h"

extern char **environ;

struct answer {
	char *user;
	char *secret;
};

static const struct shape answer_shape = {
	sizeof(struct answer),
	(const struct shape_field[]){
		{ "Username", SHAPE_STRING, offsetof(struct answer, user) },
		{ "Secret", SHAPE_STRING, offsetof(struct answer, secret) },
		{ 0 },
	},
};

/* The name comes from a file and becomes part of a program's name. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length && length <= 64 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       length;
}

static int spawn(pid_t *pid, const char *program, const char *verb, int in, int out, struct err *e)
{
	char *argv[] = { (char *)program, (char *)verb, NULL };
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	int r = posix_spawnp(pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (!r)
		return 0;
	err_number(e, r, "run the credential helper %s", program);
	return err_hint(e, "install it, or remove it from the file with the credentials");
}

static int read_answer(int fd, struct str *to, const char *program, struct err *e)
{
	int64_t end_ns = moment_monotonic_ns() + (int64_t)IMAGE_AUTH_HELPER_MS * 1000000;

	for (;;) {
		int64_t left_ms = (end_ns - moment_monotonic_ns()) / 1000000;
		struct pollfd ready = { fd, POLLIN, 0 };
		if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) == 0)
			return err_set(e, ERR_TIMEOUT, "%s does not answer", program);
		ssize_t n = read(fd, str_room(to, 4096), 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read from %s", program);
		if (n == 0)
			return 0;
		to->length += (size_t)n;
		if (to->length > IMAGE_AUTH_HELPER_MAX)
			return err_set(e, ERR_INVALID, "%s prints more than %d KiB", program,
				       IMAGE_AUTH_HELPER_MAX >> 10);
	}
}

static int take_answer(struct image_auth *auth, const struct str *text, const char *program,
		       struct err *e)
{
	own_json struct json_object *object = NULL;
	struct answer answer = { 0 };
	int r = json_parse(&object, text->text ? text->text : "", text->length, program, e);

	if (r == 0)
		r = shape_read(&answer_shape, object, &answer, e);
	if (r < 0)
		return r;
	/* Docker's mark for an OAuth2 refresh token */
	if (str_equal(answer.user, "<token>"))
		auth->token = take_ptr(&answer.secret);
	else {
		auth->user = take_ptr(&answer.user);
		auth->password = take_ptr(&answer.secret);
	}
	shape_clear(&answer_shape, &answer);
	return auth->token || auth->user ? 1 : 0;
}

static int question(const char *text, struct err *e)
{
	own_fd int fd = memfd_create("registry", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "make a file in memory");
	return take_fd(&fd);
}

static int converse(const char *program, const char *verb, const char *input, struct str *text,
		    int *status, struct err *e)
{
	int from[2];
	pid_t pid;

	own_fd int in = question(input, e);
	if (in < 0)
		return in;
	if (pipe2(from, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int from_read = from[0];
	own_fd int from_write = from[1];
	int r = spawn(&pid, program, verb, in, from_write, e);
	if (r < 0)
		return r;
	close(take_fd(&from_write));
	r = read_answer(from_read, text, program, e);
	if (r < 0)
		kill(pid, SIGKILL);
	*status = process_wait(pid);
	return r;
}

static int run_helper(const char *name, const char *verb, const char *input, struct str *text,
		      struct err *e)
{
	own_free char *program = mem_format("docker-credential-%s", name);
	int status = -1;

	if (!is_name(name))
		return err_set(e, ERR_INVALID, "credential helper \"%.80s\": not a name", name);
	int r = converse(program, verb, input, text, &status, e);
	if (r < 0)
		return r;
	if (process_exit_code(status) == 0)
		return 1;
	/* docker-credential-helpers, credentials/error.go: the one way to say "no" */
	if (text->text && strstr(text->text, "credentials not found"))
		return 0;
	return err_set(e, ERR_PERMISSION, "%s ended with status %d: %.200s", program,
		       process_exit_code(status), text->text ? text->text : "");
}

static const char *server_of(const char *host)
{
	return str_equal(host, "docker.io") ? "https://index.docker.io/v1/" : host;
}

int image_auth_helper_get(struct image_auth *auth, const char *name, const char *host,
			  struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	int r = run_helper(name, "get", server_of(host), &text, e);

	return r == 1 ? take_answer(auth, &text, name, e) : r;
}

int image_auth_helper_store(const struct image_auth *auth, const char *name, const char *host,
			    struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *object = json_object_new_object();

	json_object_object_add(object, "ServerURL", json_object_new_string(server_of(host)));
	json_object_object_add(object, "Username", json_object_new_string(auth->user));
	json_object_object_add(object, "Secret", json_object_new_string(auth->password));
	int r = run_helper(name, "store", json_text(object), &text, e);
	return r == 0  ? err_set(e, ERR_PERMISSION, "docker-credential-%s kept nothing", name)
	       : r < 0 ? r
		       : 0;
}

int image_auth_helper_erase(const char *name, const char *host, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	struct image_auth auth = { 0 };
	/* erase of what is not there is a success */
	int r = image_auth_helper_get(&auth, name, host, e);

	image_auth_clear(&auth);
	return r == 1 ? run_helper(name, "erase", server_of(host), &text, e) : r;
}
