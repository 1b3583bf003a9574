# make            everything into build/bin/
# make check      unit and API tests           make e2e     end-to-end tests (root)
# make sanitize   the same tests, ASan and UBSan   make fuzz    fuzzers, FUZZ_SECONDS each (clang)
# make crash      kills the apiserver (KILLS)  make soak    the long tests, SOAK_SECONDS each (ONLY=part)
# make hostile    clients that lie or stall    make bench   figures beside budgets
# make lint       static analysis of C and shell  make images  the sample images
# make fmt cover clean install (DESTDIR, PREFIX)
# make CC=clang works as well. Nothing is written outside $(BUILD).

BUILD   ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG   ?= clang
PREFIX  ?= /usr/local
OPT     ?= -O2 -g
SAN     ?=
# V=1 shows whole command lines.
V       ?= 0
say_0    = @echo "  $(1)	$@";
say_1    =
say      = $(say_$(V))

# GnuTLS first: most symbols are found in it, and are looked for in this order at each start.
PACKAGES_lib := gnutls json-c yaml-0.1
PACKAGES_apiserver := sqlite3 zlib
# Its own allocator, which the tests and sanitizers do without.
ALLOCATOR_apiserver := $(if $(SAN),,jemalloc)
PACKAGES_nodeagent := libseccomp libarchive libnl-route-3.0 libnl-3.0 zlib
PACKAGES_launcher := libnl-route-3.0 libnl-3.0
PACKAGES := $(sort $(PACKAGES_lib) $(PACKAGES_apiserver) $(PACKAGES_nodeagent))

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Werror
HARDEN := -fstack-protector-strong -fstack-clash-protection
ifeq ($(shell uname -m),x86_64)
HARDEN += -fcf-protection
endif
CPPFLAGS += -I. -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
CFLAGS += -std=gnu11 $(OPT) $(WARN) $(HARDEN) -ffunction-sections -fdata-sections $(SAN)
LDFLAGS += -Wl,--gc-sections -Wl,-z,relro,-z,now,-z,pack-relative-relocs -pthread $(SAN)
ifneq ($(SAN),)
CPPFLAGS := $(filter-out -D_FORTIFY_SOURCE=2,$(CPPFLAGS))
endif

pkg_libs = $(shell pkg-config --libs $(1))
CPPFLAGS += $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)

PROGRAMS := knarr knarr-apiserver knarr-scheduler knarr-controller knarr-nodeagent kubectl-lite
BINARIES := $(addprefix $(BUILD)/bin/,$(PROGRAMS) knarr-shim market-data)
dir_knarr := launcher
dir_knarr-apiserver := apiserver
dir_knarr-scheduler := scheduler
dir_knarr-controller := controller
dir_knarr-nodeagent := nodeagent
dir_kubectl-lite := kubectl-lite
PARTS := lib api apiserver scheduler controller nodeagent kubectl-lite launcher bench

all: $(BINARIES)

.PHONY: all check crash hostile soak e2e sanitize asan ubsan fuzz fuzz-replay bench lint lint-files fmt cover clean install images
.SECONDARY:
.DELETE_ON_ERROR:

# Objects of a part: every .c under its folder but its main.c and, for the node agent, the shim's.
sources = $(filter-out $(1)/main.c nodeagent/shim/% bench/floor_get/% bench/parts/% api/facts/%,$(sort $(shell find $(1) -name '*.c' 2>/dev/null)))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(call sources,$(1)))

FACTS := $(wildcard api/facts/*.tsv)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/gen-schema: api/facts/gen_schema.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=gnu11 -O1 -Wall -Wextra -D_GNU_SOURCE -o $@ $<

$(BUILD)/gen/schema_tables.c: $(BUILD)/gen-schema $(FACTS)
	@mkdir -p $(@D)
	$(BUILD)/gen-schema api/facts > $@

# The roles and bindings of a new cluster, an object a line, as one string.
BOOTSTRAP_RBAC := $(sort $(wildcard apiserver/authz/bootstrap/*.jsonl))
$(BUILD)/gen/bootstrap_rbac_objects.c: $(BOOTSTRAP_RBAC)
	@mkdir -p $(@D)
	@{ echo '#include "apiserver/authz/bootstrap_rbac.h"'; echo 'const char bootstrap_rbac_objects[] ='; \
		sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $(BOOTSTRAP_RBAC); echo ';'; } > $@

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define part
$(BUILD)/lib$(1).a: $(call objects,$(1)) $(if $(filter api,$(1)),$(BUILD)/obj/gen/schema_tables.o) $(if $(filter apiserver,$(1)),$(BUILD)/obj/gen/bootstrap_rbac_objects.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR)$(AR) rcs $$@ $$^
endef
$(foreach p,$(PARTS),$(eval $(call part,$(p))))

# Programs that only speak to an API server know the kinds by their names; what a kind does is the server's.
$(BUILD)/gen-kind-names: api/facts/gen_kind_names.c $(BUILD)/libapi.a $(BUILD)/liblib.a
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(call pkg_libs,$(PACKAGES_lib)) -lm

$(BUILD)/gen/kind_names.c: $(BUILD)/gen-kind-names
	@mkdir -p $(@D)
	$(BUILD)/gen-kind-names > $@

$(BUILD)/libapi-names.a: $(filter-out $(BUILD)/obj/api/kinds/%,$(call objects,api)) $(BUILD)/obj/gen/schema_tables.o $(BUILD)/obj/gen/kind_names.o
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

api_of = $(BUILD)/libapi$(if $(filter apiserver,$(1)),,-names).a

define program
$(BUILD)/bin/$(1): $(BUILD)/obj/$(dir_$(1))/main.o $(BUILD)/lib$(dir_$(1)).a $(call api_of,$(dir_$(1))) $(BUILD)/liblib.a
	@mkdir -p $$(@D)
	$$(call say,LINK)$(CC) $(LDFLAGS) -o $$@ $$^ -Wl,--as-needed $(call pkg_libs,$(ALLOCATOR_$(dir_$(1))) $(PACKAGES_lib) $(PACKAGES_$(dir_$(1)))) -lm
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# The shim is small, static and alone: no code of the other parts.
SHIM_SOURCES := $(sort $(wildcard nodeagent/shim/*.c))
$(BUILD)/bin/knarr-shim: $(SHIM_SOURCES) $(wildcard nodeagent/shim/*.h)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(filter-out $(SAN),$(CFLAGS)) -Os -static -Wl,--gc-sections -o $@ $(SHIM_SOURCES) -lseccomp

# The sample service of manifests/, static so that its image holds nothing else.
$(BUILD)/bin/market-data: manifests/image/market_data.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(filter-out $(SAN),$(CFLAGS)) -Os -static -Wl,--gc-sections -o $@ $<

images: $(BUILD)/images/market-data-v1.tar $(BUILD)/images/market-data-v2.tar
$(BUILD)/images/market-data-%.tar: $(BUILD)/bin/market-data manifests/image/make-image
	manifests/image/make-image market-data:$* $< $@

# The crash checker: a client like any other, and what it preloads into the server to kill it at a call.
CRASH_SOURCES := $(sort $(filter-out %/main.c %/kill_at_call.c,$(wildcard tests/crash/*.c)))
CRASH_CHECK := $(BUILD)/tests/crash/knarr-crash-check
CRASH_PRELOAD := $(BUILD)/tests/crash/kill-at-call.so
$(BUILD)/libcrash.a: $(patsubst %.c,$(BUILD)/obj/%.o,$(CRASH_SOURCES))
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^
$(CRASH_CHECK): $(BUILD)/obj/tests/crash/main.o $(BUILD)/libcrash.a \
	$(patsubst %,$(BUILD)/obj/tests/support/%.o,apiserver_process pki rng) $(BUILD)/libapi.a $(BUILD)/liblib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(call pkg_libs,$(PACKAGES_lib)) -lm
$(CRASH_PRELOAD): tests/crash/kill_at_call.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) -shared -fPIC -o $@ $<

# Clients that misbehave.
HOSTILE_CHECK := $(BUILD)/tests/hostile/knarr-hostile-check
$(HOSTILE_CHECK): $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard tests/hostile/*.c))) \
	$(patsubst %,$(BUILD)/obj/tests/support/%.o,apiserver_process pki rng) $(BUILD)/libapi.a $(BUILD)/liblib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(call pkg_libs,$(PACKAGES_lib)) -lm

# Unit tests: tests/unit/PART/test_x.c is the test of PART/**/x.c and links PART, api and lib.
# Support code they share: tests/support/*.c. PARTs crash and churn are in tests/.
UNIT_SOURCES := $(sort $(shell find tests/unit tests/api tests/golden tests/faults -name 'test_*.c' 2>/dev/null))
UNIT_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SOURCES))
SUPPORT := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard tests/support/*.c)))
API_SUPPORT := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(filter-out tests/api/test_%,$(wildcard tests/api/*.c))))
GOLDEN_SUPPORT := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(filter-out tests/golden/test_%,$(wildcard tests/golden/*.c)))) $(API_SUPPORT)
FAULT_SUPPORT := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(filter-out tests/faults/test_%,$(wildcard tests/faults/*.c)))) $(API_SUPPORT)
# Of the tests against a whole server.
support_api := API_SUPPORT
support_golden := GOLDEN_SUPPORT
support_faults := FAULT_SUPPORT
part_of = $(word 3,$(subst /, ,$(1)))

define unit
$(patsubst tests/%.c,$(BUILD)/tests/%,$(1)): $(patsubst %.c,$(BUILD)/obj/%.o,$(1)) $(SUPPORT) \
	$(if $(filter tests/api/% tests/golden/% tests/faults/%,$(1)),$($(support_$(word 2,$(subst /, ,$(1))))) $(BUILD)/libapiserver.a,$(if $(filter-out lib api,$(call part_of,$(1))),$(BUILD)/lib$(call part_of,$(1)).a)) \
	$(BUILD)/libapi.a $(BUILD)/liblib.a
	@mkdir -p $$(@D)
	$$(call say,LINK)$(CC) $(LDFLAGS) -o $$@ $$^ -Wl,--as-needed $(call pkg_libs,$(PACKAGES)) -lcmocka -lm
endef
$(foreach t,$(UNIT_SOURCES),$(eval $(call unit,$(t))))

# The shim's objects are in no library.
$(BUILD)/tests/unit/nodeagent/test_attach: $(BUILD)/obj/nodeagent/shim/attach.o

check: all $(UNIT_TESTS)
	tests/run-unit $(BUILD) $(UNIT_TESTS)

# Churn of whole clusters under kill -9 (tests/churn/README.md): a client like any other.
CHURN_BINARY := $(BUILD)/tests/knarr-churn
$(BUILD)/libchurn.a: $(call objects,tests/churn)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^
$(CHURN_BINARY): $(BUILD)/obj/tests/churn/main.o $(BUILD)/libchurn.a $(BUILD)/obj/tests/support/rng.o \
	$(BUILD)/libnodeagent.a $(BUILD)/libapi.a $(BUILD)/liblib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(call pkg_libs,$(PACKAGES_lib) $(PACKAGES_nodeagent)) -lm

KILLS ?= 30
crash: $(BUILD)/bin/knarr-apiserver $(CRASH_CHECK) $(CRASH_PRELOAD)
	$(CRASH_CHECK) --server=$(BUILD)/bin/knarr-apiserver --preload=$(abspath $(CRASH_PRELOAD)) \
		--log-level=error --kills=$(KILLS) $(if $(SEED),--seed=$(SEED))
hostile: $(BUILD)/bin/knarr-apiserver $(HOSTILE_CHECK)
	$(HOSTILE_CHECK) --server=$(BUILD)/bin/knarr-apiserver
FAULT_CHECKS := $(patsubst %,$(BUILD)/tests/faults/test_%,store_disk core_disk server_memory)
soak: all images $(CRASH_CHECK) $(CRASH_PRELOAD) $(CHURN_BINARY) $(HOSTILE_CHECK) $(FAULT_CHECKS)
	tests/soak $(BUILD) $(ONLY)

e2e: all images $(CHURN_BINARY)
	tests/e2e/run $(BUILD)

# Both at once: what ./check runs.
sanitize:
	$(MAKE) check BUILD=$(BUILD)/sanitize OPT='-O1 -g' SAN='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
asan:
	$(MAKE) check BUILD=$(BUILD)/asan OPT='-O1 -g' SAN='-fsanitize=address -fno-omit-frame-pointer'
ubsan:
	$(MAKE) check BUILD=$(BUILD)/ubsan OPT='-O1 -g' SAN='-fsanitize=undefined -fno-sanitize-recover=all'

# Fuzzers: tests/fuzz/fuzz_x.c with its corpus in tests/fuzz/corpus/x/.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 60
FUZZ_BUILD := $(BUILD)/fuzz
fuzz:
	$(MAKE) fuzz-binaries BUILD=$(FUZZ_BUILD) CC=$(CLANG) OPT='-O1 -g' SAN='-fsanitize=fuzzer-no-link,address,undefined'
	tests/fuzz/run $(FUZZ_BUILD) $(FUZZ_SECONDS) $(FUZZERS)
fuzz-replay:
	$(MAKE) fuzz-binaries BUILD=$(FUZZ_BUILD) CC=$(CLANG) OPT='-O1 -g' SAN='-fsanitize=fuzzer-no-link,address,undefined'
	tests/fuzz/run $(FUZZ_BUILD) 0 $(FUZZERS)
.PHONY: fuzz-binaries
fuzz-binaries: $(addprefix $(BUILD)/tests/fuzz/fuzz_,$(FUZZERS))
# Those that drive the server share tests/fuzz/edge_fixture.c.
$(addprefix $(BUILD)/tests/fuzz/fuzz_,request list_watch): $(BUILD)/obj/tests/fuzz/edge_fixture.o
$(BUILD)/tests/fuzz/fuzz_log_lines: $(BUILD)/obj/nodeagent/shim/cri_log.o
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/libapiserver.a $(BUILD)/libnodeagent.a $(BUILD)/libkubectl-lite.a $(BUILD)/libapi.a $(BUILD)/liblib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) -Wl,--as-needed $(call pkg_libs,$(PACKAGES)) -lm

# The benchmark's program links lib only: it is a client like any other. (SQLite: to measure the floor.)
BENCH_BINARY := $(BUILD)/bench/knarr-bench
$(BENCH_BINARY): $(BUILD)/obj/bench/main.o $(BUILD)/libbench.a $(BUILD)/liblib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(call pkg_libs,$(PACKAGES_lib) $(PACKAGES_apiserver)) -lm
# What single functions of the server cost.
BENCH_PARTS := $(BUILD)/bench/knarr-bench-parts
$(BENCH_PARTS): $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard bench/parts/*.c))) \
	$(BUILD)/libapiserver.a $(BUILD)/libapi.a $(BUILD)/liblib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(call pkg_libs,$(PACKAGES_lib) $(PACKAGES_apiserver)) -lm
# The floor under kubectl-lite: GnuTLS and nothing else.
$(BUILD)/bench/floor-get: bench/floor_get/main.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lgnutls
bench: all images $(BENCH_BINARY) $(BENCH_PARTS) $(BUILD)/bench/floor-get
	bench/run $(BUILD) $(ONLY)

# Static analysis: tests/lint says what runs. A stamp for each file, so that a second run looks at what changed. LINT_NODES
# bounds how many program states clang's analyzer looks at in a function: time grows with it, and so, slowly, do findings.
LINT_NODES ?= 40000
LINT_WARN := -Wnull-dereference -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wformat-signedness -Wvla -Walloca -Wundef \
	-Wpointer-arith -Wredundant-decls -Wdouble-promotion -Wfloat-equal
export LINT_NODES
LINT_SOURCES := $(sort $(shell find $(PARTS) tests bench manifests -name '*.c' 2>/dev/null))
LINT_SCRIPTS := $(shell grep -lsE '^\#!/bin/sh|^\# shellcheck shell=' check install-packages quickstart .ci/* bench/* manifests/*/* tests/* tests/*/*)
LINT_RULES := .clang-tidy $(wildcard */.clang-tidy) tests/lint tests/cppcheck.cfg tests/cppcheck.suppressions
lint: | $(BUILD)/gen/schema_tables.c
	@$(MAKE) --no-print-directory -k -O $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) lint-files
lint-files: $(patsubst %,$(BUILD)/lint/%.ok,$(LINT_SCRIPTS) $(LINT_SOURCES))
$(BUILD)/lint/%.c.ok: %.c $(LINT_RULES)
	@mkdir -p $(@D)
	$(call say,LINT)tests/lint $@ $< -std=gnu11 $(CPPFLAGS) $(WARN) $(LINT_WARN)
# By the whole path, since check is also a target.
$(BUILD)/lint/%.ok: $(CURDIR)/% tests/lint
	@mkdir -p $(@D)
	$(call say,LINT)tests/lint $@ $*
fmt:
	clang-format -i $(shell git ls-files '*.c' '*.h')
cover:
	$(MAKE) check BUILD=$(BUILD)/cover OPT='-O0 -g' SAN='--coverage'
	tests/cover-report $(BUILD)/cover
compile_commands.json:
	bear --output $(BUILD)/compile_commands.json -- $(MAKE) -B all

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(addprefix $(BUILD)/bin/,$(PROGRAMS) knarr-shim) $(DESTDIR)$(PREFIX)/bin
	$(BUILD)/bin/kubectl-lite completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/kubectl-lite

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj $(BUILD)/lint -name '*.d' 2>/dev/null)
