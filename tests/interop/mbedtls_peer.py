"""Mbed TLS in both roles."""

import library_peer


def main(session):
    library_peer.against(session, library_peer.Peer(session, "mbedtls", "libmbedtls-dev", renegotiates=True))
