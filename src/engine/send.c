#include "engine/send.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/freeze.h"
#include "engine/lower.h"
#include "engine/name.h"
#include "engine/send_part.h"
#include "engine/stream.h"
#include "engine/transfer.h"
#include "image/command.h"
#include "storage/store.h"

extern char **environ;

static void sending_clear(struct sending *s)
{
	send_live_clear(s);
	engine_held_clear(&s->held);
	snapshots_clear(&s->snapshots);
	strv_clear(&s->sent);
}

static int check(const struct container *c, const struct send_options *o, struct err *e)
{
	if (c->pod.id)
		return err_set(e, ERR_UNSUPPORTED, "container %s is in a pod", c->name);
	if (c->image.rootfs)
		return err_set(e, ERR_UNSUPPORTED,
			       "the files of container %s are a %s of this host: %s", c->name,
			       c->image.disk ? "disk image" : "folder", c->image.rootfs);
	return o->name ? engine_name_check(o->name, e) : 0;
}

/* One of before a rebuild of another image: that alone is sent which the container stands on. */
static int check_snapshots(const struct sending *s, struct err *e)
{
	const struct container *c = &s->held.container;

	for (size_t i = 0; i < s->snapshots.count; i++) {
		const struct snapshot *one = &s->snapshots.items[i];
		if (str_equal(one->container.image.id, c->image.id))
			continue;
		err_set(e, ERR_UNSUPPORTED, "snapshot %s of container %s is of another image",
			one->name, c->name);
		return err_hint(e,
				"holm clone --snapshot %s %s NAME makes a container of it, that "
				"can be sent; holm snapshot rm %s %s",
				one->name, c->name, c->name, one->name);
	}
	return 0;
}

/* A copy that a failure leaves behind is collected later. */
static int freeze(struct sending *s, struct err *e)
{
	struct container *c = &s->held.container;
	int64_t paused_ns;

	if (s->options->live)
		return send_live_begin(s, e);
	int live = engine_freeze_is_live(c, &s->held.state, e);
	if (live < 0)
		return live;
	return live ? engine_freeze_live(s->engine, c, &s->held.state, &paused_ns, e)
		    : engine_freeze_still(s->engine, c, s->held.folder, e);
}

static int prepare(struct sending *s, const char *name, struct err *e)
{
	int r = engine_held_take(&s->held, s->engine, name, e);
	if (r == 0)
		r = check(&s->held.container, s->options, e);
	if (r == 0)
		r = snapshot_list(&s->snapshots, s->held.folder, e);
	if (r == 0)
		r = check_snapshots(s, e);
	if (r == 0 && s->options->live)
		r = send_live_check(s, e);
	return r < 0 ? r : freeze(s, e);
}

static int write_header(struct sending *s, struct err *e)
{
	own_json struct json_object *header = json_object_new_object();
	struct json_object *snapshots = json_object_new_array();
	struct utsname machine = { 0 };

	uname(&machine);
	for (size_t i = 0; i < s->snapshots.count; i++) {
		struct json_object *one = shape_write(&snapshot_shape, &s->snapshots.items[i]);
		json_object_object_add(one, "name",
				       json_object_new_string(s->snapshots.items[i].name));
		json_object_array_add(snapshots, one);
	}
	json_object_object_add(header, "container",
			       shape_write(&container_shape, &s->held.container));
	json_object_object_add(header, "snapshots", snapshots);
	if (s->options->name)
		json_object_object_add(header, "name", json_object_new_string(s->options->name));
	json_object_object_add(header, "refresh", json_object_new_boolean(s->options->refresh));
	if (s->options->live)
		json_object_object_add(header, "live", json_object_new_string(machine.machine));
	const char *text = json_text(header);
	int r = transfer_write_begin(s->fd, e);
	return r < 0 ? r : transfer_write_text(s->fd, TRANSFER_HEADER, text, strlen(text), e);
}

static int write_image(struct sending *s, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct container_image *image = &s->held.container.image;

	image_command_begin(&arguments, "save", s->engine->store);
	strv_add(&arguments, "--");
	strv_add(&arguments, "oci-archive");
	strv_add(&arguments, "-");
	strv_add(&arguments, image->reference ? image->reference : image->id);
	int r = transfer_write_command(s->fd, TRANSFER_IMAGE, "", &arguments, -1, e);
	if (r == 0)
		return 0;
	err_add(e, "image %s", image->name);
	return e->kind == ERR_NOT_FOUND
		       ? err_hint(e, "its packed layers are gone: holm commit makes an image of "
				     "what the container has")
		       : r;
}

static int write_layer(struct sending *s, const char *layer, const struct runtime_idmap *ids,
		       struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct oci_id_map map = { ids->uids, ids->gids };

	if (strv_contains(&s->sent, layer) || (str_equal(layer, s->last) && !s->still))
		return 0;
	own_fd int folder = storage_frozen_open(s->engine->store, layer, e);
	if (folder < 0)
		return folder;
	image_command_begin(&arguments, "pack-layer", s->engine->store);
	engine_stream_add_ids(&arguments, &map);
	strv_add(&s->sent, layer);
	return transfer_write_command(s->fd, TRANSFER_LAYER, layer, &arguments, folder, e);
}

static int write_layers(struct sending *s, const struct container *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < c->storage.frozen.count; i++) {
		const struct container_frozen *group = &c->storage.frozen.items[i];
		for (size_t k = 0; r == 0 && k < group->layers.count; k++)
			r = write_layer(s, group->layers.items[k], &group->ids, e);
	}
	return r;
}

int send_layers(struct sending *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->snapshots.count; i++)
		r = write_layers(s, &s->snapshots.items[i].container, e);
	return r < 0 ? r : write_layers(s, &s->held.container, e);
}

static int write_rest(struct sending *s, struct err *e)
{
	int r = s->image ? write_image(s, e) : 0;

	if (r == 0)
		r = send_layers(s, e);
	if (r == 0 && s->options->live)
		return send_live_finish(s, e);
	return r < 0 ? r : transfer_write_text(s->fd, TRANSFER_END, "", 0, e);
}

int engine_send_to_file(struct engine *engine, const char *container, int fd,
			const struct send_options *o, struct err *e)
{
	own_clear(sending_clear) struct sending s = {
		.engine = engine,
		.options = o,
		.held = ENGINE_HELD_NONE,
		.image = !o->no_image,
		.fd = fd,
	};
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	int r = prepare(&s, container, e);
	if (r == 0)
		r = write_header(&s, e);
	if (r == 0)
		r = write_rest(&s, e);
	signal(SIGPIPE, before);
	if (r == 0)
		engine_event_container(engine, &s.held.container, "backup", NULL);
	return r;
}

/* ---- over ssh ---- */

static int start_ssh(pid_t *ret, const char *host, const struct send_options *o, int input,
		     int output, struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };
	posix_spawn_file_actions_t actions;

	if (*host == '-' || !*host)
		return err_set(e, ERR_INVALID, "'%s' is no host", host);
	strv_add(&argv, "ssh");
	strv_add(&argv, "-T");
	for (size_t i = 0; i < o->ssh.count; i++) {
		strv_add(&argv, "-o");
		strv_add(&argv, o->ssh.items[i]);
	}
	/* a container stands still meanwhile */
	if (o->live)
		strv_add(&argv, "-oServerAliveInterval=5");
	strv_add(&argv, "--");
	strv_add(&argv, host);
	strv_addf(&argv, "%s receive --answer -", o->remote ? o->remote : "holm");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	int r = posix_spawnp(ret, "ssh", &actions, NULL, argv.items, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r == ENOENT) {
		err_set(e, ERR_UNSUPPORTED, "there is no ssh here");
		return err_hint(e, "install it (Debian: apt install openssh-client), or use holm "
				   "backup and holm receive");
	}
	return r ? err_number(e, r, "run ssh") : 0;
}

/* The other side has no more to say than names that it was told. */
int send_read_answer(struct json_object **ret, FILE *from, struct err *e)
{
	own_clear(str_clear) struct str line = { 0 };
	int c;

	while ((c = getc_unlocked(from)) != EOF && c != '\n') {
		if (line.length == TRANSFER_HEADER_MAX)
			return err_set(e, ERR_CORRUPT, "the answer of the other side is too long");
		str_add_char(&line, (char)c);
	}
	if (line.length == 0)
		return err_set(e, ERR_UNREACHABLE, "the other side has ended without an answer");
	return json_parse(ret, line.text, line.length, "the answer of the other side", e);
}

/* What the other side has already is as good as sent. */
static int take_wishes(struct sending *s, struct err *e)
{
	own_json struct json_object *answer = NULL;
	struct json_object *have = NULL;

	int r = send_read_answer(&answer, s->from, e);
	if (r < 0)
		return r;
	if (s->options->live && !json_object_get_boolean(json_object_object_get(answer, "live")))
		return err_set(e, ERR_UNSUPPORTED,
			       "the holm there takes no containers that run; it is too old");
	s->image = json_object_get_boolean(json_object_object_get(answer, "image"));
	have = json_object_object_get(answer, "have");
	for (size_t i = 0; have && json_object_is_type(have, json_type_array) &&
			   i < json_object_array_length(have);
	     i++) {
		const char *layer = json_object_get_string(json_object_array_get_idx(have, i));
		strv_add(&s->sent, layer ? layer : "");
	}
	return 0;
}

static int converse(struct sending *s, struct err *e)
{
	own_json struct json_object *done = NULL;

	int r = write_header(s, e);
	if (r == 0)
		r = take_wishes(s, e);
	if (r == 0)
		r = write_rest(s, e);
	return r < 0 || s->options->live ? r : send_read_answer(&done, s->from, e);
}

static int talk(struct sending *s, const char *host, struct err *e)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int their_in = in[0], our_out = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int our_in = out[0], their_out = out[1];
	int r = start_ssh(&pid, host, s->options, their_in, their_out, e);
	if (r < 0)
		return r;
	close(take_fd(&their_in));
	close(take_fd(&their_out));
	s->from = fdopen(our_in, "r");
	s->fd = our_out;
	r = s->from ? converse(s, e) : err_sys(e, "open the answer");
	if (s->from)
		take_fd(&our_in);
	close(take_fd(&our_out));
	if (s->from)
		fclose(s->from);
	int status = process_exit_code(process_wait(pid));
	if (status == 0 && !(r < 0 && s->ended))
		return r;
	if (s->ended)
		return send_live_lost(s, host, e);
	/* what it had to say stands above, on our standard error */
	err_set(e, ERR_UNREACHABLE, "ssh %s ended with status %d", host, status);
	return err_hint(e, "the container here is as it was");
}

int engine_send(struct engine *engine, const char *container, const char *host,
		const struct send_options *o, struct err *e)
{
	own_clear(sending_clear) struct sending s = {
		.engine = engine,
		.options = o,
		.held = ENGINE_HELD_NONE,
	};
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	int r = prepare(&s, container, e);
	if (r == 0)
		r = talk(&s, host, e);
	signal(SIGPIPE, before);
	if (r == 0)
		engine_event_container(engine, &s.held.container, "copy", "host", host, NULL);
	return r;
}
