// SPDX-License-Identifier: Apache-2.0
/*
 * Arbitrary bytes as a state: as they are, and as somebody would have written
 * them who knows how size and checksum are made. What is taken can be sent to the
 * module, and written again: it is the same then.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "require.h"
#include "state.h"

#define AT_SIZE		16
#define DIGEST_LEN	32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_diff(const struct knp_state *s)
{
	struct knp_ruleset *nothing = knp_ruleset_new();
	struct knp_diff *d;

	require(nothing && !knp_ruleset_diff(nothing, s->rs, &d), "no memory");
	for (size_t i = 0; i < d->nops; i++)
		require(!d->ops[i].delete && d->ops[i].count, "not only puts");
	knp_diff_free(d);
	knp_ruleset_free(nothing);
}

static void check_again(const struct knp_state *s)
{
	char why[KNP_STATE_WHY];
	struct knp_state again;
	void *first, *second;
	size_t n1, n2;

	require(!knp_state_encode(s, &first, &n1), "cannot be written");
	require(!knp_state_decode(first, n1, &again, why),
		"what was written cannot be read");
	require(!knp_state_encode(&again, &second, &n2), "cannot be written");
	require(n1 == n2 && !memcmp(first, second, n1),
		"what was read is not what was written");
	free(first);
	free(second);
	knp_state_clear(&again);
}

static void check(const uint8_t *data, size_t size)
{
	char why[KNP_STATE_WHY] = "";
	struct knp_state s;

	if (knp_state_decode(data, size, &s, why)) {
		require(why[0] && strlen(why) < sizeof(why), "no reason");
		return;
	}
	check_diff(&s);
	check_again(&s);
	knp_state_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole = size + DIGEST_LEN;
	uint8_t *sealed;
	size_t n;

	check(data, size);
	sealed = malloc(whole);
	require(!!sealed, "no memory");
	if (size)
		memcpy(sealed, data, size);
	if (size >= AT_SIZE + sizeof(whole))
		memcpy(sealed + AT_SIZE, &whole, sizeof(whole));
	EVP_Q_digest(NULL, "SHA256", NULL, sealed, size, sealed + size, &n);
	check(sealed, whole);
	free(sealed);
	return 0;
}
