"""Sends a STUN Binding request (RFC 8489 § 5) in a TLS session on port 443.

    stun_tls.py ADDRESS NAME

The certificate has to be good for the name. Prints the type of what comes back, which
is 0101 for success.
"""

import os
import socket
import ssl
import sys

address, name = sys.argv[1:]
context = ssl.create_default_context()
with context.wrap_socket(socket.create_connection((address, 443), 5), server_hostname=name) as session:
    session.settimeout(5)
    transaction = os.urandom(12)
    session.sendall(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + transaction)
    answer = session.recv(2048)
    assert answer[8:20] == transaction, answer
    print(answer[:2].hex())
