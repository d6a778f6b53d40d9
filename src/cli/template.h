/* template.h - the part of Go's text/template that people use in --format, over JSON:
 *	{{.Name}}  {{.State.Status}}  {{json .Mounts}}  {{index .Config.Labels "a.b"}}
 *	{{range $i, $m := .Mounts}}...{{else}}...{{end}}  {{if}} {{with}} {{break}} {{continue}}
 *	{{$x := .A}}  {{.A | upper | printf "%-10s"}}  {{- trimming -}}  comments
 *	{{define "t"}}...{{end}}  {{template "t" .A}}  {{block "t" .A}}...{{end}}
 * Functions: and or not len index slice print printf println eq ne lt le gt ge html js urlquery,
 * and Docker's json join split title lower upper truncate pad.
 *
 * A member that an object does not have: an error that names the nearest one if the object looks
 * like one of Docker's (all names begin with a capital), else "<no value>", as for labels; in the
 * condition of if and with, and below and, or, not, it counts as false. One that is null prints as
 * Go prints what docker has there: an empty list, or for some names an empty map or no pointer. */
#pragma once
#include <stddef.h>

#include "base/own.h"

struct err;
struct json_object;
struct str;
struct cli_template;

enum {
	TEMPLATE_BYTES_MAX = 64 << 10, /* of the text */
	TEMPLATE_DEPTH_MAX = 50,       /* of blocks and parentheses in each other */
	TEMPLATE_CALLS_MAX = 1000,     /* of {{template}} in each other */
	TEMPLATE_STEPS_MAX = 10000000, /* of one run: ranges in ranges end */
	TEMPLATE_OUTPUT_MAX = 64 << 20,
};

/* ERR_INVALID, with the column. The caller ends *ret with cli_template_free(). */
int cli_template_parse(struct cli_template **ret, const char *text, struct err *e);
void cli_template_free(struct cli_template *t);
OWN_DEFINE(cli_template_free, struct cli_template *)

/* Appends to *to; on failure what was printed so far stays there. Can be repeated. */
int cli_template_run(const struct cli_template *t, struct json_object *value, struct str *to,
		     struct err *e);
