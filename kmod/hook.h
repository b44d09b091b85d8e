/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Where packets meet the tables. What is judged, and how, is in judge.c. */
#ifndef KNP_HOOK_H
#define KNP_HOOK_H

#include <linux/types.h>

struct knp_net;

/**
 * knp_hooks_attach() - judge the packets of some families
 * @kn: the namespace; its lock is held
 * @families: KNP_FAMILY_*; those that are attached already are left alone
 *
 * Return: 0; -EOPNOTSUPP if the kernel lacks a family; -ENOMEM; or what
 * conntrack answered. On an error nothing has changed.
 */
int knp_hooks_attach(struct knp_net *kn, u32 families);

/** knp_hooks_detach() - undo it; families that are not attached are ignored */
void knp_hooks_detach(struct knp_net *kn, u32 families);

#endif /* KNP_HOOK_H */
