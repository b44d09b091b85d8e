// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "cni_error.h"

int knp_cni_fail(struct knp_cni_error *e, int code, const char *msg)
{
	e->code = code;
	snprintf(e->msg, sizeof(e->msg), "%s", msg);
	e->details[0] = '\0';
	return -1;
}

int knp_cni_explain(struct knp_cni_error *e, int code, const char *msg,
		    const char *details, ...)
{
	va_list args;

	knp_cni_fail(e, code, msg);
	va_start(args, details);
	vsnprintf(e->details, sizeof(e->details), details, args);
	va_end(args);
	return -1;
}
