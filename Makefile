# Everything a newcomer needs is `make run` and `make test`; the README says more.

swift_build := swift build --configuration release
counter := .build/release/counter
packages := libhiredis-dev redis-server pkg-config
test_packages := $(packages) shellcheck

.PHONY: run build test unit-test lint format clean

## Starts the counter on port 8000, with its data in ./data. More flags: make run flags='--port 80'
run: build
	@exec $(counter) $(flags)

## Builds the program, optimized: .build/release/counter
build:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	$(swift_build)

## Installs what the tests need, and runs them all against the optimized program.
test:
	@scripts/check-swift
	@scripts/install-packages $(test_packages)
	$(MAKE) --no-print-directory lint build
	COUNTER_EXECUTABLE="$(CURDIR)/$(counter)" swift test

## Checks the formatting of the Swift code, and the shell scripts.
lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests
	shellcheck scripts/* .ci/run

## Formats the Swift code.
format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests

## Removes what was built; the data stays.
clean:
	rm -rf .build
