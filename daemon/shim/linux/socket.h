/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h: the kernel's has the address families, too. */
#ifndef KNP_SHIM_LINUX_SOCKET_H
#define KNP_SHIM_LINUX_SOCKET_H

#include_next <linux/socket.h>
#include <sys/socket.h>

#endif /* KNP_SHIM_LINUX_SOCKET_H */
