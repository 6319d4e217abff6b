# A newcomer needs `make run` and `make test`. The README explains the rest.

swift_build := swift build --configuration release --product counter
counter := .build/release/counter
packages := libhiredis-dev libssl-dev redis-server pkg-config
test_packages := $(packages) bats binutils chromium curl fonts-dejavu-core fonts-liberation git libnss-wrapper openssl shellcheck valgrind

# The same program with a script that ignores the claim, to check the chaos suite with.
broken := .build/release/broken-counter

test_environment = COUNTER_EXECUTABLE="$(CURDIR)/$(counter)" BROKEN_COUNTER="$(CURDIR)/$(broken)"
swift_code := Package.swift Sources Tests Benchmarks Fuzzing
python := .build/python/bin/python -B

# The tests that `make test-long` runs under AddressSanitizer. `make sanitize` runs all tests but
# those of cost, chaos and load.
sanitized_shortly := --filter "^(HTTP|AccessLog|System|Telemetry|Redis|Counting|CounterApp)Tests|RequestTable|Leak"

# The tests with sentinels or a Redis Cluster. They run one after the other: a server that gets no
# processor for a second is taken for a lost one.
failovers := ChaosTests/(failovers|replicas|cluster)|CounterTests.(Sentinel|RedisCluster)Tests|CountingTests.ClusterTests

.PHONY: run build broken test test-tools test-swift test-openapi test-browser test-chart
.PHONY: test-scripts test-long test-loops sanitize sanitize-address sanitize-thread fuzz corpus image-test chaos
.PHONY: reliability bench replicas lint format clean

## Starts the counter on port 8000 with its data in ./data. More flags: make run flags='--port 80'
run: build
	@exec $(counter) $(flags)

## Builds the optimized program, .build/release/counter.
build:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	$(swift_build)

## Builds a program that is not exact, to test the chaos suite with.
broken:
	swift build --configuration release --product broken-counter

# Tests

## Installs the tools of the tests and runs the tests with the optimized program: about half
## an hour on two processors.
test: test-tools
	$(MAKE) --no-print-directory lint test-swift test-openapi test-browser test-chart \
	  test-scripts

## Runs the tests that take long and find less: the sanitizers in their short form and the emulated
## loops. Ten minutes on two processors, after `make test`.
test-long: test-tools
	$(MAKE) --no-print-directory test-loops
	$(MAKE) --no-print-directory sanitize visits=10000 short='$(sanitized_shortly)'

## Installs the tools of the tests, under .build as far as possible.
test-tools:
	@scripts/check-swift
	@scripts/install-packages $(test_packages)
	@scripts/install-test-tools
	@scripts/install-promtool

## Tests the modules and the program, with faults and under load.
test-swift: test-tools build broken
	$(test_environment) swift test --skip "ReliabilityTests|$(failovers)"
	@# Alone, because they measure how long clients wait.
	$(test_environment) swift test --skip-build --filter ReliabilityTests
	$(test_environment) swift test --skip-build --no-parallel --filter "$(failovers)"

## Tests that the loops that `make replicas` emulates count exactly. The figures are not kept.
test-loops:
	swift run emulated-loops --loops 1 16 --rates 5000 --delays 0 --seconds 1 --attempts 1

## Tests the program against docs/openapi.yaml: its examples, its routes, and thousands of requests
## that schemathesis derives from it, the same ones each time. A minute and a half.
test-openapi: test-tools build
	$(test_environment) \
	  $(python) -m unittest discover --start-directory Tests/OpenAPI

## Tests in a browser what pages show: counter.js on the pages of others, and the live page. Pictures
## are in .build/pictures. A part only: make test-browser flags='-k origins'
test-browser: test-tools build
	$(test_environment) $(python) -m pytest --quiet -p no:cacheprovider Tests/Browser $(flags)

## Tests the Helm chart without a cluster: each rendering, the program with its flags, its Redis.
test-chart: test-tools build
	PYTHONPATH=Tests/Kubernetes $(test_environment) \
	  $(python) -m unittest discover --start-directory Tests/Chart

## Tests deploy.sh and upgrade.sh, with the real tools and an emulated cluster, and with emulated
## tools that fail in each stage.
test-scripts: test-tools build
	bats Tests/Scripts

## Builds the image and tests it, without a container engine and a registry: about three minutes.
image-test:
	@scripts/check-swift
	@scripts/install-packages $(packages) buildah mmdebstrap iproute2 openssl python3
	Tests/Image/run

## Runs the tests under AddressSanitizer and ThreadSanitizer. Looks for leaks after 100,000 visits.
sanitize: sanitize-address sanitize-thread

## Runs the tests under AddressSanitizer.
sanitize-address: test-tools
	swift build --sanitize address --scratch-path .build/address --build-tests
	SANITIZER=address LEAK_VISITS=$(or $(visits),100000) ASAN_OPTIONS=detect_leaks=0 \
	  swift test --sanitize address --scratch-path .build/address --skip-build \
	  $(or $(short),--skip "Cost|Chaos|Reliability") --skip "$(failovers)"
	SANITIZER=address ASAN_OPTIONS=detect_leaks=0 \
	  swift test --sanitize address --scratch-path .build/address --skip-build --no-parallel \
	  --filter $(if $(short),CountingTests.ClusterTests,"$(failovers)") --skip ChaosTests

## Runs the program's tests with a program that was built with ThreadSanitizer. Only the program has
## threads that share data.
sanitize-thread: test-tools
	SANITIZE_THREADS=1 swift build --scratch-path .build/thread --product counter
	swift build --build-tests
	SANITIZER=thread LEAK_VISITS=$(or $(visits),100000) \
	  TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/thread-sanitizer.txt atexit_sleep_ms=0" \
	  COUNTER_EXECUTABLE="$(CURDIR)/.build/thread/debug/counter" \
	  swift test --skip-build --filter "^CounterTests\." \
	  $(if $(short),--skip "CommandLine|PrivateRedis|Connection|Sentinel|RedisCluster") --skip CostTests

## Looks for requests that crash the server or get another response when they arrive in pieces. Runs
## for a minute; for ten minutes: make fuzz seconds=600. Writes findings to .build/fuzz/findings.
fuzz:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	Fuzzing/run $(or $(seconds),60)

## Rewrites Fuzzing/Corpus: the fewest inputs of it and of `make fuzz` that reach all of the code.
corpus:
	Fuzzing/minimize

## Runs each fault of Redis and the network for a minute, an hour in all. For ten seconds each:
## make chaos seconds=10
chaos: build broken
	$(test_environment) CHAOS_SECONDS=$(or $(seconds),60) swift test --filter ChaosTests

## Runs the tests of load and hostile clients at full length and prints the table of
## docs/reliability.md.
reliability: build
	$(test_environment) RELIABILITY=full swift test --filter ReliabilityTests

# Measurements

## Measures the counter and its peers and writes docs/benchmark.*: about a quarter of an hour.
bench: build
	Benchmarks/run $(flags)

## Measures the load that up to 1,000 event loops put on one Redis.
replicas:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	swift run --configuration release emulated-loops $(flags)

# Code

## Checks the format of the Swift code, the shell scripts and the Dockerfile.
lint: test-tools
	swift format lint --strict --recursive --parallel $(swift_code)
	shellcheck $(filter-out scripts/deployment,$(wildcard scripts/*)) .ci/run Benchmarks/run \
	  Fuzzing/run Fuzzing/minimize Tests/Image/run Tests/Image/visit
	shellcheck --check-sourced deploy.sh upgrade.sh
	shellcheck $(wildcard Tests/Scripts/stand-ins/*)
	shellcheck --external-sources --source-path SCRIPTDIR $(wildcard helm/counter/scripts/*)
	@# Bats files use variables of files that shellcheck cannot see them load.
	shellcheck --exclude SC2034,SC2154 $(wildcard Tests/Scripts/*.ba*)
	.build/python/bin/hadolint Dockerfile

## Formats the Swift code.
format:
	swift format --in-place --recursive --parallel $(swift_code)

## Removes the build. The data stays.
clean:
	rm -rf .build
