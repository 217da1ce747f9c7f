import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging import reports
from causeway.messaging.errors import FieldError, MessagingError, TooLargeError
from causeway.messaging.identifiers import (
    format_cim_datetime,
    format_timestamp,
    new_smsid,
    normalise_smsid,
    parse_cim_datetime,
    parse_timestamp,
)
from causeway.messaging.message import compose, decode, encode
from causeway.messaging.reports import Instance, Report, ReportKind, ReportType, parse_report, report_of
from causeway.messaging.state_messages import StateMessage

SMSID = "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90"
WHEN = datetime(2026, 11, 23, 5, 15, 43, 855000, tzinfo=UTC)
words = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=20).map(
    str.strip
)
identifiers = st.from_regex(r"[A-Z][A-Za-z0-9_]{0,12}", fullmatch=True)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
instances = st.builds(
    Instance,
    identifiers,
    st.lists(st.tuples(identifiers, words), max_size=4).map(tuple),
    words,
    st.sampled_from(["New", "Update", "Delete"]),
)
states = st.builds(
    StateMessage,
    words,
    st.integers(0, 9999),
    st.integers(0, 9999),
    moments,
    st.integers(0, 9),
    st.integers(0, 9999),
    st.lists(words, max_size=3).map(tuple),
)


@given(
    st.sampled_from([kind for kind in ReportKind if kind is not ReportKind.OTHER]),
    moments,
    st.sampled_from(ReportType),
    st.lists(instances, max_size=4).map(tuple),
    st.lists(states, max_size=2).map(tuple),
    words,
)
def test_a_report_comes_back(
    kind: ReportKind,
    date: datetime,
    report_type: ReportType,
    inside: tuple[Instance, ...],
    messages: tuple[StateMessage, ...],
    name: str,
) -> None:
    report = Report(kind, SMSID, date, report_type, inside, messages, name)
    received = parse_report(report.to_xml())
    assert (received.kind, received.client_id, received.date, received.type) == (kind, SMSID, date, report_type)
    assert (received.instances, received.state_messages, received.netbios_name) == (inside, messages, name)


def test_a_report_in_the_sdks_form_is_taken() -> None:
    report = parse_report(
        "<Report><ReportHeader><Identification><Machine><ClientInstalled>1</ClientInstalled><ClientType>1</ClientType>"
        f"<ClientID>{SMSID}</ClientID><ClientVersion>5.00.8325.0000</ClientVersion><NetBIOSName>PC1</NetBIOSName>"
        "<CodePage>437</CodePage><SystemDefaultLCID>1033</SystemDefaultLCID><Priority>5</Priority></Machine>"
        "</Identification><ReportDetails><ReportContent>Inventory Data</ReportContent><ReportType>Full</ReportType>"
        "<Date>20261123051543.855000+000</Date><Version>1.0</Version><Format>1.1</Format></ReportDetails>"
        '<InventoryAction ActionType="Predefined"><InventoryActionID>{00000000-0000-0000-0000-000000000003}'
        "</InventoryActionID><Description>Discovery</Description></InventoryAction></ReportHeader><ReportBody>"
        '<Instance Content="New" Namespace="\\\\PC1\\root\\ccm" Class="CCM_Client" ParentClass="CCM_Client">'
        "<CCM_Client><ClientVersion>5.00</ClientVersion><ClientIdChangeDate/></CCM_Client></Instance><Unknown/>"
        "<Instance><CCM_Other><A>1</A></CCM_Other></Instance><Instance/></ReportBody></Report>"
    )
    assert (report.kind, report.date) == (ReportKind.HEARTBEAT, WHEN)
    assert (report.netbios_name, report.client_version) == ("PC1", "5.00.8325.0000")
    assert report.by_class() == {
        "CCM_Client": [{"ClientVersion": "5.00", "ClientIdChangeDate": ""}],
        "CCM_Other": [{"A": "1"}],
    }
    assert report.instances[0].get("ClientVersion") == "5.00"
    assert report.instances[0].get("Nothing") is None


def test_state_messages_are_known_by_their_content() -> None:
    state = StateMessage("{topic}", 500, 2, WHEN, parameters=("102",))
    report = parse_report(Report(ReportKind.STATE_MESSAGES, SMSID, WHEN, state_messages=(state,)).to_xml())
    assert report.kind is ReportKind.STATE_MESSAGES
    assert report.content == "State Message Data"
    assert report.state_messages == (state,)


def test_an_action_that_is_not_known_is_another_kind_and_kept() -> None:
    text = Report(ReportKind.HEARTBEAT, SMSID, WHEN).to_xml().replace("0003}", "0099}")
    report = parse_report(text)
    assert (report.kind, report.action_id) == (ReportKind.OTHER, "{00000000-0000-0000-0000-000000000099}")


def test_a_heartbeats_instances_are_in_its_attachment() -> None:
    report = Report(ReportKind.HEARTBEAT, SMSID, WHEN, instances=(Instance("CCM_Client", (("A", "1"),)),))
    message = compose(report.to_xml(body=False), "MP_DdrEndpoint", attachments=[report.to_attachment("{a}")])
    assert "ReportBody" not in message.body_text()
    assert report_of(decode(*encode(message))).instances == report.instances


def test_an_inventorys_instances_are_in_its_body() -> None:
    report = Report(ReportKind.HARDWARE_INVENTORY, SMSID, WHEN, instances=(Instance("Win32_X", ()),))
    assert report_of(compose(report.to_xml(), "MP_HinvEndpoint")).instances == report.instances


def test_an_attached_report_of_another_client_is_refused() -> None:
    attached = Report(ReportKind.HEARTBEAT, new_smsid(), WHEN, instances=(Instance("A", ()),)).to_attachment("{a}")
    header = Report(ReportKind.HEARTBEAT, SMSID, WHEN).to_xml(body=False)
    with pytest.raises(FieldError, match="another client"):
        report_of(compose(header, "MP_DdrEndpoint", attachments=[attached]))


def test_too_many_instances_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_INSTANCES", 3)
    with pytest.raises(TooLargeError):
        parse_report(Report(ReportKind.HEARTBEAT, SMSID, WHEN, instances=(Instance("A", ()),) * 4).to_xml())


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("<ReportHeader>", "<Other>"),
        (SMSID, "PC1"),
        ("20261123051543.855000+000", "yesterday"),
        ("20261123", "20261399"),
        ("Full", "Half"),
        ("<Topic ", "<Other "),
        ('Type="500"', 'Type="x"'),
    ],
)
def test_an_impossible_report_is_refused(found: str, instead: str) -> None:
    state = StateMessage("{topic}", 500, 2, WHEN)
    text = Report(ReportKind.STATE_MESSAGES, SMSID, WHEN, state_messages=(state,)).to_xml()
    assert found in text
    with pytest.raises(MessagingError):
        parse_report(text.replace(found, instead))


def test_an_instance_whose_class_is_no_name_cannot_be_written() -> None:
    with pytest.raises(FieldError):
        Instance("a b", ()).to_xml()


@given(st.text(), st.text())
def test_arbitrary_values_are_taken_or_refused(header: str, body: str) -> None:
    date = "<ReportDetails><Date>20261123051543.855000+000</Date></ReportDetails>"
    identity = f"<Identification><Machine><ClientID>{SMSID}</ClientID></Machine></Identification>"
    for text in (
        header,
        f"<Report><ReportHeader>{header}</ReportHeader></Report>",
        f"<Report><ReportHeader>{identity}{date}</ReportHeader><ReportBody>{body}</ReportBody></Report>",
    ):
        with contextlib.suppress(MessagingError):
            parse_report(text)


@given(st.text())
def test_arbitrary_times_and_identities_are_taken_or_refused(text: str) -> None:
    for parse in (parse_cim_datetime, normalise_smsid):
        with contextlib.suppress(MessagingError):
            parse(text)


@pytest.mark.parametrize("text", ["20261123061543.855000+060", "20261123041543.855000-060"])
def test_a_cim_time_counts_its_zone_in_minutes(text: str) -> None:
    assert parse_cim_datetime(text) == WHEN
    assert format_cim_datetime(WHEN) == "20261123051543.855000+000"


def test_an_early_year_has_four_digits() -> None:
    early = datetime(33, 4, 3, tzinfo=UTC)
    assert parse_cim_datetime(format_cim_datetime(early)) == early
    assert parse_timestamp(format_timestamp(early)) == early


@pytest.mark.parametrize("text", ["00010101000000.000000+999", "99991231235959.000000-999"])
def test_a_cim_time_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        parse_cim_datetime(text)
