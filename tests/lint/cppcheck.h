/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cppcheck needs to know of the kernel's macros: loops look like function
 * calls to it.
 */
#define for_each_possible_cpu(cpu)		for ((cpu) = 0; (cpu) < 2; (cpu)++)
#define list_for_each_entry(pos, head, m) \
	for ((pos) = any(head); (pos); (pos) = any(head))
#define list_for_each_entry_safe(pos, n, head, m) \
	for ((pos) = any(head), (n) = any(head); (pos); (pos) = (n))
#define __init
#define __exit
#define __net_init
#define __net_exit
