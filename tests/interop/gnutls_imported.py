"""A client of GnuTLS's library with an imported pre-shared key (RFC 9258), which its tools do not have: PORT IDENTITY KEY CONTEXT."""

import ctypes
import socket
import sys

TLS13, SHA256, CLIENT, PSK, IMPORT, AGAIN = 5, 6, 2, 4, 2, -28  # of gnutls.h
LINE = b"over the wire\n"


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]


def main():
    port, identity, key, context = int(sys.argv[1]), sys.argv[2].encode(), bytes.fromhex(sys.argv[3]), sys.argv[4].encode()
    tls, libc = ctypes.CDLL("libgnutls.so.30"), ctypes.CDLL(None)
    tls.gnutls_strerror.restype = ctypes.c_char_p
    libc.malloc.restype = ctypes.c_void_p

    def must(code):
        if code < 0:
            sys.exit(tls.gnutls_strerror(code).decode())
        return code

    def datum(content):
        made = Datum(libc.malloc(len(content)), len(content))
        ctypes.memmove(made.data, content, len(content))
        return made

    imported, credentials, session = Datum(), ctypes.c_void_p(), ctypes.c_void_p()
    must(tls.gnutls_psk_format_imported_identity(ctypes.byref(datum(identity)), ctypes.byref(datum(context)), TLS13, SHA256, ctypes.byref(imported)))

    # Only by this function does its client import.
    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Datum), ctypes.POINTER(Datum), ctypes.POINTER(ctypes.c_int))
    def give(_session, name, secret, flags):
        name[0], secret[0], flags[0] = datum(ctypes.string_at(imported.data, imported.size)), datum(key), IMPORT
        return 0

    must(tls.gnutls_psk_allocate_client_credentials(ctypes.byref(credentials)))
    tls.gnutls_psk_set_client_credentials_function3(credentials, give)
    must(tls.gnutls_init(ctypes.byref(session), CLIENT))
    must(tls.gnutls_priority_set_direct(session, b"NORMAL:-VERS-ALL:+VERS-TLS1.3:+ECDHE-PSK:+DHE-PSK:+PSK", None))
    must(tls.gnutls_credentials_set(session, PSK, credentials))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        tls.gnutls_transport_set_int2(session, connection.fileno(), connection.fileno())
        must(tls.gnutls_handshake(session))
        must(tls.gnutls_record_send(session, LINE, len(LINE)))
        room = ctypes.create_string_buffer(100)
        while (size := tls.gnutls_record_recv(session, room, len(room))) == AGAIN:  # a ticket
            pass
        print(room.raw[:must(size)].decode(), end="")
        tls.gnutls_bye(session, 1)


main()
