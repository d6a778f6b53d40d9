#include "build/heredoc.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "build/file.h"

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
		if (word[i] == escape && i + 1 < length) {
			*quoted = true;
			i++;
		}
		str_add_char(&name, word[i]);
	}
	return str_take(&name);
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
	if (at == length || memchr(word + at, '<', length - at))
		return false;
	char *name = unquote(word + at, length - at, escape, &quoted);
	*ret = (struct build_heredoc){ .name = name, .quoted = quoted, .unindent = unindent };
	return true;
}
