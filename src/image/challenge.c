#include "image/challenge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

static bool is_token(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static void skip_blanks(const char **at)
{
	while (**at == ' ' || **at == '\t')
		(*at)++;
}

static void skip_separators(const char **at)
{
	while (**at == ' ' || **at == '\t' || **at == ',')
		(*at)++;
}

static size_t token_length(const char *at)
{
	size_t length = 0;

	while (is_token(at[length]))
		length++;
	return length;
}

static int refuse(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "malformed WWW-Authenticate header");
}

static int parse_quoted(const char **at, struct str *value, struct err *e)
{
	for ((*at)++; **at != '"'; (*at)++) {
		if (**at == '\\')
			(*at)++;
		if ((unsigned char)**at < ' ' || value->length == IMAGE_CHALLENGE_VALUE_MAX)
			return refuse(e);
		str_add_char(value, **at);
	}
	(*at)++;
	return 0;
}

static int parse_value(const char **at, struct str *value, struct err *e)
{
	if (**at == '"')
		return parse_quoted(at, value, e);

	/* Token characters, and those of an unquoted address, which some registries send. */
	size_t length = strcspn(*at, " \t,\"");
	if (!length || length > IMAGE_CHALLENGE_VALUE_MAX)
		return refuse(e);
	str_add_n(value, *at, length);
	*at += length;
	return 0;
}

static void keep(struct image_challenge *c, const char *name, size_t length, struct str *value)
{
	char **field = NULL;

	if (length == 5 && strncasecmp(name, "realm", 5) == 0)
		field = &c->realm;
	else if (length == 7 && strncasecmp(name, "service", 7) == 0)
		field = &c->service;
	else if (length == 5 && strncasecmp(name, "scope", 5) == 0)
		field = &c->scope;
	if (field && !*field)
		*field = str_take(value);
}

/* Is there "name = value" here, rather than the name of the next scheme? Then *length is the
 * name's, and *at stands on the value. */
static bool looks_like_parameter(const char **at, size_t *length)
{
	*length = token_length(*at);
	const char *ahead = *at + *length;

	skip_blanks(&ahead);
	if (!*length || *ahead != '=')
		return false;
	ahead++;
	skip_blanks(&ahead);
	*at = ahead;
	return true;
}

static int parse_parameters(const char **at, struct image_challenge *c, struct err *e)
{
	for (;;) {
		own_clear(str_clear) struct str value = { 0 };
		size_t length;
		skip_separators(at);
		const char *name = *at;
		if (!looks_like_parameter(at, &length))
			return 0;
		int r = parse_value(at, &value, e);
		if (r < 0)
			return r;
		keep(c, name, length, &value);
	}
}

/* token68 of schemes such as Negotiate: not for us, but to be stepped over. */
static void skip_token68(const char **at)
{
	const char *ahead = *at;

	ahead += strspn(ahead,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
	ahead += strspn(ahead, "=");
	if (*ahead == ',' || *ahead == '\0')
		*at = ahead;
}

/* One scheme with its parameters, in c; *known says whether it is one of the two. */
static int parse_one(const char **at, struct image_challenge *c, bool *known, struct err *e)
{
	size_t length = token_length(*at);

	if (!length)
		return refuse(e);
	c->bearer = length == 6 && strncasecmp(*at, "bearer", 6) == 0;
	*known = c->bearer || (length == 5 && strncasecmp(*at, "basic", 5) == 0);
	*at += length;
	skip_blanks(at);
	if (!*known)
		skip_token68(at);
	return parse_parameters(at, c, e);
}

static int parse_header(struct image_challenge *best, bool *found, const char *at, struct err *e)
{
	for (skip_separators(&at); *at; skip_separators(&at)) {
		own_clear(image_challenge_clear) struct image_challenge c = { 0 };
		bool known = false;
		int r = parse_one(&at, &c, &known, e);
		if (r < 0)
			return r;
		if (!known || (c.bearer && !c.realm) || (*found && (best->bearer || !c.bearer)))
			continue;
		image_challenge_clear(best);
		*best = c;
		c = (struct image_challenge){ 0 };
		*found = true;
	}
	return 0;
}

int image_challenge_parse(struct image_challenge *challenge, const struct strv *headers,
			  struct err *e)
{
	own_clear(image_challenge_clear) struct image_challenge best = { 0 };
	bool found = false;

	for (size_t i = 0; i < headers->count; i++) {
		int r = parse_header(&best, &found, headers->items[i], e);
		if (r < 0)
			return r;
	}
	if (!found)
		return err_set(e, ERR_UNSUPPORTED,
			       "the registry wants a login that is neither Basic nor Bearer");
	*challenge = best;
	best = (struct image_challenge){ 0 };
	return 0;
}

void image_challenge_clear(struct image_challenge *challenge)
{
	free(challenge->realm);
	free(challenge->service);
	free(challenge->scope);
	*challenge = (struct image_challenge){ 0 };
}
