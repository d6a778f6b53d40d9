/* json_scan.h - JSON read in one pass where it lies. json-c makes some fifty objects of a document
 * of 900 bytes; who lists hundreds of documents and wants five members of each (base/shape.h)
 * scans them. RFC 8259 to the letter, UTF-8 checked, depth bounded: what a scan accepts,
 * json_parse() accepts, too (json_fuzz.c holds one against the other). All fail with ERR_CORRUPT,
 * and the message gives the byte. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct strv;

struct json_scan {
	const char *start, *at, *end;
	unsigned depth;
	bool separate; /* a value was before: a comma or the end comes now */
};

/* A value as it stands in the text; its first byte tells its type. Borrowed. */
struct json_span {
	const char *text;
	size_t length;
};

/* The text is the caller's and must outlive the scan. */
struct json_scan json_scan_begin(const char *text, size_t length);

/* What the next value begins with: one of { [ " t f n, - for every number; 0: at the end. */
char json_scan_peek(struct json_scan *scan);

/* Steps over the next value, all of which is checked. ret may be NULL. */
int json_scan_value(struct json_scan *scan, struct json_span *ret, struct err *e);

/* Steps into the next value, which begins with bracket: '{' or '['. */
int json_scan_open(struct json_scan *scan, char bracket, struct err *e);

/* In there: 1 before each member or element, 0 once past closing. */
int json_scan_next(struct json_scan *scan, char closing, struct err *e);

/* The name of the member that comes, a string; its value is next. */
int json_scan_key(struct json_scan *scan, struct json_span *ret, struct err *e);

/* Nothing but blanks may be left. */
int json_scan_end(struct json_scan *scan, struct err *e);

/* The text of a string that was scanned, without its quotes and escapes; the caller's. A NUL in
 * it is refused. */
int json_scan_text(char **ret, struct json_span string, struct err *e);

/* Is all of the text an array of strings? Then they are added; else nothing is. */
bool json_scan_strings(struct strv *to, const char *text);

/* Is it this string, which has no escapes? */
bool json_scan_is(struct json_span string, const char *text);
