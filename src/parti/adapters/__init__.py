"""Adapters: what fulfils the ports on this machine, in a virtual world, and over HTTP."""
