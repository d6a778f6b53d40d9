#include "base/words.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

static const char blanks[] = " \t\r\n";

/* One character of a word, or a quote around several; *at is then behind it. */
static int read_part(struct str *word, const char **at, char *quote, struct err *e)
{
	char c = *(*at)++;

	if (*quote && c == *quote) {
		*quote = '\0';
	} else if (!*quote && (c == '\'' || c == '"')) {
		*quote = c;
	} else if (c == '\\' && *quote != '\'') {
		if (!**at)
			return err_set(e, ERR_INVALID, "a backslash at the end");
		str_add_char(word, *(*at)++);
	} else {
		str_add_char(word, c);
	}
	return 0;
}

static bool is_word_of(const char *at, char divider)
{
	return *at == divider && (!at[1] || strchr(blanks, at[1]));
}

int words_split(struct strv *to, const char *text, struct err *e)
{
	return words_split_until(to, &text, '\0', e);
}

int words_split_until(struct strv *to, const char **text, char divider, struct err *e)
{
	const char *at = *text;

	for (at += strspn(at, blanks); *at; at += strspn(at, blanks)) {
		if (is_word_of(at, divider)) {
			*text = at + 1;
			return 0;
		}
		own_clear(str_clear) struct str word = { 0 };
		char quote = '\0';
		while (*at && (quote || !strchr(blanks, *at))) {
			int r = read_part(&word, &at, &quote, e);
			if (r < 0)
				return r;
		}
		if (quote)
			return err_set(e, ERR_INVALID, "a %c that is not closed", quote);
		strv_add_take(to, str_take(&word));
	}
	*text = at;
	return 0;
}

static bool is_plain(const char *word)
{
	return *word && !str_equal(word, ";") && !word[strcspn(word, " \t\r\n'\"\\")];
}

char *words_join(const struct strv *words)
{
	struct str line = { 0 };

	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		str_add(&line, i ? " " : "");
		if (is_plain(word)) {
			str_add(&line, word);
			continue;
		}
		str_add_char(&line, '"');
		for (; *word; word++) {
			if (*word == '"' || *word == '\\')
				str_add_char(&line, '\\');
			str_add_char(&line, *word);
		}
		str_add_char(&line, '"');
	}
	return str_take(&line);
}
