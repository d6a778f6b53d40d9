#include "runtime_cli/row.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/state.h"

/* From /etc/passwd alone: nothing is loaded (getpwuid(3) loads modules). */
char *runtime_cli_row_owner(const struct runtime_cli_record *record)
{
	own_free char *number = mem_format("%llu", (unsigned long long)record->owner);
	own_file FILE *passwd = fopen("/etc/passwd", "re");
	own_free char *line = NULL;
	size_t size = 0;

	while (passwd && getline(&line, &size, passwd) > 0) {
		own_clear(strv_clear) struct strv fields = { 0 };
		strv_split(&fields, line, ':');
		if (fields.count > 3 && str_equal(fields.items[2], number))
			return mem_text(fields.items[0]);
	}
	return take_ptr(&number);
}

static void add(struct json_object *row, const char *name, const char *text)
{
	json_object_object_add(row, name, json_object_new_string(text ? text : ""));
}

struct json_object *runtime_cli_row(const struct runtime_cli_record *record)
{
	own_clear(oci_state_clear) struct oci_state state = { 0 };
	own_free char *owner = runtime_cli_row_owner(record);

	runtime_cli_record_state(&state, record, runtime_cli_record_status(record));
	struct json_object *row = shape_write(&oci_state_shape, &state);
	add(row, "rootfs", record->rootfs);
	add(row, "created", record->created);
	add(row, "owner", owner);
	return row;
}
