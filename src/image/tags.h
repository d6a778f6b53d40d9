/* tags.h - which tags a repository has (distribution-spec v1.1, "Listing tags"). */
#pragma once

struct err;
struct image_http;
struct image_registry;
struct strv;

/* All of them, page by page. ERR_NOT_FOUND: there is no such repository. */
int image_tags_list(struct strv *to, struct image_registry *registry, struct image_http *http,
		    struct err *e);
