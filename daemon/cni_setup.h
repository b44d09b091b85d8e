/* SPDX-License-Identifier: Apache-2.0 */
/* knp-cni as an operator runs it: --install and --uninstall. */
#ifndef KNP_CNI_SETUP_H
#define KNP_CNI_SETUP_H

/*
 * Do what the command line says, and say what was done. Return the exit status:
 * 0, 1 if it did not work, 2 if it makes no sense.
 */
int knp_cni_setup(int argc, char **argv);

#endif /* KNP_CNI_SETUP_H */
