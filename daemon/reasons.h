/* SPDX-License-Identifier: Apache-2.0 */
/* Words for why packets pass or are dropped: of knpctl and of metrics. */
#ifndef KNP_REASONS_H
#define KNP_REASONS_H

#include <stdint.h>

/* The word of an enum knp_reason, "unknown" for another number. */
const char *knp_reason_name(uint32_t reason);

#endif /* KNP_REASONS_H */
