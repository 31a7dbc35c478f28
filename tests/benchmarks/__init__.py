"""Measurements that take too long for a test; each is a `make bench-...`."""
