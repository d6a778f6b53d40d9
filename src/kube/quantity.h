/* quantity.h - Kubernetes' numbers with a unit: "500m" (thousandths), "64Mi", "1.5G", "2e3". */
#pragma once

struct err;

/* Not negative, at most 2^62. ERR_INVALID. */
int kube_quantity_parse(double *ret, const char *text, struct err *e);
