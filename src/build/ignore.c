#include "build/ignore.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "build/word.h"

void build_ignore_clear(struct build_ignore *ignore)
{
	for (size_t i = 0; i < ignore->patterns.count; i++)
		build_glob_clear(&ignore->patterns.items[i].glob);
	free(ignore->patterns.items);
	str_clear(&ignore->text);
	*ignore = (struct build_ignore){ 0 };
}

int build_ignore_add(struct build_ignore *to, const char *pattern, struct err *e)
{
	bool negated = *pattern == '!';
	own_free char *clean = NULL;

	pattern += negated;
	while (build_word_is_blank(*pattern))
		pattern++;
	if (negated && !*pattern)
		return err_set(e, ERR_INVALID, "'!' and no pattern");
	if (to->patterns.count == BUILD_IGNORE_PATTERNS_MAX)
		return err_set(e, ERR_INVALID, "more than %d patterns", BUILD_IGNORE_PATTERNS_MAX);
	own_free char *absolute = path_join("/", pattern);
	clean = path_clean(absolute);
	if (!clean[1])
		return 0; /* "." and "/" name nothing that could be left out */
	struct build_ignore_pattern *added = shape_list_add(&to->patterns);
	added->negated = negated;
	str_addf(&to->text, "%s%s\n", negated ? "!" : "", clean + 1);
	to->negations |= negated;
	return build_glob_compile(&added->glob, clean + 1, true, e);
}

int build_ignore_parse(struct build_ignore *ret, const char *name, const char *text, size_t length,
		       struct err *e)
{
	static const char mark[] = "\xef\xbb\xbf";
	int line = 0;

	if (memchr(text, '\0', length))
		return err_set(e, ERR_INVALID, "%s: there is a NUL byte in it", name);
	own_free char *copy = mem_text_n(text, length);
	char *rest = str_starts(copy, mark) ? copy + 3 : copy, *at;
	while ((at = strsep(&rest, "\n"))) {
		line++;
		if (*at == '#')
			continue;
		while (build_word_is_blank(*at))
			at++;
		for (size_t end = strlen(at); end && build_word_is_blank(at[end - 1]); end--)
			at[end - 1] = '\0';
		if (!*at)
			continue;
		int r = build_ignore_add(ret, at, e);
		if (r < 0)
			return err_add(e, "%s: line %d", name, line);
	}
	return 0;
}

bool build_ignore_match(const struct build_ignore *ignore, const char *path, bool *matched)
{
	bool ignored = false;

	for (size_t i = 0; i < ignore->patterns.count; i++) {
		const struct build_ignore_pattern *pattern = &ignore->patterns.items[i];
		matched[i] = matched[i] || build_glob_match(&pattern->glob, path);
		if (matched[i])
			ignored = !pattern->negated;
	}
	return ignored;
}

bool build_ignore_match_below(const struct build_ignore *ignore, const char *path, bool *matched)
{
	bool ignored = false;

	for (const char *end = path; *end; end += *end == '/') {
		end += strcspn(end, "/");
		own_free char *part = mem_text_n(path, (size_t)(end - path));
		ignored = build_ignore_match(ignore, part, matched);
	}
	return ignored;
}
