/* explain.h - `inspect --explain`: a table for people. */
#pragma once

struct json_object;

/* An array of what engine_explain() makes. */
void cli_explain_print(struct json_object *all);
