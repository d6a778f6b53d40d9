/* Any text: refused, or a spec whose ranges make sense; and any list of elements: refused, or one
 * that is written, and read again to the same text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "network/port.h"
#include "wire/nftables.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_elements(const char *text)
{
	own_free struct wire_nftables_element *elements = NULL, *again = NULL;
	struct err e;

	int count = wire_nftables_parse(&elements, text, &e);
	if (count < 0)
		return;
	own_free char *first = wire_nftables_format(elements, (size_t)count);
	assert(wire_nftables_parse(&again, first, &e) == count);
	own_free char *second = wire_nftables_format(again, (size_t)count);
	assert(strcmp(first, second) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, length);
	struct network_port_spec spec;
	struct err e = { 0 };

	int r = network_port_parse(&spec, text, &e);
	assert(r == 0 || (e.kind == ERR_INVALID && e.text[0]));
	assert(r < 0 ||
	       (spec.container.low > 0 && spec.container.low <= spec.container.high &&
		spec.host.low <= spec.host.high && *network_port_protocol_name(spec.protocol)));
	check_elements(text);
	return 0;
}
