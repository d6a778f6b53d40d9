/* Templates of --format: the text up to the first NUL is one; it is run over a value with a member
 * of each kind. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char value[] = "{\"ID\":\"abc\",\"Yes\":true,\"N\":-7,\"F\":1.5,\"Nil\":null,"
				    "\"Args\":[\"a\",\"b\",1],"
				    "\"Map\":{\"k\":{\"Deep\":[]},\"l\":2},\"Labels\":\"a=b,c=d\"}";
	own_free char *text = mem_text_n((const char *)bytes, strnlen((const char *)bytes, length));
	own_json struct json_object *object = NULL;
	own(cli_template_free) struct cli_template *t = NULL;
	own_clear(str_clear) struct str to = { 0 };
	struct err e;

	json_parse(&object, value, strlen(value), "value", &e);
	if (cli_template_parse(&t, text, &e) == 0)
		cli_template_run(t, object, &to, &e);
	return 0;
}
