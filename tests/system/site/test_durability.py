"""Whatever was acknowledged survives a kill at any moment."""

import itertools
import sqlite3
import threading
from collections.abc import Callable

import requests

from causeway.configuration import load
from causeway.site.config import SiteConfig
from causeway.site.database import Database, devices, reports
from tests.system.processes import wait_until
from tests.system.site.running import RunningSite, running
from tests.system.site.third_party import Client

MakeClient = Callable[..., Client]
WRITERS = 4
KILLS = 3


def write_until_killed(device: Client, acknowledged: list[str], counter: "itertools.count[int]") -> None:
    try:
        device.register()
        acknowledged.append(device.smsid)
        while True:
            number = next(counter)
            xml = device.report(action="1", body=f"<!-- report {number} -->")
            answer = device.send("MP_HinvEndpoint", xml)
            assert answer.status_code == 200
            acknowledged.append(f"report {number}")
    except requests.RequestException:
        return


def test_what_was_acknowledged_is_there_after_kill_9(laid_out: RunningSite, client: MakeClient) -> None:
    laid_out.configure("management_point", reports_kept=100_000)
    acknowledged: list[str] = []
    counter = itertools.count()
    tls = laid_out.certificate("pc")
    for _ in range(KILLS):
        laid_out.start()
        before = len(acknowledged)
        writers = [
            threading.Thread(target=write_until_killed, args=(client(laid_out, tls=tls), acknowledged, counter))
            for _ in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        wait_until(lambda start=before: len(acknowledged) > start + 40)  # type: ignore[misc]
        laid_out.kill()
        for writer in writers:
            writer.join(timeout=30)

    with running(laid_out):
        database = Database(load(laid_out.paths.config, SiteConfig).database)
        found = devices.everything(database)
        kept = sum(len(reports.of_device(database, one.number)) for one in found)
        database.close()
        assert {one.smsid for one in found} >= {one for one in acknowledged if one.startswith("GUID:")}
        reported = [one for one in acknowledged if one.startswith("report")]
        # One more of each writer may have been kept without the answer getting out.
        assert len(reported) <= kept <= len(reported) + WRITERS * KILLS


def test_a_sqlite_database_is_whole_after_kill_9(new_site: RunningSite, client: MakeClient) -> None:
    acknowledged: list[str] = []
    device = client(new_site, tls=new_site.certificate("pc"))
    new_site.start()
    writer = threading.Thread(target=write_until_killed, args=(device, acknowledged, itertools.count()))
    writer.start()
    wait_until(lambda: len(acknowledged) > 20)
    new_site.kill()
    writer.join(timeout=30)

    with sqlite3.connect(new_site.paths.database) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()
