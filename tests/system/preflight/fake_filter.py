"""A fake filter on the way: it listens at an address and port, and does one thing wrong there.

Its limits: it knows no protocol. What it says first, it says whatever it is asked.

    python -m tests.system.preflight.fake_filter BEHAVIOUR ADDRESS PORT [BEHAVIOUR ADDRESS PORT …]
"""

import contextlib
import socket
import struct
import sys
import threading


def silent(connection: socket.socket) -> None:
    """Take everything and never answer."""
    while connection.recv(65536):
        pass


def reset(connection: socket.socket) -> None:
    """Cut the connection when the first bytes come."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def portal(connection: socket.socket) -> None:
    """Lead everybody to a page of one's own."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\nContent-Length: 0\r\n\r\n")


def banner(connection: socket.socket) -> None:
    """Be something else, with an escape sequence for the terminal in it."""
    connection.recv(65536)
    connection.sendall(b"SSH-2.0-\x1b[31mOdd\r\n\r\n")


BEHAVIOURS = {each.__name__: each for each in (silent, reset, portal, banner)}


def drop(address: str, port: int) -> list[socket.socket]:
    """Like a firewall that drops: with its queue full, the kernel leaves every further SYN without an answer."""
    listener = socket.create_server((address, port), backlog=0)
    waiting = []
    for _ in range(4):
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex((address, port))
    return [listener, *waiting]


def nameless(address: str, port: int) -> None:
    """A resolver that knows no name: whatever is asked, there is no such name (RFC 1035, 4.1.1)."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, port))

    def answer() -> None:
        while True:
            question, asker = server.recvfrom(4096)
            server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], asker)

    threading.Thread(target=answer, daemon=True).start()


def serve(behaviour: str, address: str, port: int) -> None:
    """One listener, a thread for each connection."""
    listener = socket.create_server((address, port))

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            BEHAVIOURS[behaviour](connection)

    def accept() -> None:
        while True:
            threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main() -> None:
    """Start all of them, say so, and wait for the end."""
    kept = []
    for behaviour, address, port in zip(*[iter(sys.argv[1:])] * 3, strict=True):
        if behaviour == "drop":
            kept += drop(address, int(port))
        elif behaviour == "nameless":
            nameless(address, int(port))
        else:
            serve(behaviour, address, int(port))
    print("listening", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
