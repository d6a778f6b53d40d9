/* /etc/subuid and the option idmap of a mount: whatever they are, the ids that come out are ids,
 * and a map that passes is one that the kernel takes. */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "runtime/idmap.h"
#include "runtime/subid.h"
#include "runtime/subid_service.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static void check_ranges(const char *text, bool others)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	const struct runtime_subid_owner owner = { "me", "1000" };

	own_free char *service = runtime_subid_service_parse(text);

	runtime_subid_parse(&ranges, text, &owner, others);
	runtime_subid_service_parse_answer(&ranges, text);
	for (size_t i = 0; i < ranges.count; i++)
		if (ranges.items[i].count == 0 ||
		    (uint64_t)ranges.items[i].first + ranges.items[i].count > UINT32_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 }, container = { 0 };
	own_free char *text = mem_text_n((const char *)bytes, length);
	uint32_t host;
	struct err e;

	check_ranges(text, false);
	check_ranges(text, true);
	runtime_idmap_add(&container.uids, 0, 100000, 65536);
	runtime_idmap_add(&container.gids, 0, 1000, 1);
	if (runtime_idmap_parse(&ids, text, &container, &e) == 0 &&
	    !runtime_idmap_to_host(&host, &ids.uids, ids.uids.items[0].container_id))
		abort();
	return 0;
}
