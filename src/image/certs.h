/* certs.h - certificates of one registry, as containers-certs.d(5) and Docker place them:
 * certs.d/HOST/ with *.crt (whom to trust beside the system's), and one pair NAME.cert and
 * NAME.key (who we are). */
#pragma once

struct err;

struct image_certs {
	char *ca;   /* the text of all *.crt, or NULL */
	char *cert; /* path, or NULL; then key is one, too */
	char *key;
};

/* Looks for the folder of host ("localhost:5000") in the user's certs.d, /etc/containers/certs.d
 * and /etc/docker/certs.d; the first that is there counts. None is no error. The caller clears. */
int image_certs_find(struct image_certs *certs, const char *host, struct err *e);
void image_certs_clear(struct image_certs *certs);
