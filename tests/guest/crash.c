// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded into knpd, and only there: ends it, as kill -9 does, at one step on
 * its way to the kernel or to the disk.
 *
 *   KNP_CRASH_OF    "netlink": what its main thread sends to the module or about
 *                   it; "disk": the writes, fsyncs and renames of all threads,
 *                   but of status.json, which is written when there is time
 *   KNP_CRASH_AT    the number of the step, from 1; 0: none, they are counted
 *   KNP_CRASH_LOG   a line for each step, its number and name
 *
 * What is sent was received, and done, by the kernel when the sender ends; its
 * answer is never read. Of a write one half was made.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/knp.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long steps, at;
static char of[16];
static int log_fd = -1;

/* ip, which starts knpd, gets this as well, and counts nothing. */
__attribute__((constructor))
static void begin(void)
{
	const char *path = getenv("KNP_CRASH_LOG");
	const char *text = getenv("KNP_CRASH_AT");
	const char *what = getenv("KNP_CRASH_OF");

	if (!path || !text || !what ||
	    strcmp(program_invocation_short_name, "knpd"))
		return;
	snprintf(of, sizeof(of), "%s", what);
	at = strtoul(text, NULL, 10);
	log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Count a step; whether it is the last one. */
static bool is_last(const char *kind, const char *name)
{
	char line[64];
	bool last;
	int n;

	if (log_fd < 0 || strcmp(of, kind))
		return false;
	pthread_mutex_lock(&lock);
	last = ++steps == at;
	n = snprintf(line, sizeof(line), "%lu %s\n", steps, name);
	syscall(SYS_write, log_fd, line, n);
	pthread_mutex_unlock(&lock);
	return last;
}

static void end(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void *real(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		abort();
	return symbol;
}

/* ---- to the kernel ----------------------------------------------------------- */

static const char *command_of(const struct msghdr *msg)
{
	static const char *const names[] = {
		[KNP_CMD_INFO] = "info", [KNP_CMD_ATTACH] = "attach",
		[KNP_CMD_DETACH] = "detach", [KNP_CMD_BEGIN] = "begin",
		[KNP_CMD_PUT] = "put", [KNP_CMD_DELETE] = "delete",
		[KNP_CMD_COMMIT] = "commit", [KNP_CMD_ABORT] = "abort",
		[KNP_CMD_GET] = "get", [KNP_CMD_CONFIG] = "config",
		[KNP_CMD_EXPLAIN] = "explain", [KNP_CMD_COUNTERS] = "counters",
	};
	const struct nlmsghdr *nlh = msg->msg_iov->iov_base;
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);

	if (msg->msg_iov->iov_len < NLMSG_LENGTH(sizeof(*genl)))
		return NULL;
	if (nlh->nlmsg_type == GENL_ID_CTRL)
		return "resolve";
	if (genl->cmd >= sizeof(names) / sizeof(*names))
		return NULL;
	return names[genl->cmd];
}

static bool is_genl(int fd)
{
	socklen_t len = sizeof(int);
	int domain = 0, protocol = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	       domain == AF_NETLINK &&
	       !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) &&
	       protocol == NETLINK_GENERIC;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t (*call)(int to, const struct msghdr *m, int how) = real("sendmsg");
	const char *name = NULL;
	ssize_t ret;

	if (getpid() == gettid() && is_genl(fd))
		name = command_of(msg);
	ret = call(fd, msg, flags);
	if (name && is_last("netlink", name))
		end();
	return ret;
}

/* ---- to the disk ------------------------------------------------------------- */

/* A step with a file, by the file's name. */
static bool is_last_of(const char *what, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	char name[48];

	if (!strncmp(file, "status.json", 11))
		return false;
	snprintf(name, sizeof(name), "%s %.32s", what, file);
	return is_last("disk", name);
}

static bool is_last_at(const char *what, int fd)
{
	char link[32], path[256];
	struct stat st;
	ssize_t n;

	if (fd <= STDERR_FILENO || fstat(fd, &st) ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return is_last_of(what, path);
}

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t (*call)(int to, const void *from, size_t n) = real("write");

	if (is_last_at("write", fd)) {
		call(fd, data, len / 2);
		end();
	}
	return call(fd, data, len);
}

int fsync(int fd)
{
	int (*call)(int of_what) = real("fsync");

	if (is_last_at("fsync", fd))
		end();
	return call(fd);
}

int rename(const char *from, const char *to)
{
	int (*call)(const char *old, const char *new) = real("rename");
	int ret = call(from, to);

	if (is_last_of("rename", to))
		end();
	return ret;
}
