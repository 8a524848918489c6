"""Runs Heliograph with real servers on one machine: what ./dev calls, and what the tests' harness is built on."""
