"""Releases: the source archive and the wheels, made and tested; `make wheels`."""
