// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Linked first: opens the section of suites, see kunit/test.h. */
#include <kunit/test.h>

struct kunit_suite *knp_kunit_begin __used __section(KNP_KUNIT_SECTION);
