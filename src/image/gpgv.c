/* gpgv.c - holm-image gives up execve(2) with its jail, so a child is forked before, and asked
 * over a socket: number of the keyring and length (4 bytes each), then the signature. It answers
 * with a byte (0: good) and length, then what was signed, or why not. It ends with the socket. */
#include "image/gpgv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/strv.h"
#include "image/base64.h"

enum {
	NOBODY = 65534,
	CPU_SECONDS = 20,
	STATUS_FD = 3,
	KEYS_FD = 4,
	SIGNATURE_FD = 5,
	MESSAGE_MAX = 2 << 20,
	NOT_FOUND = 127, /* gpgv is not there */
};

struct image_gpgv {
	int socket;
	pid_t pid;
};

struct message {
	uint32_t number; /* keyring; or of an answer an enum err_kind + 1, 0: good */
	uint32_t length;
};

/* ---- what gpgv says ---- */

static size_t count_word(const struct strv *lines, const char *word)
{
	own_free char *full = mem_format("[GNUPG:] %s", word);
	size_t length = strlen(full), count = 0;

	for (size_t i = 0; i < lines->count; i++)
		count += str_starts(lines->items[i], full) &&
			 strchr(" ", lines->items[i][length]) != NULL;
	return count;
}

int image_gpgv_judge(const char *status, struct err *e)
{
	static const struct {
		const char *word, *why;
	} bad[] = {
		{ "BADSIG", "the signature does not fit what it is for" },
		{ "ERRSIG", "it is of none of the keys that policy.json names" },
		{ "EXPSIG", "the signature has expired" },
		{ "EXPKEYSIG", "its key has expired" },
		{ "REVKEYSIG", "its key was revoked" },
		{ "NODATA", "it is no signature" },
	};
	static const char *const once[] = { "NEWSIG", "GOODSIG", "VALIDSIG", "PLAINTEXT" };
	own_clear(strv_clear) struct strv lines = { 0 };

	strv_split(&lines, status, '\n');
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (count_word(&lines, bad[i].word))
			return err_set(e, ERR_PERMISSION, "%s", bad[i].why);
	for (size_t i = 0; i < COUNT_OF(once); i++)
		if (count_word(&lines, once[i]) != 1)
			return err_set(e, ERR_PERMISSION, "it is not one signed message");
	return 0;
}

/* ---- keys ---- */

static int dearmor_block(struct str *to, const char *block, size_t length, struct err *e)
{
	own_clear(strv_clear) struct strv lines = { 0 };
	own_clear(str_clear) struct str digits = { 0 };
	own_free char *text = mem_text_n(block, length);
	size_t i = 0;

	strv_split(&lines, text, '\n');
	/* headers, then an empty line */
	while (i < lines.count && strspn(lines.items[i], " \t\r") != strlen(lines.items[i]))
		i++;
	for (; i < lines.count; i++) {
		char *line = lines.items[i];
		line[strcspn(line, " \t\r")] = '\0';
		if (*line == '=') /* the checksum */
			break;
		str_add(&digits, line);
	}
	if (!digits.length || image_base64_decode(to, digits.text) < 0)
		return err_set(e, ERR_INVALID, "an armored key that is no base64");
	return 0;
}

int image_gpgv_dearmor(struct str *to, const char *bytes, size_t length, struct err *e)
{
	static const char begin[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
	static const char end[] = "-----END PGP PUBLIC KEY BLOCK-----";
	const char *stop = bytes + length;
	const char *at = memmem(bytes, length, begin, sizeof(begin) - 1);

	if (!at)
		str_add_n(to, bytes, length);
	while (at) {
		at += sizeof(begin) - 1;
		const char *tail = memmem(at, (size_t)(stop - at), end, sizeof(end) - 1);
		if (!tail)
			return err_set(e, ERR_INVALID, "an armored key that does not end");
		int r = dearmor_block(to, at, (size_t)(tail - at), e);
		if (r < 0)
			return r;
		at = memmem(tail, (size_t)(stop - tail), begin, sizeof(begin) - 1);
	}
	return 0;
}

/* ---- in the child ---- */

static int memory_file(const char *name, const struct str *content)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd >= 0 && content && fd_write_all(fd, content->text, content->length) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What reads hostile bytes has nothing to lose. */
static void drop_rights(void)
{
	const struct rlimit size = { 1 << 20, 1 << 20 }, cpu = { CPU_SECONDS, CPU_SECONDS };

	setrlimit(RLIMIT_FSIZE, &size);
	setrlimit(RLIMIT_CPU, &cpu);
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(126);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(126);
}

static void exec_gpgv(const int fds[4])
{
	static char *argv[] = { (char *)"gpgv",
				(char *)"--homedir",
				(char *)"/nonexistent",
				(char *)"--keyring",
				(char *)"/proc/self/fd/4",
				(char *)"--status-fd",
				(char *)"3",
				(char *)"--output",
				(char *)"-",
				(char *)"/proc/self/fd/5",
				NULL };
	static char *environment[] = { (char *)"LC_ALL=C", NULL };

	/* first away from where they have to be */
	static const int places[] = { STDOUT_FILENO, STATUS_FD, KEYS_FD, SIGNATURE_FD };
	int away[COUNT_OF(places)];
	for (size_t i = 0; i < COUNT_OF(places); i++)
		away[i] = fcntl(fds[i], F_DUPFD, SIGNATURE_FD + 1);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (dup2(away[i], places[i]) < 0)
			_exit(126);
	/* its words to people are said in ours */
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	close_range(SIGNATURE_FD + 1, ~0U, 0);
	process_reset_signals();
	drop_rights();
	execvpe("gpgv", argv, environment);
	_exit(errno == ENOENT ? NOT_FOUND : 126);
}

static int read_back(struct str *to, int fd, size_t max, struct err *e)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "seek in a file in memory");
	str_add(to, "");
	return fd_read_all(fd, max, to, e);
}

static int run_gpgv(const struct str *keys, const struct str *signature, struct str *text,
		    struct err *e)
{
	own_clear(str_clear) struct str said = { 0 };
	own_fd int text_fd = memory_file("text", NULL);
	own_fd int status_fd = memory_file("status", NULL);
	own_fd int keys_fd = memory_file("keys", keys);
	own_fd int signature_fd = memory_file("signature", signature);
	const int fds[] = { text_fd, status_fd, keys_fd, signature_fd };

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (fds[i] < 0)
			return err_sys(e, "make a file in memory");
	pid_t pid = fork();
	if (pid == 0)
		exec_gpgv(fds);
	if (pid < 0)
		return err_sys(e, "fork");
	int code = process_exit_code(process_wait(pid));
	if (code == NOT_FOUND) {
		err_set(e, ERR_UNSUPPORTED, "policy.json wants a signature, and there is no gpgv");
		return err_hint(e, "install gpgv");
	}
	int r = read_back(&said, status_fd, 1 << 20, e);
	if (r == 0)
		r = image_gpgv_judge(said.text, e);
	if (r == 0 && code != 0)
		r = err_set(e, ERR_PERMISSION, "gpgv ended with status %d", code);
	return r < 0 ? r : read_back(text, text_fd, IMAGE_GPGV_TEXT_MAX, e);
}

static int receive(int fd, void *to, size_t length)
{
	for (size_t have = 0; have < length;) {
		ssize_t n = read(fd, (char *)to + have, length - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		have += (size_t)n;
	}
	return 0;
}

static int receive_text(int fd, uint32_t length, struct str *to)
{
	if (length > MESSAGE_MAX)
		return -EMSGSIZE;
	char *room = str_room(to, (size_t)length + 1);
	int r = receive(fd, room, length);
	if (r < 0)
		return r;
	to->length = length;
	to->text[length] = '\0';
	return 0;
}

static int send_message(int fd, uint32_t number, const char *text, size_t length)
{
	struct message message = { number, (uint32_t)length };
	int r = fd_write_all(fd, &message, sizeof(message));

	return r < 0 ? r : fd_write_all(fd, text, length);
}

static void serve(int fd, const struct str *keyrings, size_t count)
{
	struct message message;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (receive(fd, &message, sizeof(message)) == 0 && message.number < count) {
		own_clear(str_clear) struct str signature = { 0 };
		own_clear(str_clear) struct str text = { 0 };
		struct err e;
		if (receive_text(fd, message.length, &signature) < 0)
			break;
		int r = run_gpgv(&keyrings[message.number], &signature, &text, &e);
		r = r < 0 ? send_message(fd, (uint32_t)e.kind + 1, e.text, strlen(e.text))
			  : send_message(fd, 0, text.text, text.length);
		if (r < 0)
			break;
	}
	_exit(0);
}

/* ---- in the parent ---- */

int image_gpgv_start(struct image_gpgv **ret, const struct str *keyrings, size_t count,
		     struct err *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "make a pair of sockets");
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		serve(ends[1], keyrings, count);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_sys(e, "fork");
	}
	*ret = mem_new_struct(struct image_gpgv);
	**ret = (struct image_gpgv){ ends[0], pid };
	return 0;
}

void image_gpgv_free(struct image_gpgv *verifier)
{
	close(verifier->socket);
	process_wait(verifier->pid);
	free(verifier);
}

int image_gpgv_verify(struct image_gpgv *verifier, size_t keyring, const struct str *signature,
		      struct str *text, struct err *e)
{
	struct message answer;

	str_clear(text);
	if (send_message(verifier->socket, (uint32_t)keyring, signature->text, signature->length) <
		    0 ||
	    receive(verifier->socket, &answer, sizeof(answer)) < 0 ||
	    receive_text(verifier->socket, answer.length, text) < 0 || answer.number > ERR_KINDS)
		return err_set(e, ERR_INTERNAL, "who verifies signatures is gone");
	if (answer.number == 0)
		return 0;
	err_set(e, (enum err_kind)(answer.number - 1), "%s", text->text);
	if (e->kind == ERR_UNSUPPORTED)
		err_hint(e, "install gpgv");
	str_clear(text);
	return -e->number;
}
