/* A container that boots a whole system: what the options mean for it, and what it has instead of
 * an application's defaults. See docs/decisions/0034-booted-systems.md. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/config.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/utf8.h"
#include "engine/options.h"
#include "oci/image.h"

/* A shutdown runs what services have to save; LXC and Incus wait as long. */
enum { SYSTEM_STOP_TIMEOUT_S = 60 };

/* Far above what clouds allow (16 KiB at EC2, 64 KiB elsewhere). */
enum { USER_DATA_BYTES_MAX = 256 << 10 };

void config_system_image(struct oci_image_process *to, const struct oci_image_process *image)
{
	*to = (struct oci_image_process){ 0 };
	if (image)
		to->labels = image->labels;
	strv_add(&to->cmd, CONFIG_SYSTEM_INIT);
}

void config_system_image_clear(struct oci_image_process *image)
{
	strv_clear(&image->cmd);
}

static int check(const struct container *c, const struct create_options *o, struct err *e)
{
	if (!str_equal(c->security.pid, "private"))
		return err_set(e, ERR_INVALID,
			       "--system and --pid %s exclude each other: an init is process 1",
			       c->security.pid);
	if (!str_equal(c->security.cgroupns, "private"))
		return err_set(e, ERR_INVALID,
			       "--system and --cgroupns %s exclude each other: an init makes its "
			       "own cgroups",
			       c->security.cgroupns);
	if (o->init_given && o->init)
		return err_set(e, ERR_INVALID,
			       "--system and --init exclude each other: it has its own");
	if (o->user && !str_equal(o->user, "root") && !str_equal(o->user, "0"))
		return err_set(e, ERR_INVALID,
			       "--system and --user %s exclude each other: an init is root's",
			       o->user);
	return 0;
}

/* podman run(1), "--systemd": true is its default, and what it takes for an init. */
static bool is_init(const char *command)
{
	static const char *const paths[] = { "/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init",
					     NULL };
	const char *slash = strrchr(command, '/');

	return config_is_one_of(command, paths) ||
	       str_equal(slash ? slash + 1 : command, "systemd");
}

int config_system_asked(bool *ret, const struct create_options *o,
			const struct oci_image_process *image, struct err *e)
{
	static const char *const words[] = { "always", "true", "false", NULL };
	const struct strv *command = &o->command;

	if (o->systemd && !config_is_one_of(o->systemd, words))
		return err_set(e, ERR_INVALID, "--systemd %s: not one of always, true, false",
			       o->systemd);
	if (!command->count && !o->entrypoint && image)
		command = image->entrypoint.count ? &image->entrypoint : &image->cmd;
	*ret = o->system || str_equal(o->systemd, "always") ||
	       (str_equal(o->systemd, "true") && command->count && is_init(command->items[0]));
	return 0;
}

static int read_user_data(char **ret, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	if (!path)
		return 0;
	int r = fd_read_file_at(AT_FDCWD, path, USER_DATA_BYTES_MAX, &text, e);
	if (r < 0)
		return err_add(e, "--user-data %s", path);
	if (text.length == 0 || strlen(text.text) != text.length ||
	    !utf8_valid(text.text, text.length))
		return err_set(e, ERR_INVALID, "--user-data %s: not text (UTF-8)", path);
	*ret = str_take(&text);
	return 0;
}

static int refuse_for_application(const struct create_options *o, struct err *e)
{
	const char *option = o->user_data ? "--user-data" : o->in_place ? "--in-place" : NULL;

	return option ? err_set(e, ERR_INVALID, "%s is for systems: --system, or holm launch",
				option)
		      : 0;
}

int config_system(struct container *c, const struct create_options *o, struct err *e)
{
	struct container_process *p = &c->process;

	if (!str_equal(c->kind, CONTAINER_SYSTEM))
		return refuse_for_application(o, e);
	int r = check(c, o, e);
	if (r == 0)
		r = read_user_data(&c->user_data, o->user_data, e);
	if (r < 0)
		return r;
	mem_replace(&c->security.posture, CONTAINER_SYSTEM);
	/* as systemd-nspawn does it: the folder is the system */
	c->image.in_place = c->image.rootfs && !o->ephemeral && !c->storage.read_only &&
			    (!c->image.disk || o->in_place);
	if (o->in_place && !c->image.in_place)
		return err_set(e, ERR_INVALID,
			       "--in-place is for folders and disk images, without --ephemeral and "
			       "--read-only");
	p->init = false;
	p->tty = true;
	p->open_stdin = true;
	if (!p->stop_timeout_s) {
		p->stop_timeout_s = mem_new(1, sizeof(int64_t));
		*p->stop_timeout_s = SYSTEM_STOP_TIMEOUT_S;
	}
	return 0;
}
