/* template_printf.h - Go's printf over JSON values: %s %v %q %d %x %X %o %b %c %t %f %e %g %%, with
 * flags, width and precision. What does not fit is printed as Go does: "%!d(string=x)". */
#pragma once
#include <stddef.h>

struct json_object;
struct str;

enum { TEMPLATE_PAD_MAX = 1000 }; /* the largest width and precision; larger ones count as this */

void cli_template_printf(struct str *to, const char *format, struct json_object **args,
			 size_t count);
