/* --x11, --wayland, --audio: sockets of the caller's session, and the variables by which programs
 * find them. Those of Wayland, PipeWire and PulseAudio lie in a folder of their own, by the full
 * path, so that XDG_RUNTIME_DIR is the image's affair. */
#include "engine/config.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/config_file.h"
#include "engine/desktop.h"

#define X11_SOCKETS "/tmp/.X11-unix"

/* What -e says is not said again. */
static void set_env(struct container *c, const struct create_options *o, const char *key,
		    const char *value)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < o->env.count; i++)
		if (str_starts(o->env.items[i], key) && strchr("=", o->env.items[i][length]))
			return;
	own_free char *assignment = mem_format("%s=%s", key, value);
	strv_set(&c->process.env, assignment);
}

static void add_bind(struct container *c, const char *source, const char *target)
{
	struct container_mount *mount = shape_list_add(&c->storage.mounts);

	mount->type = mem_text("bind");
	mount->source = mem_text(source);
	mount->target = mem_text(target);
}

/* ---- X11 ---- */

/* ":0.1" is the screen 1 of the display 0; X(7), "DISPLAY NAMES". */
static char *number_of(const char *display)
{
	const char *text = str_starts(display, "unix:") ? display + strlen("unix") : display;
	size_t digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;

	if (digits == 0 || !strchr(".", text[1 + digits]))
		return NULL;
	return mem_text_n(text + 1, digits);
}

static int set_x11(struct container *c, const struct create_options *o, char *const *environment,
		   struct err *e)
{
	const char *display = config_environment_value(environment, "DISPLAY");
	const char *cookies = config_environment_value(environment, "XAUTHORITY");
	const char *home = config_environment_value(environment, "HOME");
	own_free char *number = display ? number_of(display) : NULL;

	if (!number) {
		err_set(e, ERR_INVALID, "--x11: %s%s",
			str_empty(display) ? "DISPLAY is not set" : display,
			str_empty(display) ? "" : " (DISPLAY) is no display of this host");
		return err_hint(e, "a display of a session on this host is named as in DISPLAY=:0");
	}
	own_free char *socket = mem_format(X11_SOCKETS "/X%s", number);
	c->desktop.display = take_ptr(&number);
	if (!str_empty(cookies))
		c->desktop.cookies = mem_text(cookies);
	else if (!str_empty(home))
		c->desktop.cookies = path_join(home, ".Xauthority");
	add_bind(c, socket, socket);
	set_env(c, o, "DISPLAY", display);
	set_env(c, o, "XAUTHORITY", ENGINE_DESKTOP_COOKIES);
	return 0;
}

/* ---- what lies in XDG_RUNTIME_DIR ---- */

/* name may be a full path. */
static int add_socket(struct container *c, const char *option, const char *name, const char *target,
		      char *const *environment, struct err *e)
{
	const char *run = config_environment_value(environment, "XDG_RUNTIME_DIR");

	if (*name != '/' && str_empty(run)) {
		err_set(e, ERR_INVALID, "%s: XDG_RUNTIME_DIR is not set", option);
		return err_hint(e, "it names the folder of the session's sockets, /run/user/UID");
	}
	own_free char *source = *name == '/' ? mem_text(name) : path_join(run, name);
	add_bind(c, source, target);
	return 0;
}

static int set_wayland(struct container *c, const struct create_options *o,
		       char *const *environment, struct err *e)
{
	static const char target[] = ENGINE_DESKTOP "/wayland-0";
	const char *display = config_environment_value(environment, "WAYLAND_DISPLAY");

	int r = add_socket(c, "--wayland", str_empty(display) ? "wayland-0" : display, target,
			   environment, e);
	if (r == 0)
		set_env(c, o, "WAYLAND_DISPLAY", target);
	return r;
}

/* PipeWire's own socket, and that of PulseAudio, which PipeWire has, too: whichever is there. */
static int set_audio(struct container *c, const struct create_options *o, char *const *environment,
		     struct err *e)
{
	static const struct {
		const char *name, *target, *variable, *value;
	} servers[] = {
		{ "pipewire-0", ENGINE_DESKTOP "/pipewire-0", "PIPEWIRE_REMOTE",
		  ENGINE_DESKTOP "/pipewire-0" },
		{ "pulse/native", ENGINE_DESKTOP "/pulse", "PULSE_SERVER",
		  "unix:" ENGINE_DESKTOP "/pulse" },
	};
	size_t found = 0;

	for (size_t i = 0; i < COUNT_OF(servers); i++) {
		size_t before = c->storage.mounts.count;
		int r = add_socket(c, "--audio", servers[i].name, servers[i].target, environment,
				   e);
		if (r < 0)
			return r;
		struct container_mount *mount = &c->storage.mounts.items[before];
		if (!engine_desktop_is_socket(mount->source)) {
			shape_clear(&container_mount_shape, mount);
			c->storage.mounts.count = before;
			continue;
		}
		set_env(c, o, servers[i].variable, servers[i].value);
		found++;
	}
	if (found)
		return 0;
	err_set(e, ERR_NOT_FOUND, "--audio: neither pipewire-0 nor pulse/native is in %s",
		config_environment_value(environment, "XDG_RUNTIME_DIR"));
	return err_hint(e, "PipeWire or PulseAudio runs in a session of a desktop; the devices "
			   "themselves are --device /dev/snd");
}

int config_desktop(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e)
{
	int r = 0;

	(void)image;
	if (o->x11)
		r = set_x11(c, o, context->environment, e);
	if (r == 0 && o->wayland)
		r = set_wayland(c, o, context->environment, e);
	return r == 0 && o->audio ? set_audio(c, o, context->environment, e) : r;
}
