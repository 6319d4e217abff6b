"""Measures the counter beside its peers. Benchmarks/run starts it."""
