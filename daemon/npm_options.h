/* SPDX-License-Identifier: Apache-2.0 */
/* knpd --npm-config: settings of Azure NPM (npm_config.h) as options of knpd. */
#ifndef KNP_NPM_OPTIONS_H
#define KNP_NPM_OPTIONS_H

struct knp_options;

/*
 * Take the settings of the file @path over into @o: the level of the log, and the
 * port of the metrics, on the loopback beside knpd's own. Says on standard error
 * what is not taken over. A file that is not there, or makes no sense, changes
 * nothing: it is no reason not to enforce. Return 0 or -ENOMEM.
 */
int knp_npm_options_load(const char *path, struct knp_options *o);

#endif /* KNP_NPM_OPTIONS_H */
