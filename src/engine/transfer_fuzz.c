/* What a stranger may send to `receive`: the sections, and the records in the first of them. What
 * runs holm-image is not called: archives have targets of their own. */
#include "engine/transfer.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/snapshot_file.h"

enum { TEXT_MAX = 1 << 20, PAST_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What was taken can be written, and is the same again. */
static void check_again(const struct str *text)
{
	own_clear(str_clear) struct str again = { 0 };
	char name[TRANSFER_NAME_MAX + 1];
	struct err e;

	own_fd int fd = memfd_create("again", MFD_CLOEXEC);
	assert(fd >= 0);
	assert(transfer_write_begin(fd, &e) == 0);
	assert(transfer_write_text(fd, TRANSFER_HEADER, text->length ? text->text : "",
				   text->length, &e) == 0);
	assert(lseek(fd, 0, SEEK_SET) == 0);
	assert(transfer_read_begin(fd, &e) == 0);
	assert(transfer_read_kind(fd, name, &e) == TRANSFER_HEADER && !*name);
	assert(transfer_read_text(fd, TEXT_MAX, &again, &e) == 0);
	assert(again.length == text->length);
	assert(again.length == 0 || memcmp(again.text, text->text, again.length) == 0);
}

static void read_records(const struct str *text)
{
	own_clear(snapshot_clear) struct snapshot snapshot = { 0 };
	own_clear(container_clear) struct container container = { 0 };
	own_json struct json_object *header = NULL;
	struct err e;

	if (json_parse(&header, text->length ? text->text : "", text->length, "records", &e) < 0)
		return;
	if (shape_read(&container_shape, json_object_object_get(header, "container"), &container,
		       &e) == 0) {
		own_json struct json_object *written = shape_write(&container_shape, &container);
		assert(written);
	}
	struct json_object *list = json_object_object_get(header, "snapshots");
	if (json_object_is_type(list, json_type_array) && json_object_array_length(list) > 0)
		shape_read(&snapshot_shape, json_object_array_get_idx(list, 0), &snapshot, &e);
}

static int read_section(int fd, int kind, int *past, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	if (kind != TRANSFER_HEADER)
		return (*past)++ < PAST_MAX ? transfer_read_past(fd, e) : -1;
	int r = transfer_read_text(fd, TEXT_MAX, &text, e);
	assert(text.length <= TEXT_MAX);
	if (r < 0)
		return r;
	check_again(&text);
	read_records(&text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char name[TRANSFER_NAME_MAX + 1];
	struct err e;
	int past = 0;

	own_fd int fd = memfd_create("stream", MFD_CLOEXEC);
	assert(fd >= 0 && fd_write_all(fd, bytes, length) == 0);
	assert(lseek(fd, 0, SEEK_SET) == 0);
	if (transfer_read_begin(fd, &e) < 0)
		return 0;
	for (;;) {
		int kind = transfer_read_kind(fd, name, &e);
		assert(kind < 0 || strlen(name) <= TRANSFER_NAME_MAX);
		if (kind < 0 || kind == TRANSFER_END || read_section(fd, kind, &past, &e) < 0)
			return 0;
	}
}
