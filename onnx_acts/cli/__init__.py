"""The command line: one module for each command; nothing imports it."""
