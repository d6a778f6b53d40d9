/* fetch_url.h - the verb "fetch": the file at an address. */
#pragma once

struct err;
struct image_invocation;

/* ADDRESS NAME: into a new file NAME (0600) of --folder-fd. */
int image_fetch_url_verb(const struct image_invocation *invocation, struct err *e);
