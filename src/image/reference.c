#include "image/reference.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

/* Cursor over the text: what is being parsed, and where in it. */
struct cursor {
	const char *text;
	const char *at;
};

static int refuse(const struct cursor *c, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID, "image name \"%.300s\": %s at byte %zu", c->text, why,
		       (size_t)(c->at - c->text));
}

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool image_digest_is_valid(const char *text)
{
	if (!text || strncmp(text, "sha256:", 7) != 0)
		return false;

	size_t digits = strspn(text + 7, "0123456789abcdef");
	return digits == 64 && text[7 + digits] == '\0';
}

/* The separators between the alphanumeric runs of a path component: one dot, one or two
 * underscores, any number of dashes. Returns their length, 0 for none. */
static size_t separator_length(const char *at)
{
	if (*at == '.')
		return 1;
	if (*at == '_')
		return at[1] == '_' ? 2 : 1;
	return strspn(at, "-");
}

static int parse_component(struct cursor *c, const char *end, struct err *e)
{
	for (;;) {
		const char *start = c->at;
		while (c->at < end && is_lower_or_digit(*c->at))
			c->at++;
		if (c->at == start && isupper((unsigned char)*c->at))
			return refuse(c, "a repository is written in lower case, found upper case",
				      e);
		if (c->at == start)
			return refuse(c, "expected a lower-case letter or a digit", e);
		if (c->at == end)
			return 0;
		size_t skip = separator_length(c->at);
		if (!skip && isupper((unsigned char)*c->at))
			return refuse(c, "a repository is written in lower case, found upper case",
				      e);
		if (!skip)
			return 0;
		c->at += skip;
	}
}

static int parse_path(struct cursor *c, const char *end, struct err *e)
{
	for (;;) {
		int r = parse_component(c, end, e);
		if (r < 0)
			return r;
		if (c->at == end)
			return 0;
		if (*c->at != '/')
			return refuse(c, "unexpected character", e);
		c->at++;
	}
}

static int parse_port(struct cursor *c, const char *end, struct err *e)
{
	long port = 0;
	const char *start = ++c->at;

	for (; c->at < end; c->at++) {
		if (*c->at < '0' || *c->at > '9')
			return refuse(c, "expected a digit of the port", e);
		port = port * 10 + (*c->at - '0');
		if (port > 65535)
			return refuse(c, "port above 65535", e);
	}
	return c->at > start ? 0 : refuse(c, "expected a port", e);
}

/* "[::1]": brackets around hex digits, colons and dots. */
static int parse_ipv6(struct cursor *c, const char *end, struct err *e)
{
	size_t inner = strspn(c->at + 1, "0123456789abcdefABCDEF:.");

	c->at += 1 + inner;
	if (inner < 2 || c->at >= end || *c->at != ']')
		return refuse(c, "expected an IPv6 address and ]", e);
	c->at++;
	return 0;
}

static int parse_host_label(struct cursor *c, const char *end, struct err *e)
{
	const char *start = c->at;

	while (c->at < end && (is_alphanumeric(*c->at) || *c->at == '-'))
		c->at++;
	if (c->at == start || *start == '-' || c->at[-1] == '-')
		return refuse(c, "malformed host name", e);
	return 0;
}

static int parse_host(struct cursor *c, const char *end, struct err *e)
{
	if (*c->at == '[')
		return parse_ipv6(c, end, e);

	for (;;) {
		int r = parse_host_label(c, end, e);
		if (r < 0 || c->at == end || *c->at != '.')
			return r;
		c->at++;
	}
}

static int parse_domain(struct cursor *c, const char *end, struct err *e)
{
	int r = parse_host(c, end, e);
	if (r < 0 || c->at == end)
		return r;
	return *c->at == ':' ? parse_port(c, end, e) : refuse(c, "malformed host name", e);
}

/* Docker's rule: what stands before the first slash is a registry if it has a dot, a colon or
 * an upper-case letter, or is "localhost". */
static bool looks_like_domain(const char *text, size_t length)
{
	if (length == 9 && memcmp(text, "localhost", 9) == 0)
		return true;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '.' || text[i] == ':' || isupper((unsigned char)text[i]))
			return true;
	return false;
}

static int parse_tag(struct cursor *c, const char *end, struct err *e)
{
	const char *start = c->at;

	if (c->at == end)
		return refuse(c, "empty tag", e);
	if (!is_alphanumeric(*c->at) && *c->at != '_')
		return refuse(c, "a tag begins with a letter, a digit or _", e);
	while (c->at < end && (is_alphanumeric(*c->at) || strchr("_.-", *c->at)))
		c->at++;
	if (c->at != end)
		return refuse(c, "unexpected character in the tag", e);
	if (end - start > IMAGE_TAG_MAX)
		return refuse(c, "tag longer than 128 characters", e);
	return 0;
}

static int parse_digest(struct cursor *c, struct err *e)
{
	if (image_digest_is_valid(c->at))
		return 0;
	if (strncmp(c->at, "sha256:", 7) != 0)
		return refuse(c, "expected a sha256: digest", e);
	return refuse(c, "a digest is sha256: and 64 lower-case hex digits, found something else",
		      e);
}

static int parse_name(struct image_reference *ref, struct cursor *c, const char *end, struct err *e)
{
	const char *slash = memchr(c->at, '/', (size_t)(end - c->at));
	int r;

	if (end == c->at)
		return refuse(c, "empty name", e);
	if (slash && looks_like_domain(c->at, (size_t)(slash - c->at))) {
		const char *start = c->at;
		r = parse_domain(c, slash, e);
		if (r < 0)
			return r;
		ref->domain = mem_text_n(start, (size_t)(slash - start));
		ref->domain_given = true;
		c->at = slash + 1;
	}
	const char *path = c->at;
	r = parse_path(c, end, e);
	if (r < 0)
		return r;
	ref->path = mem_text_n(path, (size_t)(end - path));
	return 0;
}

static void fill_in_defaults(struct image_reference *ref)
{
	if (!ref->domain || strcmp(ref->domain, "index.docker.io") == 0)
		mem_replace(&ref->domain, "docker.io");
	if (strcmp(ref->domain, "docker.io") == 0 && !strchr(ref->path, '/')) {
		char *path = mem_format("library/%s", ref->path);
		free(ref->path);
		ref->path = path;
	}
	if (!ref->tag && !ref->digest)
		ref->tag = mem_text("latest");
}

static int parse_parts(struct image_reference *ref, struct cursor *c, struct err *e)
{
	const char *end = c->text + strlen(c->text);
	const char *at_sign = strchr(c->text, '@');
	const char *name_end = at_sign ? at_sign : end;
	const char *slash = memrchr(c->text, '/', (size_t)(name_end - c->text));
	const char *after = slash ? slash : c->text;
	const char *colon = memchr(after, ':', (size_t)(name_end - after));
	int r = parse_name(ref, c, colon ? colon : name_end, e);

	if (r < 0)
		return r;
	if (colon) {
		c->at = colon + 1;
		r = parse_tag(c, name_end, e);
		if (r < 0)
			return r;
		ref->tag = mem_text_n(colon + 1, (size_t)(name_end - colon - 1));
	}
	if (!at_sign)
		return 0;
	c->at = at_sign + 1;
	r = parse_digest(c, e);
	if (r < 0)
		return r;
	ref->digest = mem_text(at_sign + 1);
	return 0;
}

int image_reference_parse(struct image_reference *ref, const char *text, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference parsed = { 0 };
	struct cursor c = { text, text };
	int r = parse_parts(&parsed, &c, e);

	if (r < 0)
		return r;
	/* 64 hex digits are how ids of images look, and Docker refuses them as names, too. */
	if (!parsed.domain_given && strlen(parsed.path) == 64 &&
	    strspn(parsed.path, "0123456789abcdef") == 64)
		return err_set(e, ERR_INVALID, "image name \"%s\": this is an image id", text);
	fill_in_defaults(&parsed);
	if (strlen(parsed.domain) + 1 + strlen(parsed.path) > IMAGE_NAME_MAX)
		return err_set(e, ERR_INVALID, "image name \"%.300s\": longer than %d characters",
			       text, IMAGE_NAME_MAX);
	*ref = parsed;
	parsed = (struct image_reference){ 0 };
	return 0;
}

void image_reference_clear(struct image_reference *ref)
{
	free(ref->domain);
	free(ref->path);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct image_reference){ 0 };
}

void image_reference_copy(struct image_reference *to, const struct image_reference *from)
{
	*to = (struct image_reference){ mem_text(from->domain), mem_text(from->path),
					mem_text(from->tag), mem_text(from->digest),
					from->domain_given };
}

char *image_reference_name(const struct image_reference *ref)
{
	return mem_format("%s/%s", ref->domain, ref->path);
}

char *image_reference_format(const struct image_reference *ref)
{
	if (ref->digest)
		return mem_format("%s/%s@%s", ref->domain, ref->path, ref->digest);
	return mem_format("%s/%s:%s", ref->domain, ref->path, ref->tag);
}

const char *image_reference_familiar(const char *full)
{
	if (!str_starts(full, "docker.io/"))
		return full;
	const char *path = full + strlen("docker.io/");
	if (str_starts(path, "library/") && !strchr(path + strlen("library/"), '/'))
		return path + strlen("library/");
	/* "docker.io/a.b/c" would be read as a registry a.b without its domain. */
	return looks_like_domain(path, strcspn(path, "/")) ? full : path;
}
