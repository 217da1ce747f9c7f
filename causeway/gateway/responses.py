"""Where a refusal becomes a response: the status line carries the word, and headers and body say the same."""

from causeway.gateway.failures import PERIOD_S
from causeway.refusals import REFUSALS


def refusal_head_and_body(
    word: str, request_id: bytes, *, head_only: bool, close: bool, allow: str = ""
) -> tuple[int, bytes]:
    """The status and the whole response for ``word``; it says that the gateway answered, not what stands behind it."""
    refusal = REFUSALS[word]
    body = f"{refusal.status} {word}\n{refusal.meaning}\nRequest {request_id.decode()}\n".encode()
    head = (
        f"HTTP/1.1 {refusal.status} {word}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        f"X-Causeway-Error: {word}\r\n"
        f"X-Request-Id: {request_id.decode()}\r\n"
    )
    if refusal.status == 405:
        head += f"Allow: {allow}\r\n"
    elif refusal.status == 401:
        head += "WWW-Authenticate: Bearer\r\n"
    elif refusal.status == 429:
        head += f"Retry-After: {PERIOD_S:.0f}\r\n"
    if close:
        head += "Connection: close\r\n"
    return refusal.status, head.encode() + b"\r\n" + (b"" if head_only else body)


def own_answer(body: bytes, request_id: bytes, *, head_only: bool, close: bool) -> bytes:
    """An answer that the gateway gives itself: JSON."""
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        b"Content-Length: %d\r\nX-Request-Id: %b\r\n%b\r\n"
        % (len(body), request_id, b"Connection: close\r\n" if close else b"")
    )
    return head if head_only else head + body
