# A thin face over meson. `make demo` is the first command of the README, `make test` the second.
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
SANITIZED = build-sanitized
FUZZED = build-fuzz
FUZZ_SECONDS ?= 60
INSTALL_PACKAGES = tests/packages/install
export DESTDIR

.PHONY: all help demo install uninstall test test-slow test-user test-vm lint fuzz bench clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

help:
	@echo 'make                 build into ./$(BUILD)'
	@echo 'make install         install below PREFIX ($(PREFIX)); DESTDIR is honoured'
	@echo 'make demo            as root on Debian 12: packages, build, install, one container'
	@echo 'make test            all tests (TESTS="tests/a.bats ..." picks whole-program tests)'
	@echo 'make test-user       the whole-program tests as an ordinary user'
	@echo 'make test-slow       projects whose tools are large, built, pushed, and run by docker and podman, too'
	@echo 'make test-vm         the same whole-program tests in a VM: systemd, cgroup v2, AppArmor'
	@echo 'make lint            layers, names, format, ceilings, analyzers'
	@echo 'make fuzz            each fuzz target for FUZZ_SECONDS ($(FUZZ_SECONDS)); FUZZ=name picks one'
	@echo 'make bench           side by side with the engines that are installed'
	@echo 'make clean           remove what was built'

$(BUILD)/build.ninja:
	@meson setup --prefix=$(PREFIX) $(BUILD)
	@echo '$(PREFIX)' >$(BUILD)/prefix

$(SANITIZED)/build.ninja:
	@meson setup -Db_sanitize=address,undefined -Db_lundef=false $(SANITIZED)

$(FUZZED)/build.ninja:
	@CC=clang meson setup -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false $(FUZZED)

# The place of libexec/holm is compiled in, so a new PREFIX means a new configuration.
install: all
	@[ "$$(cat $(BUILD)/prefix 2>/dev/null)" = '$(PREFIX)' ] || { \
		meson configure --prefix=$(PREFIX) $(BUILD) && echo '$(PREFIX)' >$(BUILD)/prefix; }
	@meson install --quiet --strip -C $(BUILD)

uninstall:
	@ninja -C $(BUILD) uninstall

demo:
	@$(INSTALL_PACKAGES) build run
	@$(MAKE) --no-print-directory all install
	$(PREFIX)/bin/holm run --rm busybox echo 'Hello from a container.'

test:
	@$(INSTALL_PACKAGES) build run test callers
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja $(SANITIZED)/build.ninja
	@meson configure -Dtests=enabled $(BUILD) # Check may be newer than ./$(BUILD)
	@ninja -C $(BUILD)
	@ninja -C $(SANITIZED)
	@tests/run $(BUILD) $(SANITIZED) $(TESTS)

test-user:
	@$(INSTALL_PACKAGES) build run test
	@$(MAKE) --no-print-directory all
	@HOLM_TEST_USER=1 tests/run $(BUILD) $(SANITIZED) $(or $(TESTS),$(wildcard tests/*.bats))

test-slow:
	@$(MAKE) --no-print-directory test TESTS="$(wildcard tests/slow/*.bats)"

test-vm:
	@$(INSTALL_PACKAGES) build test vm
	@$(MAKE) --no-print-directory all
	@tests/vm/run $(BUILD) $(TESTS)

lint:
	@$(INSTALL_PACKAGES) build test lint
	@$(MAKE) --no-print-directory all
	@tests/lint/run $(BUILD)

fuzz:
	@$(INSTALL_PACKAGES) build test
	@$(MAKE) --no-print-directory $(FUZZED)/build.ninja
	@ninja -C $(FUZZED) fuzzers
	@tests/fuzz/run $(FUZZED) $(FUZZ_SECONDS) $(FUZZ)

bench:
	@$(INSTALL_PACKAGES) build run bench
	@$(MAKE) --no-print-directory all
	@tests/bench/run $(BUILD)

clean:
	@rm -rf $(BUILD) $(SANITIZED) $(FUZZED)
