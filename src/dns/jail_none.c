#include "dns/jail.h"

int dns_jail_filter(struct err *e)
{
	(void)e;
	return 0;
}
