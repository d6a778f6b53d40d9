/* record.h - networks as holm remembers them: networks/NAME.json in the root folder. A network
 * exists once its file is there. Which devices and rules make it up is found out, and mended, by
 * bridge.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"
#include "network/address.h"

struct err;
struct store;

/* The one that containers have who name none; made when it is first wanted. Docker's name. */
#define NETWORK_DEFAULT "bridge"

enum { NETWORK_ID_LENGTH = 64, NETWORK_SUBNETS_MAX = 8 };

struct network_subnet {
	char *subnet;  /* "10.99.0.0/24" */
	char *gateway; /* "10.99.0.1": the bridge's own; NULL: none (--internal has one, too) */
	char *range;   /* of it addresses are given out: "10.99.0.128/25"; NULL: of all */
};

struct network {
	char *name;    /* [a-zA-Z0-9][a-zA-Z0-9_.-]{0,127} */
	char *id;      /* 64 hex digits */
	char *driver;  /* "bridge", "macvlan"... (driver.h) */
	char *created; /* RFC 3339 */
	char *bridge;  /* name of its own device; NULL: it has none */
	bool internal; /* nothing but its own containers and the host */
	uint32_t mtu;  /* 0: the kernel's */
	SHAPE_LIST_OF(struct network_subnet) subnets;
	struct strv dns; /* name servers that are asked instead of the host's */
	struct shape_map labels;
	struct shape_map options; /* as given */
};

struct networks {
	SHAPE_LIST_OF(struct network) items; /* by name */
};

extern const struct shape network_record_shape;

/* Of the options: who may come to its containers' published ports, "firewall" (the host's input
 * rules say) or "open". Without it: firewall. */
#define NETWORK_PUBLISH_MODE "publish-mode"
int network_record_check_publish_mode(const char *mode, struct err *e);

/* Is there a bridge on this host that is the network's? */
bool network_record_has_bridge(const struct network *network);

void network_record_clear(struct network *network);
void network_record_list_clear(struct networks *networks);

/* ERR_INVALID unless name is one, or if it has a meaning of its own to --network. */
int network_record_check_name(const char *name, struct err *e);

/* For all changes; a descriptor, the caller's, closing it unlocks. Makes the folder. */
int network_record_lock(const struct store *store, struct err *e);

/* Under the lock. ERR_EXISTS. */
int network_record_write(const struct store *store, const struct network *network, struct err *e);
/* The same of one that is there, in its place. */
int network_record_replace(const struct store *store, const struct network *network, struct err *e);
int network_record_remove(const struct store *store, const char *name, struct err *e);

/* By name. ERR_NOT_FOUND; ERR_CORRUPT: the file makes no sense. The caller clears. */
int network_record_read(struct network *to, const struct store *store, const char *name,
			struct err *e);

/* What cannot be read is left out. */
int network_record_list(struct networks *to, const struct store *store, struct err *e);
