/* detach.h - the keys that leave a container running and give the terminal back: "ctrl-p,ctrl-q".
 * Docker's spelling: single characters, and ctrl- with a letter or one of @ [ \ ] ^ _, between
 * commas. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;

#define CLI_DETACH_DEFAULT "ctrl-p,ctrl-q"

enum { CLI_DETACH_KEYS_MAX = 16 };

struct cli_detach {
	unsigned char keys[CLI_DETACH_KEYS_MAX];
	size_t count; /* 0: nothing detaches */
	size_t held;  /* how many of the keys have been typed and are kept back */
};

/* "" means no keys at all. ERR_INVALID. */
int cli_detach_parse(struct cli_detach *ret, const char *text, struct err *e);

/* Takes what was typed. What is to be sent on goes to out, which has room for length +
 * CLI_DETACH_KEYS_MAX bytes. True when the keys are complete; what follows them is dropped. */
bool cli_detach_filter(struct cli_detach *detach, const unsigned char *typed, size_t length,
		       unsigned char *out, size_t *ret_length);
