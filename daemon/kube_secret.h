/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files that prove who somebody is and that are replaced while a process
 * runs: a bearer token, a bundle of CA certificates.
 *
 * The path is opened anew each time (kubelet swaps a symbolic link), and what
 * cannot be read, is empty or is no such thing leaves the last good content in
 * use. The content is never logged, and wiped before it is freed.
 */
#ifndef KNP_KUBE_SECRET_H
#define KNP_KUBE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a token is used before its file is looked at again. */
#define KNP_TOKEN_MS		60000
#define KNP_SECRET_MAX		(1UL << 20)

/* Cut what does not belong to it off a content, by @len. Whether it is one. */
typedef bool (*knp_secret_check)(const char *text, size_t *len);

/* A token: what a header may hold, without the white space at its end. */
bool knp_secret_is_token(const char *text, size_t *len);
/* PEM with at least one certificate that can be read. */
bool knp_secret_is_ca(const char *text, size_t *len);

/**
 * struct knp_secret - one such file
 * @path: borrowed; NULL: @text never changes
 * @check: what it must be
 * @period_ms: how long it is used before the file is looked at again
 * @text: the last good content, a NUL follows; NULL if there was none yet
 * @len: of @text
 * @generation: grows with every change of @text
 * @error: errno of the last attempt: 0; -EINVAL if it is not what it must be
 * @read: was read at all
 * @read_at: when it was last read, monotonic ms
 */
struct knp_secret {
	const char *path;
	knp_secret_check check;
	int64_t period_ms;
	char *text;
	size_t len;
	unsigned int generation;
	int error;
	bool read;
	int64_t read_at;
};

/*
 * Look at the file if it is time to, or at once if @force. Return 0 if there is
 * content to use, or the -errno that leaves us without any.
 */
int knp_secret_refresh(struct knp_secret *s, int64_t now, bool force);

/* Wipe and free; @path and @check stay. */
void knp_secret_clear(struct knp_secret *s);

/* Overwrite memory that held a secret, then free it. Accepts NULL. */
void knp_secret_free(char *text, size_t len);

#endif /* KNP_KUBE_SECRET_H */
