// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * knp: Kubernetes NetworkPolicy in the kernel. Loading and unloading.
 *
 * The door (netlink) opens last and closes first. Loading attaches nothing;
 * unloading takes out every hook and frees every table.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "netlink.h"
#include "netns.h"
#include "txn.h"

static int __init knp_init(void)
{
	int err;

	err = knp_netns_init();
	if (err)
		return err;

	err = knp_txn_init();
	if (err)
		goto err_netns;

	err = knp_netlink_init();
	if (err)
		goto err_txn;

	return 0;

err_txn:
	knp_txn_exit();
err_netns:
	knp_netns_exit();
	return err;
}

static void __exit knp_exit(void)
{
	knp_netlink_exit();
	knp_txn_exit();
	knp_netns_exit();
}

module_init(knp_init);
module_exit(knp_exit);

MODULE_DESCRIPTION("Kubernetes NetworkPolicy enforcement");
MODULE_AUTHOR("The knp authors");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION(KNP_MODULE_VERSION);
