#include "image/apt_sources.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

/* What is known of a distribution where the host does not use it. */
static const struct distribution {
	const char *name;
	const char *path; /* how its mirrors' addresses end */
	const char *uri;
	const char *security_path, *security_uri;
	const char *keyring, *keyring_package;
	const char *components;
} distributions[] = {
	{ "debian", "/debian", "http://ftp.debian.org/debian", "/debian-security",
	  "http://security.debian.org/debian-security",
	  "/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring", "main" },
	{ "ubuntu", "/ubuntu", "http://archive.ubuntu.com/ubuntu", "/ubuntu",
	  "http://security.ubuntu.com/ubuntu", "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
	  "ubuntu-keyring", "main universe" },
	/* all other processors than those of PCs */
	{ "ubuntu", "/ubuntu-ports", "http://ports.ubuntu.com/ubuntu-ports", "/ubuntu-ports",
	  "http://ports.ubuntu.com/ubuntu-ports", "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
	  "ubuntu-keyring", "main universe" },
};

void image_apt_sources_clear(struct image_apt_sources *sources)
{
	for (size_t i = 0; i < sources->items.count; i++) {
		free(sources->items.items[i].uri);
		free(sources->items.items[i].signed_by);
		strv_clear(&sources->items.items[i].suites);
	}
	free(sources->items.items);
	*sources = (struct image_apt_sources){ 0 };
}

static void add_words(struct strv *to, const char *text)
{
	while (*text) {
		text += strspn(text, " \t\r\n");
		size_t length = strcspn(text, " \t\r\n");
		if (length)
			strv_add_take(to, mem_text_n(text, length));
		text += length;
	}
}

static bool is_address(const char *uri)
{
	return str_starts(uri, "http://") || str_starts(uri, "https://");
}

static void add_source(struct image_apt_sources *to, const char *uri, const struct strv *suites,
		       const char *signed_by)
{
	/* a key inside of the stanza is no path */
	bool path = signed_by && signed_by[0] == '/' && !strpbrk(signed_by, " \t,");

	if (!is_address(uri) || !suites->count || strpbrk(uri, "[]#\""))
		return;
	struct image_apt_source *source = shape_list_add(&to->items);
	size_t length = strlen(uri);
	while (length && uri[length - 1] == '/')
		length--;
	source->uri = mem_text_n(uri, length);
	strv_add_all(&source->suites, suites);
	source->signed_by = path ? mem_text(signed_by) : NULL;
}

/* deb [signed-by=/path arch=amd64] URI SUITE COMPONENT... */
static void add_line(struct image_apt_sources *to, char *line)
{
	own_clear(strv_clear) struct strv words = { 0 };
	own_clear(strv_clear) struct strv suites = { 0 };
	own_free char *signed_by = NULL;

	line[strcspn(line, "#")] = '\0';
	char *open = strchr(line, '[');
	char *close = open ? strchr(open, ']') : NULL;
	if (open && close) {
		char *option = strstr(open, "signed-by=");
		if (option && option < close)
			signed_by = mem_text_n(option + 10, strcspn(option + 10, " ]"));
		memset(open, ' ', (size_t)(close - open) + 1);
	}
	add_words(&words, line);
	if (words.count < 3 || !str_equal(words.items[0], "deb"))
		return;
	strv_add(&suites, words.items[2]);
	add_source(to, words.items[1], &suites, signed_by);
}

void image_apt_sources_add_list(struct image_apt_sources *to, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		own_free char *line = mem_text_n(text, length);
		add_line(to, line);
		text += length + (text[length] == '\n');
	}
}

struct stanza {
	struct strv types, uris, suites;
	char *signed_by;
	bool disabled;
};

static void end_stanza(struct image_apt_sources *to, struct stanza *s)
{
	for (size_t i = 0; i < s->uris.count; i++)
		if (!s->disabled && strv_contains(&s->types, "deb"))
			add_source(to, s->uris.items[i], &s->suites, s->signed_by);
	strv_clear(&s->types);
	strv_clear(&s->uris);
	strv_clear(&s->suites);
	free(s->signed_by);
	*s = (struct stanza){ 0 };
}

static void take_field(struct stanza *s, const char *line)
{
	size_t name = strcspn(line, ":");
	const char *value = line + name + (line[name] == ':');

	value += strspn(value, " \t");
	if (name == 5 && strncasecmp(line, "types", name) == 0)
		add_words(&s->types, value);
	else if (name == 4 && strncasecmp(line, "uris", name) == 0)
		add_words(&s->uris, value);
	else if (name == 6 && strncasecmp(line, "suites", name) == 0)
		add_words(&s->suites, value);
	else if (name == 7 && strncasecmp(line, "enabled", name) == 0)
		s->disabled = str_starts(value, "no");
	else if (name == 9 && strncasecmp(line, "signed-by", name) == 0)
		mem_replace(&s->signed_by, value);
}

void image_apt_sources_add_deb822(struct image_apt_sources *to, const char *text)
{
	struct stanza stanza = { 0 };

	while (*text) {
		size_t length = strcspn(text, "\n");
		own_free char *line = mem_text_n(text, length);
		if (line[strspn(line, " \t\r")] == '\0')
			end_stanza(to, &stanza);
		else if (line[0] != '#' && line[0] != ' ' && line[0] != '\t')
			take_field(&stanza, line);
		text += length + (text[length] == '\n');
	}
	end_stanza(to, &stanza);
}

static const struct image_apt_source *find(const struct image_apt_sources *sources,
					   const char *path, const char *suite_ending)
{
	for (size_t i = 0; i < sources->items.count; i++) {
		const struct image_apt_source *source = &sources->items.items[i];
		if (!str_ends(source->uri, path))
			continue;
		for (size_t j = 0; j < source->suites.count; j++)
			if (str_ends(source->suites.items[j], suite_ending))
				return source;
	}
	return NULL;
}

static const struct distribution *find_distribution(const struct image_apt_wish *wish)
{
	bool ports =
		!str_equal(wish->architecture, "amd64") && !str_equal(wish->architecture, "i386");
	const struct distribution *found = NULL;

	for (size_t i = 0; i < COUNT_OF(distributions); i++)
		if (str_equal(distributions[i].name, wish->distribution) && (!found || ports))
			found = &distributions[i];
	return found ? found : &distributions[0]; /* its name has been checked */
}

static void add_deb(struct str *to, const struct distribution *d, const struct image_apt_wish *wish,
		    const struct image_apt_source *source, const char *uri, const char *ending)
{
	const char *keyring = source && source->signed_by ? source->signed_by : d->keyring;

	str_addf(to, "deb [signed-by=%s] %s %s%s %s\n", wish->keyring ? wish->keyring : keyring,
		 source ? source->uri : uri, wish->suite, ending, d->components);
}

/* Debian's unstable has neither. */
static bool is_moving(const char *suite)
{
	return str_equal(suite, "sid") || str_equal(suite, "unstable") ||
	       str_equal(suite, "experimental");
}

static char *lines_for(const struct distribution *d, const struct image_apt_sources *sources,
		       const struct image_apt_wish *wish, const struct image_apt_source *main)
{
	struct str lines = { 0 };

	add_deb(&lines, d, wish, main, wish->mirror ? wish->mirror : d->uri, "");
	if (wish->mirror || is_moving(wish->suite))
		return str_take(&lines);
	const struct image_apt_source *updates = find(sources, d->path, "-updates");
	if (updates)
		add_deb(&lines, d, wish, updates, d->uri, "-updates");
	add_deb(&lines, d, wish, find(sources, d->security_path, "-security"), d->security_uri,
		"-security");
	return str_take(&lines);
}

void image_apt_choice_clear(struct image_apt_choice *choice)
{
	free(choice->lines);
	free(choice->uri);
	free(choice->keyring);
}

void image_apt_sources_choose(struct image_apt_choice *choice,
			      const struct image_apt_sources *sources,
			      const struct image_apt_wish *wish)
{
	const struct distribution *d = find_distribution(wish);
	const struct image_apt_source *main = wish->mirror ? NULL : find(sources, d->path, "");
	const char *uri = wish->mirror ? wish->mirror : d->uri;
	const char *keyring = main && main->signed_by ? main->signed_by : d->keyring;

	choice->lines = lines_for(d, sources, wish, main);
	choice->uri = mem_text(main ? main->uri : uri);
	choice->keyring = mem_text(wish->keyring ? wish->keyring : keyring);
	choice->keyring_package = d->keyring_package;
	choice->components = d->components;
}
