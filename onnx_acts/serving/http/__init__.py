"""An HTTP server that speaks the Open Inference Protocol, version 2.

From the bottom up: `refusals`, `datatypes`, `tensors`, `requests` and `answers` are the protocol,
and know nothing of HTTP frameworks; `models` runs it on sessions; `pace`, `bodies`, `sending`,
`metrics`, `inference`, `draining` and `app` are the ASGI application; `connections`, `server` and
`workers` are the processes around it.
"""
