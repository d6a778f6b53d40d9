#include "storage/hash.h"

#include <string.h>

/* Of libcrypto the plain functions, of which a static program has nothing but SHA-256 itself; what
 * OpenSSL 3 wants in their place brings some megabytes along. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "base/mem.h"

struct storage_hash {
	SHA256_CTX context;
};

struct storage_hash *storage_hash_new(void)
{
	struct storage_hash *hash = mem_new_struct(struct storage_hash);

	SHA256_Init(&hash->context);
	return hash;
}

void storage_hash_add(struct storage_hash *hash, const void *bytes, size_t length)
{
	SHA256_Update(&hash->context, bytes, length);
}

void storage_hash_restart(struct storage_hash *hash)
{
	SHA256_Init(&hash->context);
}

void storage_hash_end_bytes(struct storage_hash *hash, unsigned char to[STORAGE_HASH_SIZE])
{
	SHA256_Final(to, &hash->context);
}

void storage_hash_end(struct storage_hash *hash, char to[DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[STORAGE_HASH_SIZE];
	char *at = to + strlen("sha256:");

	storage_hash_end_bytes(hash, sum);
	memcpy(to, "sha256:", strlen("sha256:"));
	for (unsigned i = 0; i < sizeof(sum); i++) {
		*at++ = digits[sum[i] >> 4];
		*at++ = digits[sum[i] & 15];
	}
	*at = '\0';
}

void storage_hash_free(struct storage_hash *hash)
{
	free(hash);
}

void storage_hash_bytes(const void *bytes, size_t length, char to[DIGEST_TEXT_SIZE])
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();

	storage_hash_add(hash, bytes, length);
	storage_hash_end(hash, to);
}
