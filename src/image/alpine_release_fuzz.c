/* Any bytes as latest-releases.yaml: refused with a sentence, or a plain name and a digest. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "image/alpine_release.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct alpine_release release;
	struct err e = { 0 };

	if (image_alpine_release_find(&release, (const char *)bytes, length, &e) < 0)
		assert(*e.text);
	else
		assert(path_is_name(release.file) && strlen(release.digest) == 71);
	return 0;
}
