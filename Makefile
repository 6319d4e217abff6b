# Everything a newcomer needs is `make run` and `make test`; the README says more.

swift_build := swift build --configuration release --product counter
counter := .build/release/counter
packages := libhiredis-dev redis-server pkg-config
test_packages := $(packages) binutils shellcheck valgrind

# A counter that sends INCR again without a claim, as others do, to check the chaos suite with.
broken := .build/broken/release/counter

.PHONY: run build test chaos bench replicas broken lint format clean
.PHONY: image-test lint-image test-tools test-chart

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
	$(MAKE) --no-print-directory lint lint-image build broken
	$(test_environment) swift test
	@# The loops that `make replicas` emulates count exactly, too; what they measure here is not kept.
	swift run emulated-loops --loops 1 16 --rates 5000 --delays 0 --seconds 1 --attempts 1
	$(MAKE) --no-print-directory test-chart

## Every fault of Redis and the network for a minute, or for as long as: make chaos seconds=10
chaos: build broken
	$(test_environment) CHAOS_SECONDS=$(or $(seconds),60) swift test --filter ChaosTests

## Checks the Helm chart: every rendering, what it promises, and its Redis, without a cluster.
test-chart: test-tools build
	$(test_environment) .build/python/bin/python -B -m unittest discover --start-directory Tests/Chart

test-tools:
	@scripts/install-test-tools

## Measures the counter beside its peers, and writes docs/benchmark.*: about a quarter of an hour.
bench: build
	Benchmarks/run $(flags)

## Measures what up to 1,000 event loops ask of one Redis.
replicas:
	@scripts/check-swift
	@scripts/install-packages $(packages)
	swift run --configuration release emulated-loops $(flags)

## Builds the image and tries it; needs no container engine and no registry: about three minutes.
image-test:
	@scripts/check-swift
	@scripts/install-packages $(packages) buildah mmdebstrap iproute2 python3
	Tests/Image/run

broken:
	$(swift_build) --scratch-path .build/broken -Xswiftc -DCOUNT_WITHOUT_CLAIM

## Checks the formatting of the Swift code, and the shell scripts.
lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	shellcheck scripts/* .ci/run Benchmarks/run Tests/Image/run Tests/Image/visit

## Checks the Dockerfile.
lint-image: test-tools
	.build/python/bin/hadolint Dockerfile

## Formats the Swift code.
format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

## Removes what was built; the data stays.
clean:
	rm -rf .build

test_environment = COUNTER_EXECUTABLE="$(CURDIR)/$(counter)" BROKEN_COUNTER="$(CURDIR)/$(broken)"
