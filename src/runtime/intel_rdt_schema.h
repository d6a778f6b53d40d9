/* intel_rdt_schema.h - the lines of resctrl's schemata: "L3:0=7f0;1=1f", "MB:0=20". Pure text. */
#pragma once
#include <stdbool.h>

struct oci_intel_rdt;
struct strv;

/* l3CacheSchema and memBwSchema in one text, the caller's ("" for none): where both are given the
 * first one's MB: lines do not count. */
char *runtime_intel_rdt_schema_combine(const struct oci_intel_rdt *spec);

/* All lines that are asked for, schemata included. */
void runtime_intel_rdt_schema_lines(struct strv *to, const struct oci_intel_rdt *spec);

/* Does the content of a schemata file say what line asks for, spelled in any way? */
bool runtime_intel_rdt_schema_has(const char *schemata, const char *line);
