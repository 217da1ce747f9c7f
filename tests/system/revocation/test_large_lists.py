"""A hundred thousand revoked certificates, and a list of fifty megabytes, on their way to every worker."""

import contextlib
import json
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto.core import OctetBitString
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.system.certificates import Pair
from tests.system.cloud import Cloud
from tests.system.data_path.client import Client
from tests.system.memory import MemoryWatch
from tests.system.processes import wait_until
from tests.system.revocation.openssl_ca import OpenSslAuthority
from tests.system.revocation.places import Places

pytestmark = [pytest.mark.measures, pytest.mark.timeout(300)]

MIB = 1024 * 1024
COUNT = 100_000
REVOKED = "CMGService_ClientCertificateRevoked"
SLOWEST_S = 3.0  # for a good client meanwhile, on a machine that has other things to do
WITHIN_S = 30.0


@contextlib.contextmanager
def served(clients: list[Client]) -> Iterator[list[float]]:
    """Good clients that ask all the time; how long each answer took, in seconds."""
    took: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            for client in clients:
                began = time.monotonic()
                assert client.ask("GET", "/app/x").status == 200
                took.append(time.monotonic() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def revoke_a_hundred_thousand(authority: OpenSslAuthority) -> None:
    """As if it had issued and revoked them; with serial numbers of twenty bytes."""
    with (authority.folder / "index.txt").open("a") as file:
        for number in range(COUNT):
            serial = f"40{secrets.token_hex(19).upper()}"
            file.write(f"R\t360101000000Z\t261101000000Z,keyCompromise\t{serial}\tunknown\t/CN=D{number}\n")


def der(tag: int, content: bytes) -> bytes:
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8 or 1, "big")
    length = size if len(content) < 128 else bytes([0x80 | len(size)]) + size
    return bytes([tag]) + length + content


def fifty_megabytes(authority: OpenSslAuthority, place: Path) -> None:
    """The list at ``place`` again, with half a kilobyte of what nobody needs to know in each entry."""
    tbs = asn1_crl.CertificateList.load(place.read_bytes())["tbs_cert_list"]
    note = der(0x30, der(0x06, bytes.fromhex("2b0601040182373f01")) + der(0x04, b"x" * 480))
    entries = bytearray()
    for entry in tbs["revoked_certificates"]:
        plain = entry["user_certificate"].dump() + entry["revocation_date"].dump()
        entries += der(0x30, plain + der(0x30, note))
    tbs = der(
        0x30,
        tbs["version"].dump()
        + tbs["signature"].dump()
        + tbs["issuer"].dump()
        + tbs["this_update"].dump()
        + tbs["next_update"].dump()
        + der(0x30, bytes(entries))
        + tbs["crl_extensions"].dump(),
    )
    key = load_pem_private_key((authority.folder / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = OctetBitString(key.sign(tbs, ec.ECDSA(SHA256()))).dump()
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302"))
    place.with_suffix(".new").write_bytes(der(0x30, tbs + algorithm + signature))
    place.with_suffix(".new").replace(place)


def test_a_hundred_thousand_serials_and_a_list_of_fifty_megabytes_reach_every_worker_while_others_are_served(
    tmp_path: Path,
) -> None:
    places = Places(tmp_path / "places")
    place = places.folder / "big.crl"
    authority = OpenSslAuthority(tmp_path / "big", "OpenSSL big")
    cloud = Cloud(tmp_path, instances=1, workers=2)
    cloud.publish("app", "certificate")
    site = cloud.site
    site.configure("gateway", trusted_roots=["authority.pem", str(authority.certificate)])
    site.configure("revocation", list_urls=[f"{places.url}/big.crl"], refresh_s=1)
    authority.publish(place)
    good, *stolen = (authority.client(name) for name in ("good", "first", "second"))
    with contextlib.closing(places), cloud.running():
        assert site.process is not None
        kept = cloud.connect(good)
        for client in kept:
            wait_until(lambda one=client: one.ask("GET", "/app/x").status == 200)  # type: ignore[misc]
        (gateway,) = cloud.gateways
        before = {**gateway.resident_bytes(), **cloud.point.resident_bytes(), site.process.pid: resident(site.process)}

        def seconds_until_refused(pair: Pair) -> float:
            thieves = cloud.connect(pair)
            began = time.monotonic()
            for thief in thieves:
                wait_until(lambda one=thief: one.ask("GET", "/app/x").reason == REVOKED, timeout=90)  # type: ignore[misc]
                thief.close()
            return time.monotonic() - began

        with served(kept) as took, MemoryWatch(before) as memory:
            revoke_a_hundred_thousand(authority)
            authority.revoke(stolen[0])
            authority.publish(place)
            plain_s = seconds_until_refused(stolen[0])
            authority.revoke(stolen[1])
            authority.publish(place.with_name("next.crl"))
            fifty_megabytes(authority, place.with_name("next.crl"))
            assert place.with_name("next.crl").stat().st_size > 50_000_000
            place.with_name("next.crl").replace(place)
            large_s = seconds_until_refused(stolen[1])
        grown = memory.grown_bytes
        site_mib = grown.pop(site.process.pid) / MIB
        print(
            f"{COUNT} serials: {plain_s:.1f} s; 50 MB: {large_s:.1f} s; slowest answer {max(took):.2f} s; "
            f"site {site_mib:.0f} MiB more, gateway and connection point {[size // MIB for size in grown.values()]}"
        )
        assert plain_s < WITHIN_S
        assert large_s < WITHIN_S
        assert max(took) < SLOWEST_S
        assert site_mib < 400
        assert max(grown.values()) < 60 * MIB
        (taken,) = [
            one
            for one in json.loads(site.cli("revocation", "list", "--json").stdout)
            if one["source"].endswith("big.crl")
        ]
        assert taken["revoked"] >= COUNT + 2
        for client in kept:
            client.close()


def resident(process: "subprocess.Popen[bytes]") -> int:
    return int(psutil.Process(process.pid).memory_info().rss)
