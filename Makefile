# SPDX-License-Identifier: Apache-2.0
#
# knp. `make help` lists the targets. Everything that is built goes to build/;
# the sources are found by wildcard, so a new file needs no line here.

MAKEFLAGS	+= --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL	:= all

BUILD		?= build
VERSION		?= $(shell cat VERSION)
PKG_CONFIG	?= pkg-config
ifeq ($(origin CC),default)
CC		:= gcc
endif
ifeq ($(origin CXX),default)
CXX		:= g++
endif
ifeq ($(origin AR),default)
AR		:= gcc-ar
endif

# ---- what there is to build ------------------------------------------------

CORE		:= $(patsubst %.o,kmod/%.c,$(filter %.o, \
			$(shell awk '/^knp-core/,!/\\$$/' kmod/Kbuild)))
# What links libnl-route, which nothing else needs.
CNI		:= daemon/cni.c daemon/cni_link.c
TOOLS		:= daemon/knpd.c daemon/knpctl.c $(wildcard daemon/ctl_*.c) $(CNI)
LIBRARY		:= $(filter-out $(TOOLS),$(wildcard daemon/*.c daemon/*.cc))
FUZZ		:= $(wildcard tests/fuzz/fuzz_*.c)
UNIT		:= $(wildcard tests/unit/test_*.c)
UNIT_LIB	:= $(filter-out $(UNIT),$(wildcard tests/unit/*.c)) \
		   tests/bench/gen_pods.c
KUBE_SERVER	:= $(addprefix tests/bench/,kube_server.c api.c control.c \
			model.c objects.c gen_pods.c)
KMOD		:= $(shell find kmod -type f)
UAPI		:= $(shell find uapi -type f -name '*.h')

# A header package is installed under /lib/modules, /usr/src, or both.
KRELEASES	?= $(sort $(patsubst /lib/modules/%/build/.config,%, \
			$(wildcard /lib/modules/*/build/.config)) \
		   $(patsubst /usr/src/linux-headers-%/.config,%, \
			$(wildcard /usr/src/linux-headers-*/.config)))
kdir		= $(firstword $(wildcard /lib/modules/$(1)/build \
			/usr/src/linux-headers-$(1)))
MODULES		:= $(KRELEASES:%=$(BUILD)/kmod/%/knp.ko)

# ---- flags -----------------------------------------------------------------

PACKAGES	?= json-c libnl-genl-3.0 libnl-3.0 libevent yaml-0.1 smartcols \
		   libcrypto libcurl
PKG_CFLAGS	:= $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS	:= $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)
# Of knp-cni, which runs for each pod: no more than it needs.
CNI_PACKAGES	?= json-c libnl-3.0 libnl-route-3.0
CNI_LIBS	:= $(shell $(PKG_CONFIG) --libs $(CNI_PACKAGES) 2>/dev/null)
CNI_STATIC	:= $(shell $(PKG_CONFIG) --static --libs $(CNI_PACKAGES) 2>/dev/null)
# The one C++ file, and what is linked only where it is: where Pods are read from
# an API server.
CXX_PACKAGES	?= simdjson
CXX_CFLAGS	:= $(shell $(PKG_CONFIG) --cflags $(CXX_PACKAGES) 2>/dev/null)
CXX_LIBS	:= $(shell $(PKG_CONFIG) --libs $(CXX_PACKAGES) 2>/dev/null) \
		   -lstdc++

# Of knpd, which serves metrics by TLS.
TLS_PACKAGES	?= libevent_openssl libssl
TLS_LIBS	:= $(shell $(PKG_CONFIG) --libs $(TLS_PACKAGES) 2>/dev/null)

CFLAGS		?= -O2 -g
# Walking a Pod is nothing but small functions inside each other: at -O2 g++
# leaves calls between them that cost a tenth.
CXXFLAGS	?= -O3 -g
WARNINGS	?= -Wall -Wextra -Wshadow -Wundef -Wformat=2 \
		   -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CXX_WARNINGS	?= -Wall -Wextra -Wshadow -Wundef -Wformat=2 -Wvla \
		   -Wmissing-declarations -Wcast-align -Werror
HARDENING	?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
		   -fstack-clash-protection -fcf-protection -fPIE
LDFLAGS		?= -pie -Wl,-z,relro,-z,now
SANITIZE	?= -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
		   -fno-sanitize-recover=all
# tests/unit/alloc.c counts what is allocated, and lets it fail.
UNIT_WRAP	:= -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
		   -Wl,--wrap=reallocarray,--wrap=free
KNP_CFLAGS	:= -std=gnu11 $(WARNINGS) -Iuapi -iquote daemon -iquote kmod -D_GNU_SOURCE \
		   -DKNP_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
# Errors are values here as everywhere: neither exceptions nor what they need.
# simdjson's own assertions, at every token, are for the sanitized builds.
KNP_CXXFLAGS	:= -std=c++17 -fno-exceptions -fno-rtti $(CXX_WARNINGS) -Iuapi -iquote daemon \
		   -D_GNU_SOURCE $(CXX_CFLAGS)
# Only what is, or includes, the pure core sees the stand-ins for the kernel's
# headers; libnl and the C library must not.
SHIM		:= -Idaemon/shim
SHIMMED		:= kmod/% daemon/simulate.c daemon/ctl_simulate.c tests/unit/% \
		   tests/gates/% tests/oracle/% tests/bench/bench_core.c \
		   tests/ctl/fake.c tests/fuzz/fuzz_packet.c tests/kube/follow.c
shim		= $(if $(filter $(SHIMMED),$(1)),$(SHIM))

# ---- quiet lines; V=1 shows the commands -----------------------------------

V		?= 0
ifneq ($(V),1)
Q		:= @
say		= @printf '  %-7s %s\n' '$(1)' '$(2)';
endif

# ---- all -------------------------------------------------------------------

.PHONY: all tools kmod
all: tools kmod
tools: $(BUILD)/knpd $(BUILD)/knpctl $(BUILD)/knp-cni

CORE_O		:= $(CORE:%.c=$(BUILD)/obj/%.o)
LIBRARY_O	:= $(addprefix $(BUILD)/obj/,$(addsuffix .o,$(basename $(LIBRARY))))
LIBRARY_SAN	:= $(LIBRARY_O:$(BUILD)/obj/%=$(BUILD)/san/%)
CTL_O		:= $(patsubst %.c,$(BUILD)/obj/%.o, \
			daemon/knpctl.c $(wildcard daemon/ctl_*.c))

$(BUILD)/knpd: $(BUILD)/obj/daemon/knpd.o $(BUILD)/libknp.a $(BUILD)/libknpcore.a
$(BUILD)/knpd $(BUILD)/knpctl: PKG_LIBS += $(CXX_LIBS)
$(BUILD)/knpd: PKG_LIBS += $(TLS_LIBS)
$(BUILD)/knpctl: $(CTL_O) $(BUILD)/libknp.a $(BUILD)/libknpcore.a
$(BUILD)/knpd $(BUILD)/knpctl:
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/knp-cni: $(CNI:%.c=$(BUILD)/obj/%.o) $(BUILD)/libknp.a
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CNI_LIBS)

# What an image brings to a node whose libraries nobody knows. ld warns of what
# libnl has to resolve names with, which knp-cni does not do.
$(BUILD)/static/knp-cni: $(CNI:%.c=$(BUILD)/obj/%.o) $(BUILD)/libknp.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) -static-pie -Wl,-z,relro,-z,now \
		-Wl,--no-warnings -o $@ $^ $(CNI_STATIC)

$(BUILD)/libknp.a: $(LIBRARY_O)
$(BUILD)/libknpcore.a: $(CORE_O)
$(BUILD)/san/libknp.a: $(LIBRARY_SAN)
$(BUILD)/san/libknpcore.a: $(CORE:%.c=$(BUILD)/san/%.o)
%.a:
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(KNP_CFLAGS) $(call shim,$<) $(CFLAGS) \
		$(HARDENING) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: %.cc Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CXX,$<)$(CXX) $(KNP_CXXFLAGS) $(CXXFLAGS) $(HARDENING) \
		-DNDEBUG -MMD -MP -c -o $@ $<

$(BUILD)/san/%.o: %.c Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CC san,$<)$(CC) $(KNP_CFLAGS) $(call shim,$<) $(SANITIZE) \
		-MMD -MP -c -o $@ $<

$(BUILD)/san/%.o: %.cc Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CXX san,$<)$(CXX) $(KNP_CXXFLAGS) $(SANITIZE) \
		-MMD -MP -c -o $@ $<

$(BUILD)/unit/%: $(BUILD)/san/tests/unit/%.o $(UNIT_LIB:%.c=$(BUILD)/san/%.o) \
		 $(BUILD)/san/libknp.a $(BUILD)/san/libknpcore.a
	@mkdir -p $(@D)
	$(call say,LD san,$@)$(CC) $(SANITIZE) $(UNIT_WRAP) -o $@ $^ -lcmocka \
		$(PKG_LIBS) $(CXX_LIBS)

# Options of knpd are those of all that it is linked with.
$(BUILD)/unit/test_options: PKG_LIBS += $(TLS_LIBS)

# Every step on the way to the disk can be made to fail, or to be the last one.
$(BUILD)/unit/test_state_file: UNIT_WRAP += -Wl,--wrap=mkdir,--wrap=open \
	-Wl,--wrap=write,--wrap=fsync,--wrap=rename

# The module's answers are made up, and are read as real ones are.
$(BUILD)/unit/test_snapshot: UNIT_WRAP += -Wl,--wrap=nl_recvmsgs \
	-Wl,--wrap=nl_send_auto,--wrap=genl_ctrl_resolve

$(BUILD)/unit/test_cni_install: UNIT_WRAP += -Wl,--wrap=fsync,--wrap=renameat
$(BUILD)/unit/test_uncovered: UNIT_WRAP += -Wl,--wrap=event_add

# Without a module, and without a thread.
$(BUILD)/unit/test_keeper: UNIT_WRAP += -Wl,--wrap=knp_genl_open \
	-Wl,--wrap=knp_genl_close,--wrap=knp_restore,--wrap=knp_saver_open \
	-Wl,--wrap=knp_saver_touch,--wrap=knp_saver_close \
	-Wl,--wrap=knp_watch_join

# What tests/ctl runs: knpctl on top of a module of its own, and of its own time.
CTL_WRAP	:= -Wl,--wrap=clock_gettime,--wrap=nanosleep,--wrap=time
$(BUILD)/ctl/knpctl: $(BUILD)/san/tests/ctl/fake.o \
		     $(CTL_O:$(BUILD)/obj/%=$(BUILD)/san/%) \
		     $(BUILD)/san/libknp.a $(BUILD)/san/libknpcore.a
	@mkdir -p $(@D)
	$(call say,LD san,$@)$(CC) $(SANITIZE) $(CTL_WRAP) -Wl,-z,muldefs \
		-o $@ $^ $(PKG_LIBS) $(CXX_LIBS)

# It has a time of its own.
KUBE_WRAP	:= -Wl,--wrap=clock_gettime,--wrap=event_add

# What tests/kube runs: the API client, and the module's tables for a kernel.
$(BUILD)/kube/follow: $(BUILD)/san/tests/kube/follow.o \
		      $(BUILD)/san/tests/unit/kernel.o \
		      $(BUILD)/san/libknp.a $(BUILD)/san/libknpcore.a
	@mkdir -p $(@D)
	$(call say,LD san,$@)$(CC) $(SANITIZE) $(KUBE_WRAP) -o $@ $^ \
		$(PKG_LIBS) $(CXX_LIBS)

# What tests/metrics asks: knpd as it is, watched over.
$(BUILD)/metrics/knpd: $(BUILD)/san/daemon/knpd.o $(BUILD)/san/libknp.a \
		       $(BUILD)/san/libknpcore.a
	@mkdir -p $(@D)
	$(call say,LD san,$@)$(CC) $(SANITIZE) -o $@ $^ $(PKG_LIBS) $(CXX_LIBS) \
		$(TLS_LIBS)

# What tests/oracle asks: the way from an event to a verdict.
$(BUILD)/oracle/follower: $(BUILD)/san/tests/oracle/follower.o \
			  $(BUILD)/san/libknp.a $(BUILD)/san/libknpcore.a
	@mkdir -p $(@D)
	$(call say,LD san,$@)$(CC) $(SANITIZE) -o $@ $^ $(PKG_LIBS) $(CXX_LIBS)

# The same, counting the lines that are run.
COV_CFLAGS	:= -O0 -g --coverage
$(BUILD)/cov/%.o: %.c Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CC cov,$<)$(CC) $(KNP_CFLAGS) $(call shim,$<) \
		$(COV_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/cov/%.o: %.cc Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CXX cov,$<)$(CXX) $(KNP_CXXFLAGS) $(COV_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(BUILD)/cov/libknp.a: $(LIBRARY_O:$(BUILD)/obj/%=$(BUILD)/cov/%)
$(BUILD)/cov/libknpcore.a: $(CORE:%.c=$(BUILD)/cov/%.o)
$(BUILD)/cov/oracle/follower: $(BUILD)/cov/tests/oracle/follower.o \
			      $(BUILD)/cov/libknp.a $(BUILD)/cov/libknpcore.a
	@mkdir -p $(@D)
	$(call say,LD cov,$@)$(CC) --coverage -o $@ $^ $(PKG_LIBS) $(CXX_LIBS)

# The same with a seeded bug. What a patch changes is linked before the archive
# that holds the original; of a header, what match.c becomes with it.
MUTANTS		:= $(patsubst tests/oracle/mutants/%.patch,%, \
			$(wildcard tests/oracle/mutants/*.patch))
mutated		= $(shell sed -n 's,^+++ b/,,p' tests/oracle/mutants/$(1).patch)
$(BUILD)/mutants/%/follower: tests/oracle/mutants/%.patch \
			     $(BUILD)/san/tests/oracle/follower.o \
			     $(BUILD)/san/libknp.a $(BUILD)/san/libknpcore.a
	@mkdir -p $(@D)
	$(call say,MUTANT,$*)cp kmod/match.c $(@D)/mutant.c
	$(Q)patch -s -o $(@D)/$(if $(filter %.h,$(call mutated,$*)),$(notdir \
		$(call mutated,$*)),mutant.c) $(call mutated,$*) $<
	$(Q)$(CC) $(KNP_CFLAGS) $(call shim,$(call mutated,$*)) $(SANITIZE) \
		-c -o $(@D)/mutant.o $(@D)/mutant.c
	$(Q)$(CC) $(SANITIZE) -o $@ $(@D)/mutant.o $(wordlist 2,4,$^) \
		$(PKG_LIBS) $(CXX_LIBS)

$(BUILD)/bench/kube_server: $(KUBE_SERVER:%.c=$(BUILD)/obj/%.o)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

# The test vectors as data for the suite of kmod/tests, and that suite as a
# program, for want of a kernel with KUnit.
$(BUILD)/vectors.txt: tests/vectors/export $(wildcard tests/vectors/*.py \
		      tests/vectors/*/*.yaml)
	@mkdir -p $(@D)
	$(call say,VECTORS,$@)tests/vectors/export $@

$(BUILD)/kunit/gen_vectors: $(BUILD)/obj/tests/kunit/gen_vectors.o \
			    $(BUILD)/obj/tests/vectors/reader.o $(BUILD)/libknp.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/kunit/vectors_data.h: $(BUILD)/vectors.txt $(BUILD)/kunit/gen_vectors
	$(call say,GEN,$@)$(BUILD)/kunit/gen_vectors $< >$@

$(BUILD)/san/kmod/tests/vectors_test.o: $(BUILD)/kunit/vectors_data.h
$(BUILD)/san/kmod/tests/%.o: SHIM += -Itests/kunit/shim -Ikmod \
	-I$(BUILD)/kunit

KUNIT_SUITES	:= $(BUILD)/kunit/vectors $(BUILD)/kunit/table
$(KUNIT_SUITES): $(BUILD)/kunit/%: $(BUILD)/san/kmod/tests/%_test.o \
				  $(BUILD)/san/libknpcore.a
	@mkdir -p $(@D)
	$(call say,LD san,$@)$(CC) $(SANITIZE) -o $@ $^

# Fuzzers need clang throughout: libFuzzer follows the code by what clang adds.
# Warnings are for the other builds. NULL + 0 is what an empty array is; clang
# takes it for a mistake, the next C does not.
FUZZ_SECONDS	?= 60
FUZZ_CFLAGS	:= -w -O1 -g -fno-omit-frame-pointer \
		   -fsanitize=address,undefined,fuzzer-no-link \
		   -fno-sanitize=pointer-overflow -fno-sanitize-recover=all
FUZZ_O		:= $(LIBRARY_O:$(BUILD)/obj/%=$(BUILD)/fuzz/obj/%) \
		   $(BUILD)/fuzz/obj/tests/unit/pods.o \
		   $(BUILD)/fuzz/obj/tests/fuzz/decoded.o

# The packet parser of the module, with packets of userspace.
FUZZ_PACKET	:= $(BUILD)/fuzz/obj/tests/fuzz/fuzz_packet.o \
		   $(BUILD)/fuzz/obj/kmod/packet.o
$(FUZZ_PACKET): SHIM += -Itests/skb
$(BUILD)/fuzz/fuzz_packet: $(FUZZ_PACKET)

$(BUILD)/fuzz/obj/%.o: %.c Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CC fuzz,$<)clang $(KNP_CFLAGS) $(call shim,$<) $(FUZZ_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(BUILD)/fuzz/obj/%.o: %.cc Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CXX fuzz,$<)clang++ $(KNP_CXXFLAGS) $(FUZZ_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libknp.a: $(FUZZ_O)

$(BUILD)/fuzz/%: $(BUILD)/fuzz/obj/tests/fuzz/%.o $(BUILD)/fuzz/libknp.a
	$(call say,LD fuzz,$@)clang++ $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ \
		$(PKG_LIBS) $(CXX_LIBS)

# Benchmarks are built like the tools: what is measured is what is installed.
$(BUILD)/bench/decode: $(BUILD)/obj/tests/bench/bench_decode.o \
		       $(BUILD)/obj/tests/bench/gen_pods.o $(BUILD)/libknp.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) \
		$(CXX_LIBS)

$(BUILD)/bench/state: $(BUILD)/obj/tests/bench/bench_state.o $(BUILD)/libknp.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

# What tests/gates measures. The recorder's core calls a function before each
# access to memory; tests/gates/lines.c has those functions, not libtsan.
GATE_MODEL	:= $(BUILD)/obj/tests/gates/model.o
RECORD		:= -O2 -g -fsanitize=thread \
		   --param tsan-instrument-func-entry-exit=0

$(BUILD)/record/%.o: %.c Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CC rec,$<)$(CC) $(KNP_CFLAGS) $(call shim,$<) $(RECORD) \
		-MMD -MP -c -o $@ $<

$(BUILD)/gates/lines: $(BUILD)/obj/tests/gates/lines.o $(GATE_MODEL) \
		      $(CORE:%.c=$(BUILD)/record/%.o)
$(BUILD)/gates/cost: $(BUILD)/obj/tests/gates/cost.o $(GATE_MODEL) \
		     $(BUILD)/libknpcore.a
$(BUILD)/gates/%:
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/bench/core: $(BUILD)/obj/tests/bench/bench_core.o $(GATE_MODEL) \
		     $(BUILD)/libknpcore.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

# One clear line instead of a page of compiler errors.
$(BUILD)/.deps: Makefile
	@mkdir -p $(@D)
	@command -v $(CC) >/dev/null && command -v $(CXX) >/dev/null && \
		$(PKG_CONFIG) --print-errors --exists $(PACKAGES) \
			$(CXX_PACKAGES) $(CNI_PACKAGES) $(TLS_PACKAGES) || \
		{ echo 'knp: something to build with is missing: run "make setup"' \
			'as root' >&2; exit 1; }
	@touch $@

# Not of whole trees, and their roots, that tests have there.
-include $(shell find $(BUILD) \( -path $(BUILD)/kmod -o -path $(BUILD)/packaging \
	-o -path $(BUILD)/mutants-tree \) -prune -o -name '*.d' -type f -print 2>/dev/null)

# ---- the module ------------------------------------------------------------

# Kbuild writes beside its sources, so it gets a copy of them per kernel. The
# copy is also what tests/kernels builds for kernels of other Debian releases.
no_headers	:= @echo 'knp: no kernel headers installed: run "make setup"' \
			'as root' >&2; exit 1
kmod: $(MODULES)
	$(if $(KRELEASES),,$(no_headers))

define stage
	@mkdir -p $(@D)/uapi
	@cd $(@D) && find . -name '*.[ch]' ! -name '*.mod.c' | while read -r f; do \
		[ -e "$(CURDIR)/kmod/$$f" ] || [ -e "$(CURDIR)/$$f" ] || rm "$$f"; \
	done
	@cp -ru --preserve=timestamps kmod/. $(@D)
	@cp -ru --preserve=timestamps uapi/. $(@D)/uapi
	@cp -u --preserve=timestamps VERSION $(@D)
	@touch $@
endef
$(BUILD)/kmod/%/.staged: $(KMOD) $(UAPI) VERSION
	$(stage)
$(BUILD)/check/%/.staged: $(KMOD) $(UAPI) VERSION
	$(stage)

$(BUILD)/kmod/%/knp.ko: $(BUILD)/kmod/%/.staged
	$(call say,KBUILD,$@)$(MAKE) --no-print-directory -C $(call kdir,$*) \
		M=$(abspath $(@D)) modules $(KBUILD_ARGS)
	@touch $@

# The suites of kmod/tests as a kernel sees them: without KUnit in any packaged
# kernel no more than compiled here; tests/guest runs them in a debug kernel.
$(BUILD)/kunit/%/.staged: $(KMOD) $(UAPI) VERSION $(BUILD)/kunit/vectors_data.h
	$(stage)
	@cp $(BUILD)/kunit/vectors_data.h $(@D)/tests
$(BUILD)/kunit/kmod/.compiled: $(BUILD)/kunit/kmod/.staged
	$(call say,KBUILD,$(@D)/tests)$(MAKE) --no-print-directory \
		-C $(call kdir,$(firstword $(KRELEASES))) KNP_KUNIT=1 \
		M=$(abspath $(@D)) $(patsubst kmod/%.c,%.o, \
			$(wildcard kmod/tests/*_test.c)) $(KBUILD_ARGS)
	@touch $@

$(BUILD)/kunit/%/knp_kunit.ko: $(BUILD)/kunit/%/.staged
	$(call say,KBUILD,$@)$(MAKE) --no-print-directory -C $(call kdir,$*) \
		KNP_KUNIT=1 M=$(abspath $(@D)) modules $(KBUILD_ARGS)
	@touch $@

# The module with allocations that tests let fail (kmod/faults.h).
$(BUILD)/faults/%/.staged: $(KMOD) $(UAPI) VERSION
	$(stage)
$(BUILD)/faults/%/knp.ko: $(BUILD)/faults/%/.staged
	$(call say,KBUILD,$@)$(MAKE) --no-print-directory -C $(call kdir,$*) \
		KNP_FAULTS=1 M=$(abspath $(@D)) modules $(KBUILD_ARGS)
	@touch $@

# ---- images and manifests --------------------------------------------------

IMAGE		:= $(wildcard deploy/image/build deploy/image/oci deploy/image/node/*)
IMAGES		:= $(BUILD)/image/knp-$(VERSION).oci.tar \
		   $(BUILD)/image/knp-build-$(VERSION).oci.tar

.PHONY: image deploy check-deploy
image: $(IMAGES)

$(BUILD)/image/knp-$(VERSION).oci.tar: $(IMAGE) VERSION $(BUILD)/knpd \
				       $(BUILD)/knpctl $(BUILD)/static/knp-cni
	@deploy/image/build node $@
$(BUILD)/image/knp-build-$(VERSION).oci.tar: $(IMAGE) VERSION $(KMOD) $(UAPI)
	@deploy/image/build module $@

# What is applied, of its parts.
deploy:
	@tests/deploy/render

check-deploy: $(BUILD)/knpd $(BUILD)/knp-cni
	@tests/deploy/run

# ---- tests -----------------------------------------------------------------

.PHONY: setup test test-full lint demo check-unit check-vectors check-oracle \
	check-spec check-kmod check-kube check-metrics check-ctl check-cni \
	check-guest check-cluster check-gates check-bench check-packets check-packages \
	check-bypass bench bench-daemon unit kernels fuzz bench-decode bench-core \
	bench-state soak soak-debug soak-oracle soak-swap coverage conformance \
	check-kunit check-safety check-debug check-kcsan check-native check-native-all \
	check-guest-native check-native-safety fuzzers mutants
setup:
	@tests/setup

test: setup
	@tests/run

test-full: setup
	@KNP_FULL=1 tests/run

demo: setup
	@$(MAKE) --no-print-directory all
	@CLUSTER=$(CLUSTER) tests/demo/run

unit: $(UNIT:tests/unit/%.c=$(BUILD)/unit/%)

check-unit: unit
	@tests/unit/run $(UNIT:tests/unit/%.c=$(BUILD)/unit/%)

fuzzers: $(FUZZ:tests/%.c=$(BUILD)/%)

fuzz: fuzzers
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ:tests/%.c=$(BUILD)/%)

# Seeded bugs, each of which some test is to find: docs/safety.md
mutants:
	@tests/mutants/run $(ONLY)

check-vectors: $(BUILD)/knpctl
	@tests/vectors/run

check-kunit: $(KUNIT_SUITES) $(BUILD)/kunit/kmod/.compiled
	@tests/unit/run $(KUNIT_SUITES)

check-oracle: $(BUILD)/knpctl $(BUILD)/oracle/follower \
	      $(MUTANTS:%=$(BUILD)/mutants/%/follower)
	@tests/oracle/run

SOAK		:= KNP_EFFORT=soak KNP_GUEST_TIMEOUT=18000 tests/guest/run
# Two at a time, the longest first; one that fails does not end the others.
soak: $(BUILD)/oracle/follower tools
	@$(MAKE) --no-print-directory --keep-going -j2 soak-debug soak-oracle soak-swap
soak-debug: tools
	@$(SOAK) --kernel native-debug --safety fuzz lives
soak-oracle: $(BUILD)/oracle/follower tools
	@tests/oracle/soak
soak-swap: tools
	@$(SOAK) --kernel native --safety swap

# What is hard on the module: docs/safety.md
check-safety: tools
	@KNP_GUEST_TIMEOUT=1500 tests/guest/run --kernel 6.1 --safety

# The same in kernels that look for mistakes while they run: in QEMU, and as a
# program of this machine.
check-debug: tools
	@tests/guest/run --kernel debug --safety kunit perms fuzz swap lives

# Data races, of the module with whatever.
check-kcsan: tools
	@tests/guest/run --kernel kcsan --safety swap fuzz lives

check-native: tools
	@KNP_EFFORT=full tests/guest/run --kernel native-debug --safety \
		perms fuzz lives

# Without kunit, for which it takes two processors: that is a part of check-debug.
check-native-all: tools
	@tests/guest/run --kernel native-debug --all --without kunit

check-native-safety: tools
	@tests/guest/run --kernel native-debug --safety faults lives crash \
		crash_first crash_disk

coverage: $(BUILD)/cov/oracle/follower
	@tests/oracle/coverage $(CORE)

check-gates: $(BUILD)/gates/lines $(BUILD)/gates/cost
	@tests/gates/run

check-spec:
	@tests/spec/check_spec

check-bypass:
	@tests/bypass/run

check-kmod:
	@tests/kernels --check

check-kube: $(BUILD)/kube/follow $(BUILD)/knpd
	@tests/kube/run

check-metrics: $(BUILD)/metrics/knpd
	@tests/metrics/run

check-ctl: $(BUILD)/ctl/knpctl $(BUILD)/knpd
	@tests/ctl/run

check-cni: $(BUILD)/knpd $(BUILD)/knp-cni
	@tests/cni/run

check-guest: all
	@tests/guest/run --all

# The kernel has no KUnit, and no slabinfo for door; harness is about QEMU, and
# latency on a stock kernel is the one whose figure is told.
check-guest-native: tools
	@tests/guest/run --kernel native --all --without kunit --without door \
		--without harness --without latency

check-cluster: all
	@tests/cluster/run

# Kubernetes' own specs; PROXY=iptables, FOCUS=REGEX, AGENT=none, KERNEL=6.12
conformance: setup
	@$(MAKE) --no-print-directory all
	@PROXY='$(PROXY)' FOCUS='$(FOCUS)' AGENT='$(AGENT)' \
		KERNEL='$(KERNEL)' tests/conformance/run

check-bench: tools $(BUILD)/bench/kube_server
	@tests/bench/check

# FULL=1: also in clean roots and guests
check-packages: all
	@tests/packaging/run $(if $(FULL),--full)

check-packets:
	@tests/bench/uml/run --check

bench:
	@ONLY=$(ONLY) PARTS=$(PARTS) tests/bench/uml/run $(if $(QUICK),--quick)

bench-daemon: tools $(BUILD)/bench/kube_server
	@tests/bench/bench_daemon

bench-core: $(BUILD)/bench/core
	@$(BUILD)/bench/core $(ROUNDS)

bench-decode: $(BUILD)/bench/decode
	@$(BUILD)/bench/decode $(ROUNDS)

bench-state: $(BUILD)/bench/state
	@$(BUILD)/bench/state $(ROUNDS)

kernels:
	@tests/kernels

lint:
	@tests/lint/run

# ---- installing ------------------------------------------------------------

DESTDIR		?=
PREFIX		?= /usr/local
UNITS		?= $(PREFIX)/lib/systemd/system
ZSH		?= $(PREFIX)/share/zsh/site-functions
DKMS_NAME	:= knp-$(VERSION)
# DKMS looks nowhere else.
DKMS_TREE	= $(DESTDIR)/usr/src/$(DKMS_NAME)
DEB_TREE	:= $(BUILD)/deb/$(DKMS_NAME)
MODULE_UNIT	:= deploy/systemd/knp-module.service
MODULE_MAN	:= docs/man/knp-load.8
unit		= sed 's,/usr/sbin/,$(PREFIX)/sbin/,' $(1) \
			>$(DESTDIR)$(UNITS)/$(notdir $(1))

.PHONY: install uninstall dkms-tree dkms-install dkms-remove deb
# What an operator has changed in /etc stays.
install: tools
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/sbin $(BUILD)/knpd $(BUILD)/knpctl
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/lib/cni $(BUILD)/knp-cni
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(filter-out $(MODULE_MAN),$(wildcard docs/man/*.8))
	install -D -m 644 deploy/completion/knpctl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/knpctl
	install -D -m 644 -t $(DESTDIR)$(ZSH) deploy/completion/_knpctl
	install -d $(DESTDIR)$(UNITS)
	$(foreach f,$(filter-out $(MODULE_UNIT),$(wildcard \
		deploy/systemd/*.service)),$(call unit,$(f)) &&) true
	[ -e $(DESTDIR)/etc/default/knpd ] || install -D -m 644 \
		deploy/systemd/knpd.default $(DESTDIR)/etc/default/knpd

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,sbin/knpd sbin/knpctl \
		lib/cni/knp-cni share/bash-completion/completions/knpctl \
		$(patsubst docs/man/%,share/man/man8/%,$(filter-out \
			$(MODULE_MAN),$(wildcard docs/man/*.8))))
	rm -f $(DESTDIR)$(ZSH)/_knpctl $(patsubst deploy/systemd/%, \
		$(DESTDIR)$(UNITS)/%,$(filter-out $(MODULE_UNIT),$(wildcard \
			deploy/systemd/*.service)))

# What DKMS builds from, and what loads the result.
dkms-tree:
	rm -rf $(DKMS_TREE)
	install -d $(DKMS_TREE) $(DESTDIR)$(UNITS)
	tar -c --exclude=./tests --exclude=README -C kmod . -C $(CURDIR) uapi VERSION | \
		tar -x --no-same-owner -C $(DKMS_TREE)
	chmod -R u=rwX,go=rX $(DKMS_TREE)
	sed 's/#MODULE_VERSION#/$(VERSION)/' dkms/dkms.conf >$(DKMS_TREE)/dkms.conf
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/sbin deploy/knp-load
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 $(MODULE_MAN)
	$(call unit,$(MODULE_UNIT))

dkms-install:
	$(if $(KRELEASES),,$(no_headers))
	$(MAKE) --no-print-directory dkms-remove
	$(MAKE) --no-print-directory dkms-tree
	dkms install $(addprefix -k ,$(KRELEASES)) knp/$(VERSION)

dkms-remove:
	@command -v dkms >/dev/null || \
		{ echo 'knp: dkms is missing: apt-get install dkms' >&2; exit 1; }
	[ -z "$$(dkms status knp/$(VERSION))" ] || \
		dkms remove knp/$(VERSION) --all
	rm -rf $(DKMS_TREE) $(DESTDIR)$(PREFIX)/sbin/knp-load \
		$(DESTDIR)$(PREFIX)/share/man/man8/$(notdir $(MODULE_MAN)) \
		$(DESTDIR)$(UNITS)/$(notdir $(MODULE_UNIT))

# In a copy, because its tools write beside the sources.
deb:
	@tests/setup --deb
	@[ "$$(dpkg-parsechangelog -l deploy/debian/changelog -S Version)" = \
		$(VERSION) ] || { echo 'knp: VERSION and deploy/debian/changelog' \
			'differ' >&2; exit 1; }
	rm -rf $(BUILD)/deb
	mkdir -p $(DEB_TREE)
	tar -c --exclude=./.git --exclude=./build . | tar -x -C $(DEB_TREE)
	cp -r deploy/debian $(DEB_TREE)/debian
	cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u BUILD \
		-u VERSION dpkg-buildpackage -us -uc >../build.log 2>&1 || \
		{ tail -n 40 ../build.log >&2; exit 1; }
	rm -rf $(DEB_TREE)
	@ls $(BUILD)/deb/*.deb $(BUILD)/deb/*.changes

# ---- the rest --------------------------------------------------------------

.PHONY: clean help print-core
# For tests/lint: the list is Kbuild's.
print-core:
	@echo $(CORE)

clean:
	rm -rf $(BUILD)

help:
	@echo 'Three commands (as root on Debian 12; they install what they need):'
	@echo '  make demo            boot a guest and walk through what knp does'
	@echo '                       (CLUSTER=1: with a real API server and kubectl)'
	@echo '  make test            every test; the last line is "N passed, N failed"'
	@echo "  make conformance     Kubernetes' own 50 NetworkPolicy specs, in a guest"
	@echo '                       (PROXY=iptables FOCUS=REGEX AGENT=none KERNEL=6.12)'
	@echo
	@echo 'Building (needs no root once "make setup" has run):'
	@echo '  make                 build/knpd, build/knpctl, build/knp-cni, and build/kmod/<release>/knp.ko'
	@echo '                       for every installed kernel header package'
	@echo '  make tools           the three programs only'
	@echo '  make kmod            the module only; KRELEASES="..." chooses the kernels'
	@echo '  make image           build/image/*.oci.tar, of the pods of deploy/'
	@echo '  make deploy          deploy/knp.yaml and azure/knp.json, of their parts'
	@echo '  make clean           remove build/'
	@echo
	@echo 'Testing (parts of "make test"; each prints TAP):'
	@echo '  make check-unit      unit and property tests under ASan and UBSan'
	@echo '  make check-vectors   scenarios with written expectations, by knpctl simulate'
	@echo '  make check-kunit     the same by the look-ups of the module, as a KUnit suite'
	@echo '  make check-oracle    random clusters and events against a naive evaluator'
	@echo '  make check-gates     cache lines, instructions and bytes are what they were'
	@echo '  make check-bypass    every way around a policy names its test and its mutant'
	@echo '  make check-spec      uapi header, netlink spec and module policies agree'
	@echo '  make check-kube      the API client against a server that misbehaves'
	@echo '  make check-metrics   metrics and probes, over TLS and for clients that misbehave'
	@echo '  make check-ctl       what knpctl prints, its manual page and its completion'
	@echo '  make check-cni       knp-cni as a container runtime runs it'
	@echo '  make check-deploy    manifests, by a real API server, and the network chain'
	@echo '  make check-kmod      the module builds without a warning on each kernel'
	@echo '  make check-guest     real packets on real kernels, in QEMU'
	@echo '  make check-guest-native  the same in 7.3 as a program of this machine'
	@echo '  make check-cluster   the same against a real API server'
	@echo '  make check-bench     the benchmark of knpd, small, and its API server'
	@echo '  make check-packages  what is installed, and where; FULL=1: DKMS on each kernel,'
	@echo '                       packages in clean roots, a node with systemd in QEMU'
	@echo '  make check-packets   what "make bench" compares agrees on every verdict'
	@echo '  make lint            style and static checks'
	@echo '  make fuzz            random inputs for a minute (FUZZ_SECONDS=60), by libFuzzer'
	@echo '  make bench-core      ns per verdict of the lookup alone (ROUNDS=15)'
	@echo '  make bench-state     ms to write and read the state file of a large node'
	@echo '  make bench-decode    MB/s of Pods decoded, against json-c (ROUNDS=15)'
	@echo '  make soak            10^8 flows by the same evaluator (KNP_SOAK=flows, KNP_SEED=),'
	@echo '                       10^6 messages, 10^6 swaps under load: docs/safety.md'
	@echo '  make check-safety    what is hard on the module: every allocation fails, a fuzzer'
	@echo '  make check-debug     the same under KASAN, lockdep, kmemleak (builds a kernel first)'
	@echo '  make check-kcsan     the same under KCSAN: data races'
	@echo '  make check-native    50,000 messages to the module under KASAN and lockdep, at native'
	@echo '                       speed; make check-native-all: all scenarios there'
	@echo '  make mutants         30 seeded bugs, each of which some test is to find (ONLY="a b")'
	@echo '  make coverage        lines of the compiler and the lookups that it runs, by gcov'
	@echo '  make test-full       make test with longer random runs and all scenarios'
	@echo
	@echo 'Measuring (build/bench/*.json has the machine, too):'
	@echo '  make bench           verdicts beside nft, ipset, iptables and others, in UML'
	@echo '                       (QUICK=1: the main workloads, in ten minutes)'
	@echo '  make bench-daemon    knpd with 100,000 Pods, 5,000 Namespaces, 10,000 policies'
	@echo
	@echo 'Installing (docs/install.md; DESTDIR= PREFIX=/usr/local):'
	@echo '  make install         knpd, knpctl, knp-cni, manual pages, completion, units'
	@echo '                       (make uninstall: all but /etc/default/knpd)'
	@echo '  make dkms-install    the module by DKMS, for each kernel with headers (dkms-remove)'
	@echo '  make deb             Debian packages in build/deb'
	@echo
	@echo 'Setting up:'
	@echo '  make setup           install what building and testing need (root)'
	@echo '  make kernels         fetch the kernels that the tests build for and boot'
	@echo
	@echo 'V=1 shows the commands. Caches live in $$KNP_CACHE (/var/cache/knp).'
