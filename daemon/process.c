// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "process.h"

static void read_memory(struct knp_process *p)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), total, resident;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return;
	if (fscanf(f, "%" SCNu64 " %" SCNu64, &total, &resident) == 2) {
		p->virtual_bytes = total * page;
		p->resident_bytes = resident * page;
	}
	fclose(f);
}

static uint64_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	/* ".", ".." and the folder itself. */
	return n - 3;
}

static double seconds(const struct timeval *tv)
{
	return (double)tv->tv_sec + (double)tv->tv_usec / 1e6;
}

struct knp_process knp_process_read(void)
{
	struct knp_process p = { 0 };
	struct rlimit limit;
	struct rusage usage;

	read_memory(&p);
	p.open_fds = count_fds();
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		p.max_fds = limit.rlim_cur;
	if (!getrusage(RUSAGE_SELF, &usage))
		p.cpu_seconds = seconds(&usage.ru_utime) +
				seconds(&usage.ru_stime);
	return p;
}
