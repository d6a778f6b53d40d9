#include "network/driver.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/bridge.h"
#include "network/phys.h"
#include "network/routed.h"
#include "network/stacked.h"
#include "network/vxlan.h"

static const struct network_driver drivers[] = {
	{
		.name = "bridge",
		.options = network_bridge_options,
		.controls = true,
		.plan = network_bridge_plan,
		.ensure = network_bridge_ensure,
		.join = network_bridge_join,
		.mend = network_bridge_mend,
		.remove = network_bridge_remove,
	},
	{
		.name = "routed",
		.options = network_routed_options,
		.controls = true,
		.plan = network_routed_plan,
		.ensure = network_routed_ensure,
		.join = network_routed_join,
		.leave = network_routed_leave,
	},
	{
		.name = "macvlan",
		.options = network_stacked_macvlan_options,
		.plan = network_stacked_plan,
		.ensure = network_stacked_ensure,
		.join = network_stacked_join,
		.remove = network_stacked_remove,
	},
	{
		.name = "ipvlan",
		.options = network_stacked_ipvlan_options,
		.plan = network_stacked_plan,
		.ensure = network_stacked_ensure,
		.join = network_stacked_join,
		.remove = network_stacked_remove,
	},
	{
		.name = "vlan",
		.options = network_stacked_vlan_options,
		.plan = network_stacked_plan,
		.ensure = network_stacked_ensure,
		.join = network_stacked_join,
	},
	{
		.name = "phys",
		.options = network_phys_options,
		.plan = network_phys_plan,
		.reclaim = network_phys_reclaim,
		.ensure = network_phys_ensure,
		.join = network_phys_join,
		.leave = network_phys_leave,
	},
	{
		.name = "vxlan",
		.options = network_vxlan_options,
		.controls = true,
		.plan = network_vxlan_plan,
		.ensure = network_vxlan_ensure,
		.join = network_bridge_join,
		.mend = network_bridge_mend,
		.remove = network_vxlan_remove,
	},
};

int network_driver_find(const struct network_driver **ret, const char *name, struct err *e)
{
	own_clear(str_clear) struct str names = { 0 };

	for (size_t i = 0; i < COUNT_OF(drivers); i++) {
		if (str_equal(drivers[i].name, name)) {
			*ret = &drivers[i];
			return 0;
		}
		str_addf(&names, "%s%s", i ? ", " : "", drivers[i].name);
	}
	return err_set(e, ERR_INVALID, "--driver %.40s: not one of %s", name, names.text);
}

int network_driver_check_options(const struct network_driver *driver, const struct network *network,
				 struct err *e)
{
	own_clear(str_clear) struct str names = { 0 };

	str_add(&names, "mtu");
	for (const char *const *option = driver->options; *option; option++)
		str_addf(&names, ", %s", *option);
	str_add(&names, ", " NETWORK_PUBLISH_MODE);
	for (size_t i = 0; i < network->options.count; i++) {
		const char *key = network->options.items[i].key;
		const char *const *option = driver->options;
		while (*option && !str_equal(*option, key))
			option++;
		if (!*option && !str_equal(key, "mtu") && !str_equal(key, NETWORK_PUBLISH_MODE) &&
		    !str_equal(key, "com.docker.network.driver.mtu"))
			return err_set(e, ERR_INVALID, "--opt %s: not one of %s", key, names.text);
	}
	return 0;
}
