#include "build/heredoc.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "build/file.h"
#include "build/word.h"

/* The name without its quotes; *quoted: it had some. */
static char *unquote(const char *word, size_t length, char escape, bool *quoted)
{
	struct str name = { 0 };

	*quoted = false;
	for (size_t i = 0; i < length; i++) {
		if (word[i] == '"' || word[i] == '\'') {
			*quoted = true;
			continue;
		}
		i += word[i] == escape && i + 1 < length;
		str_add_char(&name, word[i]);
	}
	return str_take(&name);
}

size_t build_heredoc_length(const char *text, char escape)
{
	size_t length = build_word_length(text, escape), at = strspn(text, "0123456789");

	if (!str_starts(text + at, "<<"))
		return length;
	at += 2;
	at += text[at] == '-';
	if (at != length)
		return length;
	while (build_word_is_blank(text[at]))
		at++;
	size_t name = build_word_length(text + at, escape);
	return name ? at + name : length;
}

bool build_heredoc_begins(struct build_heredoc *ret, const char *word, size_t length, char escape)
{
	size_t at = 0;
	bool quoted;

	while (at < length && word[at] >= '0' && word[at] <= '9')
		at++;
	if (length - at < 3 || word[at] != '<' || word[at + 1] != '<')
		return false;
	at += 2;
	bool unindent = word[at] == '-';
	at += unindent;
	while (at < length && build_word_is_blank(word[at]))
		at++;
	if (at == length || memchr(word + at, '<', length - at))
		return false;
	char *name = unquote(word + at, length - at, escape, &quoted);
	*ret = (struct build_heredoc){ .name = name, .quoted = quoted, .unindent = unindent };
	return true;
}
