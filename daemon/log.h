/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for the operator, on standard error. Only programs log; the libraries
 * return errors.
 *
 * Where standard error is the journal (JOURNAL_STREAM is set), each line starts
 * with its priority as sd-daemon(3) describes; elsewhere the level is spelt out
 * for warnings and errors.
 */
#ifndef KNP_LOG_H
#define KNP_LOG_H

/** enum knp_level - syslog priorities */
enum knp_level {
	KNP_LOG_ERR = 3,
	KNP_LOG_WARNING = 4,
	KNP_LOG_NOTICE = 5,
	KNP_LOG_INFO = 6,
	KNP_LOG_DEBUG = 7,
};

/* Set the program's name and the least important level that is shown. */
void knp_log_open(const char *program, enum knp_level level);

/* Write one line; a newline is added, control characters are replaced. */
void knp_log(enum knp_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* KNP_LOG_H */
