/* SPDX-License-Identifier: Apache-2.0 */
/*
 * knp-cni on a node: the program in the folder of plugins, and its name in the
 * configuration that the runtime uses.
 *
 * That is the first file of the folder by name (containerd's and CRI-O's rule).
 * It has to be a list: a *.conf or *.json with one plugin is refused with -EINVAL,
 * for a list beside it would not be used.
 *
 * A file is replaced whole or not at all, with the mode that it had; what must
 * not change is not written. The runtime sees the folder change and reads it
 * again.
 */
#ifndef KNP_CNI_INSTALL_H
#define KNP_CNI_INSTALL_H

#include <stdbool.h>

/* Where runtimes look if not told otherwise. */
#define KNP_CNI_CONF_DIR	"/etc/cni/net.d"
#define KNP_CNI_BIN_DIR		"/opt/cni/bin"

/**
 * struct knp_cni_place - a file that something was done to
 * @name: of the file, in the folder of configurations; "" if there is none
 * @changed: it is another than before
 */
struct knp_cni_place {
	char name[256];
	bool changed;
};

/*
 * Copy the program that runs into @bin_dir, where it is not that already.
 * Return 0 or -errno.
 */
int knp_cni_install_program(const char *bin_dir);

/*
 * Put knp-cni into the chain. Return 0; -ENOENT if there is no configuration yet;
 * what knp_cni_chain_add() returns, -EBADMSG if it is no JSON, or -errno, with
 * the name in @ret.
 */
int knp_cni_install(const char *conf_dir, struct knp_cni_place *ret);

/*
 * Take knp-cni out of every chain of @conf_dir. @done is told of each file that
 * it was taken out of, and of each that could not be read or written, with
 * -errno. Return 0, also where there is no folder, or -errno of the folder.
 */
int knp_cni_uninstall(const char *conf_dir,
		      void (*done)(void *arg, const char *name, int err),
		      void *arg);

#endif /* KNP_CNI_INSTALL_H */
