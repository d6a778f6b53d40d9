#include "build/given.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "build/build.h"

void build_given_clear(struct build_given *given)
{
	free(given->id);
	free(given->file);
	free(given->env);
	*given = (struct build_given){ 0 };
}

static int take_pair(struct build_given *to, const char *pair, struct err *e)
{
	const char *equals = strchr(pair, '=');
	own_free char *key = equals ? mem_text_n(pair, (size_t)(equals - pair)) : mem_text(pair);
	const char *value = equals ? equals + 1 : "";

	if (str_equal(key, "id"))
		mem_replace(&to->id, value);
	else if (str_equal(key, "src") || str_equal(key, "source"))
		mem_replace(&to->file, value);
	else if (str_equal(key, "env"))
		mem_replace(&to->env, value);
	else if (!str_equal(key, "type") || (!str_equal(value, "file") && !str_equal(value, "env")))
		return err_set(e, ERR_INVALID, "'%.60s': none of id, src, env, type=file|env",
			       pair);
	return 0;
}

static int read_secret(struct build_given *to, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv pairs = { 0 };
	int r = 0;

	strv_split(&pairs, text, ',');
	for (size_t i = 0; r == 0 && i < pairs.count; i++)
		r = take_pair(to, pairs.items[i], e);
	if (r == 0 && str_empty(to->id))
		r = err_set(e, ERR_INVALID, "it has no id");
	if (r == 0 && to->file && str_equal(strv_value(&pairs, "type"), "env")) {
		to->env = take_ptr(&to->file);
	}
	if (r < 0)
		return err_add(e, "--secret %.100s", text);
	/* as in docker: a variable of that name, else a file */
	if (!to->file && !to->env)
		mem_replace(getenv(to->id) ? &to->env : &to->file, to->id);
	return 0;
}

int build_given_check(const struct build_options *o, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->secret.count; i++) {
		own_clear(build_given_clear) struct build_given given = { 0 };
		r = read_secret(&given, o->secret.items[i], e);
		/* also where no step asks for it: a name mistyped is told at once */
		if (r == 0 && given.file && access(given.file, R_OK) < 0)
			r = err_sys(e, "--secret id=%s: open %s", given.id, given.file);
	}
	for (size_t i = 0; r == 0 && i < o->build_arg.count; i++)
		if (!o->build_arg.items[i][strcspn(o->build_arg.items[i], "=")] ||
		    o->build_arg.items[i][0] == '=')
			r = err_set(e, ERR_INVALID, "--build-arg '%.100s': NAME=VALUE is wanted",
				    o->build_arg.items[i]);
	for (size_t i = 0; r == 0 && i < o->annotation.count; i++)
		if (!strchr(o->annotation.items[i], '=') || o->annotation.items[i][0] == '=')
			r = err_set(e, ERR_INVALID, "--annotation '%.100s': KEY=VALUE is wanted",
				    o->annotation.items[i]);
	return r;
}

int build_given_secret(struct build_given *ret, const struct build_options *o, const char *id,
		       struct err *e)
{
	for (size_t i = o->secret.count; i-- > 0;) {
		own_clear(build_given_clear) struct build_given given = { 0 };
		int r = read_secret(&given, o->secret.items[i], e);
		if (r < 0)
			return r;
		if (!str_equal(given.id, id))
			continue;
		*ret = given;
		given = (struct build_given){ 0 };
		return 1;
	}
	return 0;
}

int build_given_ssh(struct build_given *ret, const struct build_options *o, const char *id,
		    struct err *e)
{
	for (size_t i = o->ssh.count; i-- > 0;) {
		const char *text = o->ssh.items[i], *equals = strchr(text, '=');
		const char *socket = equals ? equals + 1 : getenv("SSH_AUTH_SOCK");
		size_t length = equals ? (size_t)(equals - text) : strlen(text);
		if (strlen(id) != length || strncmp(text, id, length) != 0)
			continue;
		if (str_empty(socket)) {
			err_set(e, ERR_NOT_FOUND, "--ssh %s: there is no agent", text);
			return err_hint(e,
					"start one, ssh-agent(1), or name its socket: "
					"--ssh %s=SOCKET",
					id);
		}
		ret->id = mem_text(id);
		ret->file = mem_text(socket);
		return 1;
	}
	return 0;
}
