"""The grammar of addresses."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.address import NULL, AddressFault, Mailbox, parse_forward_path, parse_mailbox, parse_reverse_path

IS_EMAIL = Path(__file__).parents[3] / "shared" / "data" / "is_email.xml"

ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~é用"
DOMAINS = ["b", "example.org", "x--y.example", "bücher.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "[tag:any~thing]"]

local_parts = st.one_of(
    st.text(ATEXT, min_size=1, max_size=16),
    st.text(ATEXT + ' ."\\@<>,;:()[]', max_size=12),
)


@given(local_parts, st.sampled_from(DOMAINS))
def test_what_is_written_is_read_again(local_part: str, domain: str) -> None:
    """Any mailbox, written and read, is the same mailbox."""
    mailbox = Mailbox(local_part, domain)
    assert parse_mailbox(str(mailbox)) == mailbox
    assert parse_reverse_path(f"<{mailbox}>") == mailbox
    assert parse_forward_path(f"<{mailbox}>") == mailbox


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_a_fault(text: str) -> None:
    """Nothing but AddressFault is ever raised, and what is read can be written."""
    for parse in (parse_mailbox, parse_forward_path, parse_reverse_path):
        try:
            mailbox = parse(text)
        except AddressFault:
            continue
        str(mailbox).encode()


@pytest.mark.rfc("5321", "4.1.2")
@pytest.mark.parametrize(
    ("text", "local_part", "domain"),
    [
        ("ann@example.org", "ann", "example.org"),
        ('"ann"@example.org', "ann", "example.org"),
        ('"a b"@example.org', "a b", "example.org"),
        (r'"a\"\\b"@example.org', 'a"\\b', "example.org"),
        (r'"\a\b"@example.org', "ab", "example.org"),
        ('""@example.org', "", "example.org"),
        ('"a@b"@example.org', "a@b", "example.org"),
        ("ann@EXAMPLE.org", "ann", "EXAMPLE.org"),
        ("ann@[192.0.2.1]", "ann", "[192.0.2.1]"),
        ("ann@[IPv6:::ffff:192.0.2.1]", "ann", "[IPv6:::ffff:192.0.2.1]"),
        ("ann@1.2", "ann", "1.2"),
    ],
)
def test_addresses_are_read_for_their_meaning(text: str, local_part: str, domain: str) -> None:
    """Quotes and quoted pairs are spelling; the domain stays as written."""
    assert parse_mailbox(text) == Mailbox(local_part, domain)


@pytest.mark.rfc("5321", "4.1.2")
@pytest.mark.parametrize(
    "text",
    [
        "", "ann", "@example.org", "ann@", "a b@example.org", ".a@example.org", "a.@example.org", "a..b@example.org",
        '"a@example.org', '"a"b@example.org', '"a\tb"@example.org', '"a\x00"@example.org', '"a\r\n"@example.org', '"\\é"@b',
        "a@-b.example", "a@b-.example", "a@b..example", "a@b.example.", "a@.b", "a@b_c", "a@b c", "a@b\n", "a\x85@b",
        "a@[192.0.2.256]", "a@[192.0.2]", "a@[IPv6:1::2::3]", "a@[IPv6:fe80::1%eth0]", "a@[IPv6:]", "a@[plain]", "a@[2001:db8::1]", "a@[]",
        "a@[192.0.2.1", "a@[tag:a]b]", "a@\u3002", "a@b\u3002c", "a@\u200b.example", "a@xn--\u00fc.example", "a@" + "ü" * 64,
        "a" * 65 + "@example.org", "é" * 33 + "@example.org", '"' + " " * 63 + '"@example.org',
        "a@" + "b" * 64, "a" * 64 + "@" + "b." * 95 + "b", "a@" + "b" * 300, "\ud800@b", "a\u2028b@c",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    """Each of these breaks one rule of the grammar or one limit."""
    with pytest.raises(AddressFault):
        parse_mailbox(text)


@pytest.mark.rfc("5321", "4.5.3.1")
def test_the_longest_addresses_are_read() -> None:
    """64 octets of local part and 254 of address are not too many."""
    longest = "a" * 64 + "@" + "b." * 94 + "b"
    assert len(longest) == 254
    assert str(parse_mailbox(longest)) == longest
    with pytest.raises(AddressFault):
        parse_mailbox(longest + "b")


@pytest.mark.rfc("5321", "4.5.5")
def test_the_null_reverse_path() -> None:
    """``<>`` is a reverse-path and no forward-path, and is written as nothing."""
    assert parse_reverse_path("<>") == NULL
    assert str(NULL) == ""
    with pytest.raises(AddressFault):
        parse_forward_path("<>")


@pytest.mark.rfc("5321", "4.5.1")
@pytest.mark.parametrize("word", ["Postmaster", "POSTMASTER", "postmaster"])
def test_postmaster_needs_no_domain(word: str) -> None:
    """``<Postmaster>`` is a forward-path in any case, and no reverse-path."""
    assert parse_forward_path(f"<{word}>") == Mailbox(word, "")
    assert str(parse_forward_path(f"<{word}>")) == word
    with pytest.raises(AddressFault):
        parse_reverse_path(f"<{word}>")


@pytest.mark.rfc("5321", "C")
def test_source_routes_are_dropped() -> None:
    """A source route is accepted when its grammar is right, and forgotten."""
    assert parse_forward_path("<@a.example,@[192.0.2.1]:ann@example.org>") == Mailbox("ann", "example.org")
    assert parse_reverse_path("<@a.example:ann@example.org>") == Mailbox("ann", "example.org")
    for wrong in (
        "<@a.example,ann@example.org>",
        "<@:ann@b>",
        "<@a..b:ann@b>",
        "<@a,:ann@b>",
        "<@a>",
        "ann@b",
        "<ann@b",
    ):
        with pytest.raises(AddressFault):
            parse_forward_path(wrong)


@pytest.mark.rfc("6531", "3.2")
def test_what_needs_smtputf8() -> None:
    """An address with anything beyond ASCII, on either side, needs SMTPUTF8 to travel as it is."""
    assert parse_mailbox("é@b").needs_smtputf8
    assert parse_mailbox("a@bücher.example").needs_smtputf8
    assert not parse_mailbox("a@xn--bcher-kva.example").needs_smtputf8


def test_the_face_of_the_domain() -> None:
    """A mailbox knows its domain in ASCII, as a key, and as an IP address."""
    mailbox = parse_mailbox("a@Bücher.EXAMPLE")
    assert mailbox.ascii_domain == "xn--bcher-kva.EXAMPLE"
    assert mailbox.domain_key == "xn--bcher-kva.example"
    assert mailbox.literal_address is None
    assert str(parse_mailbox("a@[IPv6:2001:DB8::0]").literal_address) == "2001:db8::"


# What stands in comments, folded or in obsolete forms is right in a header field and wrong in an envelope.
# 71: an IPv6 address whose :: stands for one group only is deprecated by RFC 5952 4.2.2, and still an address (RFC 4291).
READ_ALL_THE_SAME = {"71"}
ENVELOPE = {"ISEMAIL_VALID_CATEGORY": True, "ISEMAIL_DNSWARN": True, "ISEMAIL_RFC5321": True}


def is_email_cases() -> list[tuple[str, str, str, str]]:
    """Read the collection: address, category, diagnosis, number; none when it is not there."""
    if not IS_EMAIL.exists():
        return []
    return [
        (
            re.sub("[\u2400-\u241f]", lambda found: chr(ord(found[0]) - 0x2400), test.findtext("address") or ""),
            test.findtext("category") or "",
            test.findtext("diagnosis") or "",
            test.get("id") or "",
        )
        for test in ET.parse(IS_EMAIL).getroot().iter("test")  # noqa: S314 - a file of our own
    ]


@pytest.mark.skipif(not IS_EMAIL.exists(), reason="the collection is not here")
@pytest.mark.parametrize("category", sorted({case[1] for case in is_email_cases()}))
def test_the_is_email_collection(category: str) -> None:
    """What the collection finds right by RFC 5321 is read, all else is refused."""
    wrong = [
        (number, address, diagnosis)
        for address, found, diagnosis, number in is_email_cases()
        if found == category and is_read(address) != (ENVELOPE.get(category, False) or number in READ_ALL_THE_SAME)
    ]
    assert wrong == []


def is_read(address: str) -> bool:
    """Tell whether the address is read."""
    try:
        parse_mailbox(address)
    except AddressFault:
        return False
    return True
