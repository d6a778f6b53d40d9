#include "oci/digest.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

static const char prefix[] = "sha256:";

bool oci_digest_is_hex(const char *text)
{
	return text && strspn(text, "0123456789abcdef") == DIGEST_HEX_LENGTH &&
	       !text[DIGEST_HEX_LENGTH];
}

bool oci_digest_is_valid(const char *text)
{
	return text && str_starts(text, prefix) && oci_digest_is_hex(text + strlen(prefix));
}

int oci_digest_check(const char *text, const char *what, struct err *e)
{
	if (oci_digest_is_valid(text))
		return 0;
	if (!text)
		return err_set(e, ERR_CORRUPT, "%s: no digest", what);
	if (str_starts(text, "sha512:") || str_starts(text, "blake3:"))
		return err_set(e, ERR_UNSUPPORTED, "%s: %.100s: only sha256 digests are supported",
			       what, text);
	return err_set(e, ERR_CORRUPT, "%s: '%.100s' is not a digest", what, text);
}

const char *oci_digest_hex(const char *text)
{
	if (oci_digest_is_valid(text))
		return text + strlen(prefix);
	return oci_digest_is_hex(text) ? text : NULL;
}
