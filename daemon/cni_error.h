/* SPDX-License-Identifier: Apache-2.0 */
/* The error codes of the CNI specification, and those of knp-cni. */
#ifndef KNP_CNI_ERROR_H
#define KNP_CNI_ERROR_H

enum knp_cni_code {
	KNP_CNI_VERSION = 1,		/* incompatible version */
	KNP_CNI_ENVIRONMENT = 4,	/* a variable is missing or wrong */
	KNP_CNI_IO = 5,
	KNP_CNI_DECODE = 6,		/* no JSON */
	KNP_CNI_CONFIG = 7,		/* a configuration it cannot use */
	KNP_CNI_LATER = 11,		/* transient: try again */
	KNP_CNI_UNAVAILABLE = 50,	/* of STATUS: ADD would fail */
	KNP_CNI_UNKNOWN = 100,		/* of CHECK: knpd has none such */
	KNP_CNI_UNENFORCED = 101,	/* of CHECK: nor has the kernel */
	KNP_CNI_INTERNAL = 999,
};

/**
 * struct knp_cni_error - what goes wrong
 * @code: enum knp_cni_code
 * @msg: one line
 * @details: one line, or ""
 */
struct knp_cni_error {
	int code;
	char msg[256];
	char details[768];
};

/*
 * Fill in an error, without and with details; both return -1, so that it can be
 * returned at once.
 */
int knp_cni_fail(struct knp_cni_error *e, int code, const char *msg);
int knp_cni_explain(struct knp_cni_error *e, int code, const char *msg,
		    const char *details, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* KNP_CNI_ERROR_H */
