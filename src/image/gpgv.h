/* gpgv.h - OpenPGP signatures, by gpgv: a process of its own, forked before the jail closes,
 * runs it as nobody, without rights, over files in memory. */
#pragma once
#include <stddef.h>

#include "base/own.h"
#include "base/str.h"

struct err;
struct image_gpgv;

enum { IMAGE_GPGV_TEXT_MAX = 64 << 10 }; /* what was signed */

/* keyrings: count buffers, each of binary OpenPGP keys; copied. The caller frees *ret. */
int image_gpgv_start(struct image_gpgv **ret, const struct str *keyrings, size_t count,
		     struct err *e);
void image_gpgv_free(struct image_gpgv *verifier);
OWN_DEFINE(image_gpgv_free, struct image_gpgv *)

/* Is signature one whole signed message, by a key of this keyring that is valid today? Then *text
 * is what was signed. ERR_PERMISSION if not; ERR_UNSUPPORTED without gpgv. */
int image_gpgv_verify(struct image_gpgv *verifier, size_t keyring, const struct str *signature,
		      struct str *text, struct err *e);

/* The bytes of a file of keys, which may be armored (RFC 9580 §6), once or several times. Appends.
 * ERR_INVALID for a block that does not end or is no base64. */
int image_gpgv_dearmor(struct str *to, const char *bytes, size_t length, struct err *e);

/* Do gpgv's words (--status-fd) say that there was one good signature and nothing else? */
int image_gpgv_judge(const char *status, struct err *e);
