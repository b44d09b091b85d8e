/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of several files, as the objects of one cluster. */
#ifndef KNP_CTL_LOAD_H
#define KNP_CTL_LOAD_H

#include "ctl.h"
#include "faults.h"
#include "store.h"

/*
 * Add the objects of @file, a file, a folder or "-", to @to. What cannot be read
 * in full is said on standard error, and refused unless @keep_going. Return
 * CTL_OK; CTL_USAGE: refused, or an object that @to has already; CTL_FAILED.
 */
int knp_ctl_load(const char *file, bool keep_going, struct knp_store *to);

/* Say what is wrong with an object. */
void knp_ctl_fault(const struct knp_fault *fault);

#endif /* KNP_CTL_LOAD_H */
