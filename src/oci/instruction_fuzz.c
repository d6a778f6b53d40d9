/* Any text: refused, or a config that is written, and read again to the same text. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/utf8.h"
#include "oci/image.h"
#include "oci/instruction.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(const struct oci_image_process *process)
{
	own_json struct json_object *first = shape_write(&oci_image_process_shape, process);
	struct oci_image_process again = { 0 };
	struct err e;

	assert(shape_read(&oci_image_process_shape, first, &again, &e) == 0);
	own_json struct json_object *second = shape_write(&oci_image_process_shape, &again);
	assert(strcmp(json_text(first), json_text(second)) == 0);
	shape_clear(&oci_image_process_shape, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, length);
	struct oci_image_process process = { 0 };
	struct err e = { 0 };

	int r = oci_instruction_apply(&process, text, &e);
	assert(r == 0 || (e.kind == ERR_INVALID && e.text[0]));
	if (r == 0 && utf8_valid(text, strlen(text)))
		check(&process);
	shape_clear(&oci_image_process_shape, &process);
	return 0;
}
