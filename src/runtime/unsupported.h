/* unsupported.h - what a spec may ask for and holm cannot do yet. Refused by name: a setting that
 * is silently left out is worse than none. */
#pragma once

struct err;
struct oci_spec;

int runtime_unsupported_check(const struct oci_spec *spec, struct err *e);
