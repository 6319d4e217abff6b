# Everything a newcomer needs is `make run` and `make test`; the README says more.

swift_build := swift build --configuration release --product counter
counter := .build/release/counter
packages := libhiredis-dev redis-server pkg-config
test_packages := $(packages) binutils shellcheck valgrind

# A counter that sends INCR again without a claim, as others do, to check the chaos suite with.
broken := .build/broken/release/counter

.PHONY: run build test chaos reliability bench replicas broken lint format clean

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
	$(MAKE) --no-print-directory lint build broken
	$(test_environment) swift test --skip ReliabilityTests
	$(test_environment) swift test --skip-build --filter ReliabilityTests

## Every fault of Redis and the network for a minute, or for as long as: make chaos seconds=10
chaos: build broken
	$(test_environment) CHAOS_SECONDS=$(or $(seconds),60) swift test --filter ChaosTests

## Load and hostile clients at full length, a figure each: what docs/reliability.md shows.
reliability: build
	$(test_environment) RELIABILITY=full swift test --filter ReliabilityTests

## Measures the counter beside its peers, and writes docs/benchmark.*: about a quarter of an hour.
bench: build
	Benchmarks/run $(flags)

## Measures what up to 1,000 event loops ask of one Redis.
replicas:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	swift run --configuration release emulated-loops $(flags)

broken:
	$(swift_build) --scratch-path .build/broken -Xswiftc -DCOUNT_WITHOUT_CLAIM

## Checks the formatting of the Swift code, and the shell scripts.
lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	shellcheck scripts/* .ci/run Benchmarks/run

## Formats the Swift code.
format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

## Removes what was built; the data stays.
clean:
	rm -rf .build

test_environment = COUNTER_EXECUTABLE="$(CURDIR)/$(counter)" BROKEN_COUNTER="$(CURDIR)/$(broken)"
