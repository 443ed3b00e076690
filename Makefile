# SPDX-License-Identifier: GPL-2.0-or-later
#
# dtv: what there is to make. Everything made goes to build/; the module to build/kmod-RELEASE, one
# for each kernel, from a synchronized copy of the sources.

MAKEFLAGS += --no-print-directory
TOP := $(CURDIR)
O := $(TOP)/build
export DTV_TOP := $(TOP)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= /lib/systemd/system
UDEVDIR ?= /lib/udev/rules.d
export DESTDIR PREFIX BINDIR SBINDIR MANDIR UNITDIR UDEVDIR

# The running kernel's headers; a machine that has none (one that only runs the lab) builds for every
# kernel whose headers it has.
RUNNING := /lib/modules/$(shell uname -r)/build
KDIR ?= $(if $(wildcard $(RUNNING)),$(RUNNING),$(wildcard /usr/src/linux-headers-*-amd64))
LABDIRS = $(wildcard /usr/src/linux-headers-6.1.*-amd64 /usr/src/linux-headers-6.12.*-amd64)

all: module daemon cli

help:
	@echo 'all (module daemon cli), module [KDIR=...], daemon, cli, uhost'
	@echo 'lab-debug  tests on a kernel with lockdep, KASAN and more (the first time builds it)'
	@echo 'demo       boot Linux in a guest, in the lab, and power it off'
	@echo 'shell      the same, with a shell'
	@echo 'check      all tests [TESTS=collection[:test]] [WHERE=here,lab] [KERNELS=6.1,6.12]'
	@echo 'check-isa  instruction-set tests: tables, privileged, random programs, broken engines'
	@echo 'check-random [COUNT=20000] [SEED=S]  random programs; fuzz [SECONDS=1800]  the engine under libFuzzer'
	@echo 'bench      measurements; style: checks of the sources; format: clang-format them'
	@echo 'install, uninstall, docs, guest (fetch it), deps (install packages), clean'

# $(call release,HEADERS): what uname -r says there. Debian's kernel.release is another number.
release = $$(sed -n 's/.*UTS_RELEASE "\(.*\)".*/\1/p' $(1)/include/generated/utsrelease.h)

# $(call build-module,HEADERS): a copy, since 6.12 cannot build out of tree yet, and since two
# kernels cannot share one directory. What rsync must not delete there is what Kbuild made.
# Times tell it too little: a checkout writes a second version of a file in the same second.
define build-module
	release=$(call release,$(1)) && dir=$(O)/kmod-$$release && \
	mkdir -p $$dir && exec 9>$$dir/.lock && flock 9 && \
	rsync -a --checksum --no-times --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
		--exclude='.*' --exclude='modules.order' --exclude='Module.symvers' \
		Kbuild kmod uapi $$dir/ && \
	$(MAKE) -C $(1) M=$$dir modules && exec 9>&-
endef

module:
	@[ -n "$(strip $(KDIR))" ] || \
		{ echo 'module: no kernel headers: install linux-headers, or say KDIR=...' >&2; exit 1; }
	@for kdir in $(KDIR); do $(call build-module,$$kdir) || exit 1; done

lab-modules:
	@$(MAKE) module KDIR='$(LABDIRS)'

# All that runs in the lab, on a kernel that looks for mistakes.
lab-debug: deps
	@$(MAKE) daemon cli && $(MAKE) -C selftests O=$(O) all
	@selftests/lab/debug-kernel
	@$(MAKE) -C selftests O=$(O) check KERNELS=debug WHERE=lab

# Parts with a Makefile of their own put their programs into O.
sub = @if [ -e $(1)/Makefile ]; then $(MAKE) -C $(1) O=$(O) $(2); \
	else echo "$(1): nothing to make" >&2; exit 1; fi

daemon cli: | $(O)
	$(call sub,$@,all)

uhost: | $(O)
	$(call sub,selftests/host,all)

$(O):
	@mkdir -p $@

deps:
	@.ci/deps

guest:
	@selftests/guest/fetch

demo: deps
	@$(MAKE) lab-modules daemon cli
	@selftests/lab/demo

shell: deps
	@$(MAKE) lab-modules daemon cli
	@selftests/lab/demo --shell

check style: deps
	@$(MAKE) -C selftests O=$(O) $@

check-isa: deps
	@rm -f $(O)/isa/share
	@$(MAKE) -C selftests O=$(O) check TESTS=make:uhost,make:tests,make:module,isa; status=$$?; \
		cat $(O)/isa/share 2>/dev/null || echo 'broken engines: none was tried'; exit $$status

COUNT ?= 20000
check-random: deps uhost
	@$(MAKE) -C selftests/isa O=$(O) all
	@O=$(O) selftests/isa/random.py --count $(COUNT) --batch 250 --timeout 120 $(if $(SEED),--seed $(SEED))

SECONDS ?= 1800
fuzz: deps
	@$(MAKE) -C selftests/fuzz O=$(O) SECONDS=$(SECONDS) fuzz

bench bench-boot bench-opts: deps
	@$(MAKE) -C selftests/bench O=$(O) $@

bench-lab: deps
	@$(MAKE) lab-modules
	@$(MAKE) -C selftests/bench O=$(O) $@

format:
	@selftests/style/sources c | xargs clang-format -i

# kernel-doc's comments as reStructuredText, and Documentation/ as HTML where docutils is installed.
docs: | $(O)
	@selftests/style/kernel-doc $(O)/docs/source
	@! command -v rst2html >/dev/null || find Documentation -name '*.rst' | while read -r file; do \
		html=$(O)/docs/$${file#Documentation/}; mkdir -p $$(dirname $$html) && \
		rst2html --exit-status=2 $$file $${html%.rst}.html || exit 1; \
	done
	@cp Documentation/*.svg $(O)/docs/

# With a KDIR of several kernels, all of them.
install: all
	@set -e; for kdir in $(KDIR); do \
		release=$(call release,$$kdir); \
		$(MAKE) -C $$kdir M=$(O)/kmod-$$release \
			$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install; \
	done
	$(call sub,daemon,install)
	$(call sub,cli,install)
	@[ -n "$(DESTDIR)" ] || { groupadd -r -f dtv; \
		if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi; \
		if [ -e /run/udev/control ]; then udevadm control --reload; fi; }

uninstall:
	-$(call sub,daemon,uninstall)
	-$(call sub,cli,uninstall)
	for kdir in $(KDIR); do \
		release=$(call release,$$kdir); \
		rm -f $(DESTDIR)/lib/modules/$$release/updates/dtv.ko* \
			$(DESTDIR)/lib/modules/$$release/extra/dtv.ko*; \
		[ -n "$(DESTDIR)" ] || depmod $$release; \
	done

clean:
	rm -rf $(O)

.PHONY: all help module lab-modules lab-debug daemon cli uhost deps guest demo shell check check-isa check-random fuzz \
	style bench bench-boot bench-opts bench-lab \
	format docs install uninstall clean
