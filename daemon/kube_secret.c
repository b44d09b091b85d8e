// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kube_secret.h"

bool knp_secret_is_token(const char *text, size_t *len)
{
	size_t n = *len;

	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	/* A line break in a header would start another one. */
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] == 0x7f)
			return false;
	*len = n;
	return n > 0;
}

bool knp_secret_is_ca(const char *text, size_t *len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)*len);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	bool good = cert;

	X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	return good;
}

void knp_secret_free(char *text, size_t len)
{
	if (!text)
		return;
	explicit_bzero(text, len);
	free(text);
}

static int read_fd(int fd, char *buf, size_t size, size_t *len)
{
	size_t n = 0;
	ssize_t got;

	while (n < size) {
		got = read(fd, buf + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		n += (size_t)got;
	}
	*len = n;
	return n < size ? 0 : -EFBIG;
}

static int read_file(const char *path, char **ret, size_t *len)
{
	size_t size = KNP_SECRET_MAX + 1;
	char *buf;
	int err;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	buf = malloc(size);
	err = buf ? read_fd(fd, buf, size - 1, len) : -ENOMEM;
	close(fd);
	if (err) {
		knp_secret_free(buf, size);
		return err;
	}
	*ret = malloc(*len + 1);
	if (*ret) {
		memcpy(*ret, buf, *len);
		(*ret)[*len] = '\0';
	}
	knp_secret_free(buf, size);
	return *ret ? 0 : -ENOMEM;
}

int knp_secret_refresh(struct knp_secret *s, int64_t now, bool force)
{
	char *text = NULL;
	size_t len = 0;
	size_t was;
	int err;

	if (!s->path ||
	    (s->read && !force && now - s->read_at < s->period_ms))
		return s->text ? 0 : s->error;

	s->read = true;
	s->read_at = now;
	err = read_file(s->path, &text, &len);
	s->error = err;
	if (err || !text)
		return s->text ? 0 : err;
	was = len;
	if (strlen(text) != len || !s->check(text, &len)) {
		knp_secret_free(text, was);
		s->error = -EINVAL;
		return s->text ? 0 : -EINVAL;
	}
	text[len] = '\0';
	if (s->text && s->len == len && !memcmp(s->text, text, len)) {
		knp_secret_free(text, was);
		return 0;
	}
	knp_secret_free(s->text, s->len);
	s->text = text;
	s->len = len;
	s->generation++;
	return 0;
}

void knp_secret_clear(struct knp_secret *s)
{
	knp_secret_free(s->text, s->len);
	s->text = NULL;
	s->len = 0;
	s->read = false;
}
