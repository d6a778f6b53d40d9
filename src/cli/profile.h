/* profile.h - profiles: files of options for `run`, `create` and `launch`, by name. A line is an
 * option without its dashes: "memory = 512m". They stack: what a later one says counts more than
 * what an earlier one did, and what the command line says most; lists add up in that order.
 *
 * NAME is looked for as NAME.conf in $XDG_CONFIG_HOME/holm/profiles (~/.config), then in
 * /etc/holm/profiles. Other folders instead: $HOLM_PROFILES, separated by colons. */
#pragma once

struct create_options;
struct err;

/* What --profile and --posture of o stand for becomes options of o. ERR_INVALID with file and
 * line. */
int cli_profile_apply(struct create_options *o, struct err *e);
