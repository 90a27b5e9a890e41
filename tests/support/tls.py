"""TLS for the servers of the tests, with one certificate for all purposes."""

from __future__ import annotations

import ssl
from pathlib import Path

from support.index import IndexServer

#: A certificate for 127.0.0.1 that only its owner trusts, and its key; good for a client, too.
CERTIFICATE = Path(__file__).with_name("loopback.pem")


def speak_tls(index: IndexServer, *, mutual: bool = False) -> str:
    """Let a listening index speak TLS from now on. Gives its root.

    ``mutual``: only to clients that have the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    if mutual:
        context.load_verify_locations(CERTIFICATE)
        context.verify_mode = ssl.CERT_REQUIRED
        # With 1.3 a client without one learns of it after the handshake, or of a reset instead.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = index._listeners[0]
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    return index.index_url.replace("http:", "https:")
