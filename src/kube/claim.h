/* claim.h - a volume as a PersistentVolumeClaim, with podman's annotations. */
#pragma once
struct engine;
struct err;
struct str;

/* podman's annotations of a claim, and options of `volume create`. */
struct kube_claim_option {
	const char *annotation, *option;
	const char *part; /* of the option o, "" where it is all of it; NULL: the option itself */
};
#define KUBE_CLAIM_OPTIONS 5
extern const struct kube_claim_option kube_claim_options[KUBE_CLAIM_OPTIONS];

/* ERR_NOT_FOUND. */
int kube_claim_write(struct str *to, struct engine *engine, const char *name, struct err *e);
