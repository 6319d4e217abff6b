# Everything a newcomer needs is `make run` and `make test`; the README says more.

swift_build := swift build --configuration release --product counter
counter := .build/release/counter
packages := libhiredis-dev redis-server pkg-config
test_packages := $(packages) bats binutils curl git shellcheck valgrind

# The same program with a script that ignores the claim, to check the chaos suite with.
broken := .build/release/broken-counter

test_environment = COUNTER_EXECUTABLE="$(CURDIR)/$(counter)" BROKEN_COUNTER="$(CURDIR)/$(broken)"
swift_code := Package.swift Sources Tests Benchmarks Fuzzing
python := .build/python/bin/python -B

# What is tested under the sanitizers each time; `make sanitize` tests all but costs, chaos and load.
sanitized_shortly := --filter "^(HTTP|AccessLog|System|Telemetry|Redis|Counting|CounterApp)Tests|RequestTable|Leak"

.PHONY: run build broken test test-tools test-swift test-chart test-scripts lint format clean
.PHONY: sanitize sanitize-address sanitize-thread fuzz corpus image-test chaos reliability
.PHONY: bench replicas

## Starts the counter on port 8000, with its data in ./data. More flags: make run flags='--port 80'
run: build
	@exec $(counter) $(flags)

## Builds the program, optimized: .build/release/counter
build:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	$(swift_build)

broken:
	swift build --configuration release --product broken-counter

# Tests

## Installs what the tests need, and runs them all against the optimized program.
test: test-tools
	$(MAKE) --no-print-directory lint test-swift test-chart test-scripts
	$(MAKE) --no-print-directory sanitize visits=10000 short='$(sanitized_shortly)'

# Installs what the tests need.
test-tools:
	@scripts/check-swift
	@scripts/install-packages $(test_packages)
	@scripts/install-test-tools
	@scripts/install-promtool

## Tests the program, its modules, and that it is exact under faults.
test-swift: test-tools build broken
	$(test_environment) swift test --skip ReliabilityTests
	@# By themselves, for they measure how long visitors wait.
	$(test_environment) swift test --skip-build --filter ReliabilityTests
	@# The loops that `make replicas` emulates count exactly, too; what they measure here is not kept.
	swift run emulated-loops --loops 1 16 --rates 5000 --delays 0 --seconds 1 --attempts 1

## Checks the Helm chart: every rendering, what it promises, and its Redis, without a cluster.
test-chart: test-tools build
	PYTHONPATH=Tests/Kubernetes $(test_environment) \
	  $(python) -m unittest discover --start-directory Tests/Chart

## Runs deploy.sh and upgrade.sh with the real tools against a stand-in for a cluster, and with
## stand-ins for the tools, which fail in every stage.
test-scripts: test-tools build
	bats Tests/Scripts

## Builds the image and tries it; needs no container engine and no registry: about three minutes.
image-test:
	@scripts/check-swift
	@scripts/install-packages $(packages) buildah mmdebstrap iproute2 python3
	Tests/Image/run

## The tests under AddressSanitizer and ThreadSanitizer, with a search for leaks after 100,000 visits.
sanitize: sanitize-address sanitize-thread

sanitize-address: test-tools
	swift build --sanitize address --scratch-path .build/address --build-tests
	SANITIZER=address LEAK_VISITS=$(or $(visits),100000) ASAN_OPTIONS=detect_leaks=0 \
	  swift test --sanitize address --scratch-path .build/address --skip-build \
	  $(or $(short),--skip "Cost|Chaos|Reliability")

# Threads are the program's only, so it alone is built with ThreadSanitizer, and the tests ask it.
sanitize-thread: test-tools
	SANITIZE_THREADS=1 swift build --scratch-path .build/thread --product counter
	swift build --build-tests
	SANITIZER=thread LEAK_VISITS=$(or $(visits),100000) \
	  TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/thread-sanitizer.txt" \
	  COUNTER_EXECUTABLE="$(CURDIR)/.build/thread/debug/counter" \
	  swift test --skip-build --filter "^CounterTests\." \
	  $(if $(short),--skip "CommandLine|PrivateRedis|Connection") --skip CostTests

## Looks for requests that crash the server, or that it answers differently when they come in pieces,
## for a minute, or for as long as: make fuzz seconds=600. What it finds is in .build/fuzz/findings.
fuzz:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	Fuzzing/run $(or $(seconds),60)

## Adds to Fuzzing/Corpus what `make fuzz` came upon, as far as it is anything new.
corpus:
	Fuzzing/minimize

## Every fault of Redis and the network for a minute, so half an hour in all, or for as long as:
## make chaos seconds=10
chaos: build broken
	$(test_environment) CHAOS_SECONDS=$(or $(seconds),60) swift test --filter ChaosTests

## Load and hostile clients at full length, a figure each: what docs/reliability.md shows.
reliability: build
	$(test_environment) RELIABILITY=full swift test --filter ReliabilityTests

# Measurements

## Measures the counter beside its peers, and writes docs/benchmark.*: about a quarter of an hour.
bench: build
	Benchmarks/run $(flags)

## Measures what up to 1,000 event loops ask of one Redis.
replicas:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	swift run --configuration release emulated-loops $(flags)

# Code

## Checks the formatting of the Swift code, the shell scripts, and the Dockerfile.
lint: test-tools
	swift format lint --strict --recursive --parallel $(swift_code)
	shellcheck $(filter-out scripts/deployment,$(wildcard scripts/*)) .ci/run Benchmarks/run \
	  Fuzzing/run Fuzzing/minimize Tests/Image/run Tests/Image/visit
	shellcheck --check-sourced deploy.sh upgrade.sh
	shellcheck $(wildcard Tests/Scripts/stand-ins/*)
	@# Bats loads one into the other, which cannot be followed: what one sets is used by another.
	shellcheck --exclude SC2034,SC2154 $(wildcard Tests/Scripts/*.ba*)
	.build/python/bin/hadolint Dockerfile

## Formats the Swift code.
format:
	swift format --in-place --recursive --parallel $(swift_code)

## Removes what was built; the data stays.
clean:
	rm -rf .build
