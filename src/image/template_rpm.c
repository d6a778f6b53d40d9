/* template_rpm.c - Fedora and Rocky Linux: by the host's dnf, into a folder, with the
 * distribution's own repositories and keys. Nothing of the host's configuration of dnf is used. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/template_make.h"

#define CONFIG "dnf.conf"

/* In addresses dnf fills in $releasever and $basearch, we fill in the mirror. */
static const struct repository {
	const char *distribution;
	const char *release; /* this one only; "!rawhide": all but this */
	const char *name;
	const char *list;    /* a list of mirrors, and how dnf calls that kind of list */
	const char *address; /* below the mirror */
} repositories[] = {
	{ "fedora", "!rawhide", "fedora",
	  "metalink=https://mirrors.fedoraproject.org/"
	  "metalink?repo=fedora-$releasever&arch=$basearch",
	  "releases/$releasever/Everything/$basearch/os/" },
	{ "fedora", "!rawhide", "updates",
	  "metalink=https://mirrors.fedoraproject.org/"
	  "metalink?repo=updates-released-f$releasever&arch=$basearch",
	  "updates/$releasever/Everything/$basearch/" },
	{ "fedora", "rawhide", "rawhide",
	  "metalink=https://mirrors.fedoraproject.org/metalink?repo=rawhide&arch=$basearch",
	  "development/rawhide/Everything/$basearch/os/" },
	{ "rocky", NULL, "baseos",
	  "mirrorlist=https://mirrors.rockylinux.org/"
	  "mirrorlist?arch=$basearch&repo=BaseOS-$releasever",
	  "$releasever/BaseOS/$basearch/os/" },
	{ "rocky", NULL, "appstream",
	  "mirrorlist=https://mirrors.rockylinux.org/"
	  "mirrorlist?arch=$basearch&repo=AppStream-$releasever",
	  "$releasever/AppStream/$basearch/os/" },
};

static const char *const packages[] = { "bash", "coreutils", "dnf", "glibc-minimal-langpack" };
static const char *const system_packages[] = { "systemd",    "dbus",    "passwd",
					       "util-linux", "iproute", "procps-ng" };

static bool is_for(const struct repository *repository, const struct template *t)
{
	const char *release = repository->release;

	if (!str_equal(repository->distribution, t->distribution))
		return false;
	if (!release)
		return true;
	return *release == '!' ? !str_equal(release + 1, t->release)
			       : str_equal(release, t->release);
}

/* Where the key may be: people's own place, that of the distribution itself, and that of the
 * package distribution-gpg-keys. */
static char *find_key(const struct template *t)
{
	bool fedora = str_equal(t->distribution, "fedora");
	const char *release = t->release;
	size_t major = strcspn(release, ".");
	own_free char *own = mem_format("%s-%s", t->distribution, release);
	own_free char *file = fedora ? mem_format("RPM-GPG-KEY-fedora-%s-primary", release)
				     : mem_format("RPM-GPG-KEY-Rocky-%.*s", (int)major, release);
	own_free char *pki = mem_format("/etc/pki/rpm-gpg/%s", file);
	own_free char *shared =
		mem_format("/usr/share/distribution-gpg-keys/%s/%s", t->distribution, file);
	char *found = image_template_key(own);

	if (!found)
		found = image_template_key(t->distribution);
	if (!found && access(pki, R_OK) == 0)
		found = mem_text(pki);
	if (!found && access(shared, R_OK) == 0)
		found = mem_text(shared);
	return found;
}

static int write_config(const struct template *t, const char *key, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	str_addf(&text,
		 "[main]\n"
		 "gpgcheck=1\n"
		 "install_weak_deps=0\n"
		 "tsflags=nodocs\n"
		 "plugins=0\n"
		 "keepcache=0\n"
		 "reposdir=%s/none\n"
		 "varsdir=%s/none\n"
		 "cachedir=%s/cache\n"
		 "logdir=%s/log\n",
		 t->work, t->work, t->work, t->work);
	for (size_t i = 0; i < COUNT_OF(repositories); i++) {
		const struct repository *r = &repositories[i];
		if (!is_for(r, t))
			continue;
		str_addf(&text, "\n[%s]\nname=%s\ngpgkey=file://%s\n", r->name, r->name, key);
		if (t->mirror)
			str_addf(&text, "baseurl=%s/%s\n", t->mirror, r->address);
		else
			str_addf(&text, "%s\n", r->list);
	}
	return fd_write_file_at(t->work_fd, CONFIG, text.text, text.length, 0600, e);
}

/* The database of packages is to be where the distribution's own rpm looks for it, whatever the
 * host's rpm thinks: Debian's has it in the home folder. */
static int write_macros(const struct template *t, struct err *e)
{
	const char *text = str_equal(t->distribution, "fedora") ? "%_dbpath /usr/lib/sysimage/rpm\n"
								: "%_dbpath /var/lib/rpm\n";

	return fd_write_file_at(t->work_fd, ".rpmmacros", text, strlen(text), 0600, e);
}

/* What scripts of packages want to find. An ordinary user makes no devices: the host's is mounted
 * over a file (template_run.c). */
static int prepare(const struct template *t, struct err *e)
{
	if (mkdirat(t->work_fd, TEMPLATE_ROOT, 0755) < 0 ||
	    mkdirat(t->work_fd, TEMPLATE_ROOT "/dev", 0755) < 0)
		return err_sys(e, "make a folder in %s", t->work);
	if (mknodat(t->work_fd, TEMPLATE_NULL, S_IFCHR | 0666, makedev(1, 3)) < 0 &&
	    (errno != EPERM || mknodat(t->work_fd, TEMPLATE_NULL, S_IFREG | 0600, 0) < 0))
		return err_sys(e, "make /dev/null in %s", t->work);
	return write_macros(t, e);
}

static void finish(const struct template *t)
{
	static const char *const gone[] = { "etc/resolv.conf", "etc/hostname", "dev/null",
					    "var/cache/dnf" };
	struct err ignored;
	own_fd int root = openat(t->work_fd, TEMPLATE_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; root >= 0 && i < COUNT_OF(gone); i++)
		image_template_remove(root, gone[i], &ignored);
}

static int install(const struct template *t, struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };

	strv_add(&argv, "dnf");
	strv_addf(&argv, "--config=%s/" CONFIG, t->work);
	strv_addf(&argv, "--installroot=%s/" TEMPLATE_ROOT, t->work);
	strv_addf(&argv, "--releasever=%s", t->release);
	if (t->foreign)
		strv_addf(&argv, "--forcearch=%s", t->architecture);
	strv_add(&argv, "--assumeyes");
	strv_add(&argv, "--quiet");
	strv_add(&argv, "install");
	strv_addf(&argv, "%s-release", t->distribution);
	for (size_t i = 0; i < COUNT_OF(packages); i++)
		strv_add(&argv, packages[i]);
	for (size_t i = 0; t->system && i < COUNT_OF(system_packages); i++)
		strv_add(&argv, system_packages[i]);
	return image_template_run(t, &argv, NULL, NULL, e);
}

int image_template_rpm(const struct template *t, struct err *e)
{
	own_free char *key = find_key(t);

	if (!image_template_has("dnf")) {
		err_set(e, ERR_UNSUPPORTED, "dnf is not installed");
		return err_hint(e, "install it: apt-get install dnf");
	}
	if (!key) {
		err_set(e, ERR_UNSUPPORTED, "the key of %s %s is not here", t->distribution,
			t->release);
		return err_hint(e,
				"put it into /etc/holm/keys/%s-%s.asc, or install "
				"distribution-gpg-keys",
				t->distribution, t->release);
	}
	int r = write_config(t, key, e);
	if (r == 0)
		r = prepare(t, e);
	if (r == 0)
		r = install(t, e);
	if (r == 0)
		finish(t);
	return r;
}
