"""Serving models: sessions on our kernels, and where their nodes ran."""
