#include "storage/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct storage_hash {
	EVP_MD_CTX *context;
};

/* libcrypto fails here only for want of memory, which ends the program as in mem.h. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

struct storage_hash *storage_hash_new(void)
{
	struct storage_hash *hash = calloc(1, sizeof(*hash));

	must(hash != NULL);
	hash->context = EVP_MD_CTX_new();
	must(hash->context != NULL);
	must(EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL));
	return hash;
}

void storage_hash_add(struct storage_hash *hash, const void *bytes, size_t length)
{
	must(EVP_DigestUpdate(hash->context, bytes, length));
}

void storage_hash_restart(struct storage_hash *hash)
{
	must(EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL));
}

void storage_hash_end(struct storage_hash *hash, char to[DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	char *at = to + strlen("sha256:");

	must(EVP_DigestFinal_ex(hash->context, sum, &length));
	memcpy(to, "sha256:", strlen("sha256:"));
	for (unsigned i = 0; i < length && i < DIGEST_HEX_LENGTH / 2; i++) {
		*at++ = digits[sum[i] >> 4];
		*at++ = digits[sum[i] & 15];
	}
	*at = '\0';
}

void storage_hash_free(struct storage_hash *hash)
{
	EVP_MD_CTX_free(hash->context);
	free(hash);
}

void storage_hash_bytes(const void *bytes, size_t length, char to[DIGEST_TEXT_SIZE])
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();

	storage_hash_add(hash, bytes, length);
	storage_hash_end(hash, to);
}
