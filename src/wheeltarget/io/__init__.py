"""The outside world, without Poetry: network, cache, archives."""
