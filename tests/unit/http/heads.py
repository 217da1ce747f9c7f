"""Strategies for heads: well formed, nearly so, and not at all."""

from hypothesis import strategies as st

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SPECIAL_NAMES = (
    b"Host",
    b"Content-Length",
    b"Transfer-Encoding",
    b"Connection",
    b"Expect",
    b"Upgrade",
    b"TE",
    b"Trailer",
    b"Keep-Alive",
    b"Proxy-Connection",
    b"X-Forwarded-For",
    b"X_Forwarded_For",
    b"Content_Length",
    b"X-Request-Id",
    b"Accept",
)
SPECIAL_VALUES = (
    b"a.example",
    b"0",
    b"5",
    b"05",
    b"5, 5",
    b"+5",
    b"chunked",
    b"Chunked",
    b"gzip, chunked",
    b"identity",
    b"close",
    b"keep-alive, X-Named",
    b"100-continue",
    b"",
    b"  ",
)

tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=12).map(str.encode)
values = st.text("\t !\"#$%&'()*+,-./0123456789:;<=>?@ABCxyz[\\]^_`{|}~\x80\xff", max_size=24).map(
    lambda text: text.encode("latin-1")
)
targets = st.text("!\"$%&'()*+,-./0123456789:;<=>?@ABCxyz[\\]^_`{|}~", max_size=24).map(
    lambda text: b"/" + text.encode()
)
methods = st.sampled_from((b"GET", b"HEAD", b"POST", b"CCM_POST", b"BITS_POST", b"PROPFIND")) | tokens
fields = st.tuples(
    st.sampled_from(SPECIAL_NAMES) | st.just(b"X-Named") | tokens,
    st.sampled_from((b":", b": ", b":\t")),
    st.sampled_from(SPECIAL_VALUES) | values,
)


def _request(method: bytes, target: bytes, minor: bytes, host: bytes, lines: list[tuple[bytes, bytes, bytes]]) -> bytes:
    head = method + b" " + target + b" HTTP/1." + minor + b"\r\n" + host
    return head + b"".join(name + colon + value + b"\r\n" for name, colon, value in lines) + b"\r\n"


def _response(status: int, minor: bytes, reason: bytes, lines: list[tuple[bytes, bytes, bytes]]) -> bytes:
    head = b"HTTP/1.%b %d%b\r\n" % (minor, status, reason)
    return head + b"".join(name + colon + value + b"\r\n" for name, colon, value in lines) + b"\r\n"


request_heads = st.builds(
    _request,
    methods,
    targets,
    st.sampled_from((b"1", b"0")),
    st.sampled_from((b"Host: a.example\r\n", b"")),
    st.lists(fields, max_size=6),
)
response_heads = st.builds(
    _response,
    st.integers(100, 599),
    st.sampled_from((b"1", b"0")),
    st.just(b"") | values.map(lambda value: b" " + value),
    st.lists(fields, max_size=6),
)


@st.composite
def spoilt(draw: st.DrawFn, heads: st.SearchStrategy[bytes]) -> bytes:
    """A head with a few bytes put in, taken out or replaced: near enough to the grammar to find its edges."""
    head = bytearray(draw(heads))
    for _ in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, len(head)))
        length = draw(st.integers(0, 2))
        head[position : position + length] = draw(
            st.sampled_from(
                (b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\0", b"\x0b", b"\x7f", b"\xff", b",", b"\r\n ")
            )
        )
    return bytes(head)


any_request_bytes = request_heads | spoilt(request_heads) | st.binary(max_size=200)
any_response_bytes = response_heads | spoilt(response_heads) | st.binary(max_size=200)
