"""One module a measurement. Each returns its runs, raw, as they go into the JSON."""
