/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says about this process, from /proc and getrusage(). */
#ifndef KNP_PROCESS_H
#define KNP_PROCESS_H

#include <stdint.h>

/** struct knp_process - members are 0 where the kernel does not tell */
struct knp_process {
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
	double cpu_seconds;
};

struct knp_process knp_process_read(void);

#endif /* KNP_PROCESS_H */
