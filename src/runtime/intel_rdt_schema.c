#include "runtime/intel_rdt_schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"

static void add_line(struct str *to, const char *line)
{
	if (to->length)
		str_add_char(to, '\n');
	str_add(to, line);
}

char *runtime_intel_rdt_schema_combine(const struct oci_intel_rdt *spec)
{
	own_clear(strv_clear) struct strv lines = { 0 };
	struct str text = { 0 };

	if (spec->l3_cache_schema)
		strv_split(&lines, spec->l3_cache_schema, '\n');
	for (size_t i = 0; i < lines.count; i++)
		if (*lines.items[i] &&
		    (str_empty(spec->mem_bw_schema) || !str_starts(lines.items[i], "MB:")))
			add_line(&text, lines.items[i]);
	if (!str_empty(spec->mem_bw_schema))
		add_line(&text, spec->mem_bw_schema);
	return str_take(&text);
}

void runtime_intel_rdt_schema_lines(struct strv *to, const struct oci_intel_rdt *spec)
{
	own_free char *combined = runtime_intel_rdt_schema_combine(spec);

	strv_split(to, combined, '\n');
	for (size_t i = 0; i < spec->schemata.count; i++)
		strv_split(to, spec->schemata.items[i], '\n');
	for (size_t i = to->count; i > 0; i--)
		if (!*to->items[i - 1])
			strv_remove(to, i - 1);
}

/* "0" and "7f0" of "0=7f0". Caches are decimal, what they have is hexadecimal but for bandwidths;
 * in any case equal texts but for leading zeros are equal numbers. */
static const char *skip_padding(const char *number)
{
	while ((*number == ' ' || *number == '0') && number[1])
		number++;
	return number;
}

static bool same_number(const char *a, const char *b)
{
	return strcasecmp(skip_padding(a), skip_padding(b)) == 0;
}

static bool has_share(const struct strv *shares, const char *share)
{
	const char *value = strchr(share, '=');

	for (size_t i = 0; value && i < shares->count; i++) {
		char *other = strchr(shares->items[i], '=');
		if (!other)
			continue;
		*other = '\0';
		own_free char *name = strndup(share, (size_t)(value - share));
		bool same = name && same_number(shares->items[i], name) &&
			    same_number(other + 1, value + 1);
		*other = '=';
		if (same)
			return true;
	}
	return false;
}

/* "L3:0=7f0;1=1f" into "L3" and the shares; spaces in front are the kernel's alignment. */
static char *split_line(struct strv *shares, const char *line)
{
	line += strspn(line, " ");
	const char *colon = strchr(line, ':');
	if (!colon)
		return NULL;
	strv_split(shares, colon + 1, ';');
	return strndup(line, (size_t)(colon - line));
}

static bool line_has(const char *line, const char *name, const struct strv *wanted)
{
	own_clear(strv_clear) struct strv shares = { 0 };
	own_free char *resource = split_line(&shares, line);

	if (!resource || !str_equal(resource, name))
		return false;
	for (size_t i = 0; i < wanted->count; i++)
		if (!has_share(&shares, wanted->items[i]))
			return false;
	return true;
}

bool runtime_intel_rdt_schema_has(const char *schemata, const char *line)
{
	own_clear(strv_clear) struct strv lines = { 0 }, wanted = { 0 };
	own_free char *name = split_line(&wanted, line);

	strv_split(&lines, schemata, '\n');
	for (size_t i = 0; name && i < lines.count; i++)
		if (line_has(lines.items[i], name, &wanted))
			return true;
	return false;
}
