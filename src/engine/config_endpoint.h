/* config_endpoint.h - one --network NAME and what is asked for the place there. Pure. */
#pragma once
struct container_endpoint;
struct err;

/* Podman's "NAME:ip=ADDRESS,mac=MAC,limits.ingress=10mbit", or Docker's
 * "name=NAME,ip=ADDRESS,driver-opt=KEY=VALUE". The caller clears *to, after a failure, too.
 * ERR_INVALID. */
int config_endpoint_parse(struct container_endpoint *to, const char *text, struct err *e);

/* key: "ip" (of either family), "ip4", "ip6", "mac-address"...; option goes in front of the
 * error. ERR_INVALID. */
int config_endpoint_set(struct container_endpoint *to, const char *option, const char *key,
			const char *value, struct err *e);
