"""DNS messages: a question becomes octets, octets become a reading of what they say (RFC 1035, 2308, 6891).

Pure: no socket, no clock. A question asks for recursion, offers 1232 octets by EDNS (what crosses any network
unfragmented), leaves DO off (we do not validate) and sets AD, so that a validating server tells us whether it did
(RFC 6840 section 5.7).

An answer is followed through its own CNAMEs. Where the chain leaves what the server knows, the reading is ``Moved`` and the
question is asked again for the name at its end. A referral or a REFUSED is no answer: an absent record must be
vouched for by a SOA, or come from a server that recursed.
"""

from collections.abc import Iterable
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from attrs import evolve, frozen

from mailnode.routing.names import CnameLoop

EDNS_PAYLOAD = 1232
"""Octets of UDP we can take (RFC 6891 section 6.2.5; the size agreed on by DNS operators in 2020)."""
MAX_ALIASES = 10
"""CNAMEs followed in all; Postfix stops there too."""
MAX_VALUES = 200
"""Records of one set that are looked at."""

_NO_EDNS = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS})


@frozen
class Question:
    """A name and the type of record that is wanted of it."""

    name: str
    """In A-labels, lower case, without final dot."""
    kind: dns.rdatatype.RdataType


@frozen
class Found:
    """The records are there."""

    values: tuple[tuple[int, str], ...]
    """As in interfaces.Answer."""
    ttl: int
    is_secure: bool


@frozen
class Missing:
    """There is no such record, or not even the name."""

    ttl: int
    """How long that may be believed; 0 where no SOA came with it (RFC 2308 section 5)."""
    is_secure: bool
    is_domain: bool
    """The name exists, only without such a record."""


@frozen
class Moved:
    """The name is an alias of one that the server does not tell about."""

    names: tuple[str, ...]
    """The aliases on the way; the last is the name to ask for."""
    ttl: int
    is_secure: bool


@frozen
class Unusable:
    """The server answers, but not the question."""

    reason: str
    dislikes_edns: bool = False


@frozen
class Truncated:
    """There is more than a datagram holds: ask again over TCP (RFC 7766 section 5)."""


Reading = Found | Missing | Moved | Unusable | Truncated


class Query:
    """One question on its way to one server, with the id that its answer must bear."""

    def __init__(self, question: Question, number: int, *, uses_edns: bool = True) -> None:
        """Make the message; ``number`` is the id, 16 bits that nobody can guess."""
        self._question = question
        self._message = dns.message.make_query(
            dns.name.from_text(question.name),
            question.kind,
            use_edns=0 if uses_edns else False,
            payload=EDNS_PAYLOAD,
            flags=dns.flags.RD | dns.flags.AD,
            id=number,
        )
        self.octets = self._message.to_wire()

    def read(self, octets: bytes) -> Reading | None:
        """Read an answer; None when it is none to this question: whoever waits should wait on (RFC 5452 section 9.1).

        Raises CnameLoop.
        """
        if octets[:2] != self.octets[:2]:
            return None
        try:
            message = dns.message.from_wire(octets, ignore_trailing=True, raise_on_truncation=True)
        except dns.message.Truncated as error:
            partial = error.message()
            return Truncated() if self._message.is_response(partial) else None
        except (dns.exception.DNSException, ValueError):
            return None
        if not isinstance(message, dns.message.QueryMessage) or not self._message.is_response(message):
            return None
        return _read(message, self._question)


def _read(message: dns.message.QueryMessage, question: Question) -> Reading:
    rcode = message.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Unusable(f"{dns.rcode.to_text(rcode)} for {question.name}", dislikes_edns=rcode in _NO_EDNS)
    is_secure = bool(message.flags & dns.flags.AD)
    names, ttls = _aliases(message, question)
    records = _set(message, names[-1], question.kind)
    if records is not None:
        ttl = min(*ttls, records.ttl) if ttls else records.ttl
        return Found(_values(records), ttl, is_secure)
    soa = _soa_ttl(message.authority)
    if rcode == dns.rcode.NXDOMAIN:
        return Missing(min([*ttls, soa or 0]), is_secure, is_domain=False)
    if soa is not None:
        return Missing(min([*ttls, soa]), is_secure, is_domain=True)
    if ttls:
        return Moved(tuple(map(_text, names[1:])), min(ttls), is_secure)
    return _bare(message, question, is_secure=is_secure)


def _bare(message: dns.message.QueryMessage, question: Question, *, is_secure: bool) -> Reading:
    """Read an answer without records and without SOA: true from who recursed or owns the zone, a referral from others."""
    knows = message.flags & (dns.flags.RA | dns.flags.AA)
    is_referral = any(records.rdtype == dns.rdatatype.NS for records in message.authority)
    if not knows or (is_referral and not message.flags & dns.flags.AA):
        return Unusable(f"a referral for {question.name}")
    return Missing(0, is_secure, is_domain=True)


def _aliases(message: dns.message.QueryMessage, question: Question) -> tuple[list[dns.name.Name], list[int]]:
    """Follow the CNAMEs of the answer; give the names from the question's on and the TTLs of the aliases."""
    names, ttls = [dns.name.from_text(question.name)], list[int]()
    while _set(message, names[-1], question.kind) is None:
        alias = _set(message, names[-1], dns.rdatatype.CNAME)
        if alias is None:
            break
        target = alias[0].target
        if target in names or len(names) > MAX_ALIASES:
            raise CnameLoop(question.name)
        names.append(target)
        ttls.append(alias.ttl)
    return names, ttls


def _set(
    message: dns.message.QueryMessage, name: dns.name.Name, kind: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    return message.get_rrset(message.answer, name, dns.rdataclass.IN, kind)


def _soa_ttl(authority: Iterable[dns.rrset.RRset]) -> int | None:
    for records in authority:
        if records.rdtype == dns.rdatatype.SOA and len(records):
            return min(records.ttl, int(records[0].minimum))
    return None


def _values(records: dns.rrset.RRset) -> tuple[tuple[int, str], ...]:
    return tuple(_value(record) for record, _ in zip(records, range(MAX_VALUES), strict=False))


def _value(record: Any) -> tuple[int, str]:
    match record.rdtype:
        case dns.rdatatype.MX:
            return record.preference, _text(record.exchange)
        case dns.rdatatype.PTR:
            return 0, _text(record.target)
        case dns.rdatatype.TXT:
            return 0, b"".join(record.strings).decode("utf-8", "replace")
        case _:
            return 0, record.to_text()


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def without_ad(reading: Found | Missing | Moved) -> Found | Missing | Moved:
    """Take away the AD bit of a server that is not trusted."""
    return evolve(reading, is_secure=False)
