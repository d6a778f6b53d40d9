/* template_alpine.c - the mini root filesystem that Alpine publishes with each release, checked
 * against its sha256, and against its signature where its key is at hand. All that comes over the
 * network is taken and unpacked by a process that may write to the folder of the template alone. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/alpine_release.h"
#include "image/decompress.h"
#include "image/gpgv.h"
#include "image/http.h"
#include "image/jail.h"
#include "image/read.h"
#include "image/template_make.h"
#include "image/url.h"
#include "storage/hash.h"
#include "storage/unpack.h"

#define MIRROR    "https://dl-cdn.alpinelinux.org/alpine"
#define SIGNATURE "root.asc"
#define KEYRING   "key.gpg"

enum {
	BYTES_MAX = 256 << 20, /* it has 3 to 4 MB */
	KEY_BYTES_MAX = 1 << 20,
	SIGNATURE_BYTES_MAX = 64 << 10,
};

struct alpine {
	const struct template *t;
	char *folder; /* the address of the branch's releases for the architecture */
	char *branch; /* the same of its packages */
	bool wants_signature;
};

static void alpine_clear(struct alpine *a)
{
	free(a->folder);
	free(a->branch);
}

/* "edge", and "v3.20" for 3.20 and 3.20.3. */
static char *branch_of(const char *release)
{
	const char *dot = strchr(release, '.');
	size_t length = dot ? (size_t)(dot + 1 - release) + strcspn(dot + 1, ".") : strlen(release);
	bool number = *release >= '0' && *release <= '9';

	return mem_format("%s%.*s", number ? "v" : "", (int)length, release);
}

static bool names_one_release(const char *release)
{
	const char *dot = strchr(release, '.');

	return dot && strchr(dot + 1, '.');
}

/* ---- in a jail ---- */

struct download {
	int fd; /* -1: into text */
	struct str *text;
	struct storage_hash *hash;
	size_t size, size_max;
};

static int take_bytes(void *context, const void *bytes, size_t length, struct err *e)
{
	struct download *d = context;

	if (length > d->size_max - d->size)
		return err_set(e, ERR_CORRUPT, "it has more than %zu bytes", d->size_max);
	d->size += length;
	if (d->text)
		str_add_n(d->text, bytes, length);
	if (d->hash)
		storage_hash_add(d->hash, bytes, length);
	int r = d->fd >= 0 ? fd_write_all(d->fd, bytes, length) : 0;
	return r < 0 ? err_number(e, -r, "write what comes") : 0;
}

static int get(const char *address, struct download *download, struct err *e)
{
	const struct byte_sink sink = { take_bytes, download };

	int r = image_http_get(address, &sink, e);
	return r < 0 ? err_add(e, "%s", address) : 0;
}

static int get_text(const char *address, struct str *to, struct err *e)
{
	struct download download = { .fd = -1, .text = to, .size_max = ALPINE_RELEASES_BYTES_MAX };

	return get(address, &download, e);
}

static int choose_release(const struct alpine *a, struct alpine_release *release, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	bool one = names_one_release(a->t->release);
	own_free char *file =
		mem_format("alpine-minirootfs-%s-%s.tar.gz", a->t->release, a->t->architecture);
	own_free char *address = one ? mem_format("%s/%s.sha256", a->folder, file)
				     : mem_format("%s/latest-releases.yaml", a->folder);

	int r = get_text(address, &text, e);
	if (r < 0)
		return r;
	const char *bytes = text.text ? text.text : "";
	r = one ? image_alpine_release_checksum(release, file, bytes, text.length, e)
		: image_alpine_release_find(release, bytes, text.length, e);
	return r < 0 ? err_add(e, "%s", address) : 0;
}

static int get_file(const struct alpine *a, const struct alpine_release *release, int fd,
		    struct err *e)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	struct download download = { .fd = fd, .hash = hash, .size_max = BYTES_MAX };
	own_free char *address = mem_format("%s/%s", a->folder, release->file);
	char digest[DIGEST_TEXT_SIZE];

	int r = get(address, &download, e);
	if (r < 0)
		return r;
	storage_hash_end(hash, digest);
	if (!str_equal(digest, release->digest))
		return err_set(e, ERR_CORRUPT, "%s: it has %s, and Alpine says %s", address, digest,
			       release->digest);
	return 0;
}

static int get_signature(const struct alpine *a, const struct alpine_release *release,
			 struct err *e)
{
	own_free char *address = mem_format("%s/%s.asc", a->folder, release->file);
	own_fd int fd =
		openat(a->t->work_fd, SIGNATURE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct download download = { .fd = fd, .size_max = SIGNATURE_BYTES_MAX };

	return fd < 0 ? err_sys(e, "make a file in %s", a->t->work) : get(address, &download, e);
}

static int fetch_in_jail(void *arg, int *fds, struct err *e)
{
	const struct alpine *a = arg;
	struct alpine_release release;

	int r = image_jail_enter_at(a->t->work_fd, e);
	if (r < 0)
		return r;
	own_fd int fd =
		openat(a->t->work_fd, TEMPLATE_TAR, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make a file in %s", a->t->work);
	r = choose_release(a, &release, e);
	if (r == 0)
		r = get_file(a, &release, fd, e);
	if (r == 0 && a->wants_signature)
		r = get_signature(a, &release, e);
	if (r < 0)
		return r;
	*fds = take_fd(&fd);
	return 0;
}

static int unpack_in_jail(void *arg, int *fds, struct err *e)
{
	const struct alpine *a = arg;
	const struct unpack_limits limits = { .plain_names = true };
	struct unpack_result result;

	int r = image_jail_enter_at(a->t->work_fd, e);
	if (r < 0)
		return r;
	own_fd int tar = openat(a->t->work_fd, TEMPLATE_TAR, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	own_fd int root = openat(a->t->work_fd, TEMPLATE_ROOT,
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tar < 0 || root < 0)
		return err_sys(e, "open what was fetched");
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(tar, NULL, NULL);
	struct byte_source packed = image_fd_source(bytes);
	own(image_decompress_free) struct image_decompress *plain =
		image_decompress_new(&packed, 0);
	struct byte_source source = image_decompress_source(plain);
	r = storage_unpack(root, &source, &limits, &result, e);
	if (r == 0)
		*fds = take_fd(&root);
	return r;
}

/* ---- its signature ---- */

static int write_keyring(const struct template *t, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 }, binary = { 0 };
	int r = fd_read_file_at(AT_FDCWD, path, KEY_BYTES_MAX, &text, e);

	if (r == 0)
		r = image_gpgv_dearmor(&binary, text.text ? text.text : "", text.length, e);
	if (r == 0)
		r = fd_write_file_at(t->work_fd, KEYRING, binary.text ? binary.text : "",
				     binary.length, 0600, e);
	return r < 0 ? err_add(e, "the key %s", path) : 0;
}

static int verify(const struct alpine *a, const char *key, struct err *e)
{
	static const char *const files[] = { SIGNATURE, TEMPLATE_TAR };
	own_clear(strv_clear) struct strv argv = { 0 };

	int r = write_keyring(a->t, key, e);
	if (r < 0)
		return r;
	strv_add(&argv, "gpgv");
	strv_add(&argv, "--keyring");
	strv_addf(&argv, "%s/" KEYRING, a->t->work);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		strv_addf(&argv, "%s/%s", a->t->work, files[i]);
	r = image_template_run(a->t, &argv, NULL, NULL, e);
	if (r < 0 && e->kind == ERR_UNREACHABLE)
		e->kind = ERR_PERMISSION;
	return r < 0 ? err_add(e, "verify its signature by %s", key) : 0;
}

/* The sha256 comes from where the file comes from: it says who made it only over TLS. */
static int check_way(const struct alpine *a, const char *key, struct err *e)
{
	own_clear(image_url_clear) struct image_url url = { 0 };

	int r = image_url_parse(&url, a->folder, NULL, e);
	if (r < 0 || key || str_equal(url.scheme, "https") || image_url_host_is_loopback(url.host))
		return r;
	err_set(e, ERR_PERMISSION,
		"%s is plain HTTP, and Alpine's key is not here to verify what "
		"comes from there",
		a->t->mirror);
	return err_hint(e, "take a mirror with https, or put the key of Alpine's releases into "
			   "/etc/holm/keys/alpine.asc");
}

/* ---- a system of it ---- */

/* The consoles of a PC are not there, ours is (init of busybox, which starts OpenRC). */
static const char inittab[] = "::sysinit:/sbin/openrc sysinit\n"
			      "::sysinit:/sbin/openrc boot\n"
			      "::wait:/sbin/openrc default\n"
			      "console::respawn:/sbin/getty 38400 console\n"
			      "::ctrlaltdel:/sbin/reboot\n"
			      "::shutdown:/sbin/openrc shutdown\n";

static int configure(const struct alpine *a, int root, struct err *e)
{
	own_free char *repositories = mem_format("%s/main\n%s/community\n", a->branch, a->branch);
	int r = image_template_write(root, "etc/apk/repositories", repositories, e);

	if (r == 0 && a->t->system)
		r = image_template_write(root, "etc/inittab", inittab, e);
	/* openrc(8): its services that are for machines leave containers alone */
	return r == 0 && a->t->system
		       ? image_template_write(root, "etc/rc.conf", "rc_sys=\"lxc\"\n", e)
		       : r;
}

/* By its own apk, with the keys that it brings. */
static int add_openrc(const struct alpine *a, int root, struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };
	own_clear(str_clear) struct str resolv = { 0 };
	struct err ignored;

	if (a->t->foreign)
		return err_set(e, ERR_UNSUPPORTED,
			       "a system for %s can be made on such a machine only",
			       a->t->architecture);
	if (fd_read_file_at(AT_FDCWD, "/etc/resolv.conf", KEY_BYTES_MAX, &resolv, &ignored) == 0 &&
	    resolv.text)
		image_template_write(root, "etc/resolv.conf", resolv.text, &ignored);
	strv_add(&argv, "chroot");
	strv_addf(&argv, "%s/" TEMPLATE_ROOT, a->t->work);
	strv_add(&argv, "/sbin/apk");
	strv_add(&argv, "add");
	strv_add(&argv, "--no-cache");
	strv_add(&argv, "openrc");
	int r = image_template_run(a->t, &argv, NULL, NULL, e);
	image_template_remove(root, "etc/resolv.conf", &ignored);
	return r < 0 ? err_add(e, "add OpenRC") : 0;
}

static int make_root(struct alpine *a, struct err *e)
{
	int root = -1;

	if (mkdirat(a->t->work_fd, TEMPLATE_ROOT, 0755) < 0)
		return err_sys(e, "make a folder in %s", a->t->work);
	int r = child_open(&root, 1, unpack_in_jail, a, e);
	own_fd int fd = root;
	if (r == 0)
		r = configure(a, fd, e);
	if (r == 0 && a->t->system)
		r = add_openrc(a, fd, e);
	if (r == 0 && unlinkat(a->t->work_fd, TEMPLATE_TAR, 0) < 0)
		r = err_sys(e, "remove the archive");
	return r;
}

int image_template_alpine(const struct template *t, struct err *e)
{
	own_free char *key = image_template_key("alpine");
	own_free char *branch = branch_of(t->release);
	own_clear(alpine_clear) struct alpine a = {
		.t = t,
		.branch = mem_format("%s/%s", t->mirror ? t->mirror : MIRROR, branch),
		.wants_signature = key != NULL,
	};
	int fetched = -1;

	a.folder = mem_format("%s/releases/%s", a.branch, t->architecture);
	int r = check_way(&a, key, e);
	if (r == 0)
		r = child_open(&fetched, 1, fetch_in_jail, &a, e);
	if (r < 0)
		return r;
	close(fetched);
	r = key ? verify(&a, key, e) : 0;
	/* as it is, unless something is to be changed */
	return r < 0 || !(t->system || t->mirror) ? r : make_root(&a, e);
}
