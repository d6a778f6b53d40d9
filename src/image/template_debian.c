/* template_debian.c - Debian and Ubuntu: by mmdebstrap, which verifies what apt verifies, or by
 * debootstrap where that is what the host has. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/apt_sources.h"
#include "image/report.h"
#include "image/template_make.h"

enum { SOURCES_BYTES_MAX = 1 << 20 }; /* of one file of /etc/apt */

/* An init, and what a person who logs in needs before there is a network to get more by. */
#define SYSTEM_PACKAGES "systemd-sysv,dbus,libpam-systemd,login,passwd,iproute2,procps"

static void add_file(struct image_apt_sources *to, int dir_fd, const char *name)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	if (fd_read_file_at(dir_fd, name, SOURCES_BYTES_MAX, &text, &ignored) < 0 || !text.length)
		return;
	if (str_ends(name, ".sources"))
		image_apt_sources_add_deb822(to, text.text);
	else if (str_ends(name, ".list"))
		image_apt_sources_add_list(to, text.text);
}

static void read_sources(struct image_apt_sources *to)
{
	own_fd int apt = open("/etc/apt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = opendir("/etc/apt/sources.list.d");

	if (apt >= 0)
		add_file(to, apt, "sources.list");
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		add_file(to, dirfd(dir), entry->d_name);
}

/* The proxy that the host's apt is configured for. By the environment, which leaves no trace in
 * what is made. */
static void take_proxy(const struct template *t, const char *key, const char *variable)
{
	own_clear(strv_clear) struct strv argv = { 0 };
	own_clear(str_clear) struct str answer = { 0 };
	struct err ignored;

	if (getenv(variable) || !image_template_has("apt-config"))
		return;
	strv_add(&argv, "apt-config");
	strv_add(&argv, "dump");
	strv_add(&argv, "--no-empty");
	strv_add(&argv, "--format=%v%n");
	strv_add(&argv, key);
	if (image_template_run_text(t, &argv, &answer, &ignored) < 0 || !answer.length)
		return;
	answer.text[strcspn(answer.text, "\n")] = '\0';
	if (*answer.text && !str_equal(answer.text, "DIRECT"))
		setenv(variable, answer.text, 0);
}

static int check_keyring(const struct image_apt_choice *choice, struct err *e)
{
	if (access(choice->keyring, R_OK) == 0)
		return 0;
	err_set(e, ERR_UNSUPPORTED, "the keys of the distribution are not here: %s",
		choice->keyring);
	return err_hint(e, "install them: apt-get install %s", choice->keyring_package);
}

static int by_mmdebstrap(const struct template *t, const struct image_apt_choice *choice,
			 struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };

	strv_add(&argv, "mmdebstrap");
	strv_add(&argv, "--variant=minbase");
	strv_add(&argv, "--format=tar");
	strv_add(&argv, geteuid() == 0 ? "--mode=root" : "--mode=auto");
	if (t->foreign)
		strv_addf(&argv, "--architectures=%s", t->architecture);
	if (t->system) {
		strv_add(&argv, "--include=" SYSTEM_PACKAGES);
		/* the host's, which mmdebstrap leaves in it */
		strv_add(&argv,
			 "--customize-hook=rm -f \"$1/etc/hostname\" \"$1/etc/resolv.conf\"");
	}
	strv_add(&argv, t->release);
	strv_add(&argv, "-"); /* the tar to stdout */
	strv_add(&argv, "-"); /* the sources from stdin */
	return image_template_run(t, &argv, choice->lines, TEMPLATE_TAR, e);
}

static int clean(const struct template *t, const struct image_apt_choice *choice, struct err *e)
{
	static const char *const gone[] = { "etc/hostname", "etc/resolv.conf", "var/cache/apt",
					    "var/lib/apt/lists" };
	static const char *const emptied[] = { "var/cache/apt", "var/lib/apt/lists" };
	own_fd int root =
		openat(t->work_fd, TEMPLATE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "open what debootstrap made");
	for (size_t i = 0; i < COUNT_OF(gone); i++) {
		int r = image_template_remove(root, gone[i], e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < COUNT_OF(emptied); i++) {
		own_fd int made = path_make_dirs(root, emptied[i], 0755, e);
		if (made < 0)
			return made;
	}
	return image_template_write(root, "etc/apt/sources.list", choice->lines, e);
}

/* It takes the release alone: updates come with the first apt-get upgrade inside. */
static int by_debootstrap(const struct template *t, const struct image_apt_choice *choice,
			  struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };

	image_report_note(t->report,
			  "debootstrap brings no security updates; mmdebstrap, if installed, does");
	strv_add(&argv, "debootstrap");
	strv_add(&argv, "--variant=minbase");
	strv_addf(&argv, "--arch=%s", t->architecture);
	strv_addf(&argv, "--keyring=%s", choice->keyring);
	strv_addf(&argv, "--components=%s", choice->components);
	if (t->system)
		strv_add(&argv, "--include=" SYSTEM_PACKAGES);
	strv_add(&argv, t->release);
	strv_addf(&argv, "%s/" TEMPLATE_ROOT, t->work);
	strv_add(&argv, choice->uri);
	int r = image_template_run(t, &argv, NULL, NULL, e);
	return r < 0 ? r : clean(t, choice, e);
}

int image_template_debian(const struct template *t, struct err *e)
{
	own_clear(image_apt_sources_clear) struct image_apt_sources sources = { 0 };
	own_clear(image_apt_choice_clear) struct image_apt_choice choice = { 0 };
	own_free char *keyring = image_template_key(t->distribution);
	bool falls_back = !image_template_has("mmdebstrap") && image_template_has("debootstrap");
	const struct image_apt_wish wish = { .distribution = t->distribution,
					     .suite = t->release,
					     .architecture = t->architecture,
					     .mirror = t->mirror,
					     .keyring = keyring };

	read_sources(&sources);
	image_apt_sources_choose(&choice, &sources, &wish);
	int r = check_keyring(&choice, e);
	if (r < 0)
		return r;
	take_proxy(t, "Acquire::http::Proxy", "http_proxy");
	take_proxy(t, "Acquire::https::Proxy", "https_proxy");
	return falls_back ? by_debootstrap(t, &choice, e) : by_mmdebstrap(t, &choice, e);
}
