# Everything a newcomer needs is `make run` and `make test`; the README says more.

swift_build := swift build --configuration release --product counter
counter := .build/release/counter
packages := libhiredis-dev redis-server pkg-config
test_packages := $(packages) binutils shellcheck valgrind

# A counter that sends INCR again without a claim, as others do, to check the chaos suite with.
broken := .build/broken/release/counter

# What is tested under the sanitizers each time; `make sanitize` tests all but costs and chaos.
sanitized_shortly := --filter "^(HTTP|EventLoop|Redis|Counting|CounterApp)Tests|RequestTable|Leak"

.PHONY: sanitize sanitize-address sanitize-thread fuzz corpus test-tools run build test chaos bench replicas broken lint format clean

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
	$(MAKE) --no-print-directory lint build broken test-tools
	$(test_environment) swift test
	$(MAKE) --no-print-directory sanitize visits=10000 short='$(sanitized_shortly)'

## Every fault of Redis and the network for a minute, or for as long as: make chaos seconds=10
chaos: build broken
	$(test_environment) CHAOS_SECONDS=$(or $(seconds),60) swift test --filter ChaosTests

## Measures the counter beside its peers, and writes docs/benchmark.*: about a quarter of an hour.
bench: build
	Benchmarks/run $(flags)

## Measures what up to 1,000 event loops ask of one Redis.
replicas:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	swift run --configuration release emulated-loops $(flags)

## The tests under AddressSanitizer and ThreadSanitizer, with a search for leaks after 100,000 visits.
sanitize: sanitize-address sanitize-thread

sanitize-address: test-tools
	@scripts/check-swift
	@scripts/install-packages $(test_packages)
	swift build --sanitize address --scratch-path .build/address --build-tests
	SANITIZER=address LEAK_VISITS=$(or $(visits),100000) ASAN_OPTIONS=detect_leaks=0 \
	  swift test --sanitize address --scratch-path .build/address --skip-build \
	  $(or $(short),--skip "Cost|Chaos")

# Threads are the program's only, so it alone is built with ThreadSanitizer, and the tests ask it.
sanitize-thread:
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

## Installs what the tests take from PyPI.
test-tools:
	@scripts/install-test-tools

broken:
	$(swift_build) --scratch-path .build/broken -Xswiftc -DCOUNT_WITHOUT_CLAIM

## Checks the formatting of the Swift code, and the shell scripts.
lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks Fuzzing
	shellcheck scripts/* .ci/run Benchmarks/run Fuzzing/run Fuzzing/minimize

## Formats the Swift code.
format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks Fuzzing

## Removes what was built; the data stays.
clean:
	rm -rf .build

test_environment = COUNTER_EXECUTABLE="$(CURDIR)/$(counter)" BROKEN_COUNTER="$(CURDIR)/$(broken)"
