"""What an SMSC answers: command_status (SMPP 3.4 section 5.1.3), and what that means for mail.

What stands in no table is delayed: makers have their own codes from 0x400 on, and nobody's mail bounces because of one we
do not know. What our own settings cause is delayed too, since the operator can mend it.
"""

from collections.abc import Mapping
from enum import IntEnum

from attrs import evolve

from mailnode.gateways.api import Delayed, Failed


class Status(IntEnum):
    """The names of the specification, without ESME_."""

    ROK = 0x00
    RINVMSGLEN = 0x01
    RINVCMDLEN = 0x02
    RINVCMDID = 0x03
    RINVBNDSTS = 0x04
    RALYBND = 0x05
    RINVPRTFLG = 0x06
    RINVREGDLVFLG = 0x07
    RSYSERR = 0x08
    RINVSRCADR = 0x0A
    RINVDSTADR = 0x0B
    RINVMSGID = 0x0C
    RBINDFAIL = 0x0D
    RINVPASWD = 0x0E
    RINVSYSID = 0x0F
    RMSGQFUL = 0x14
    RINVSERTYP = 0x15
    RINVESMCLASS = 0x43
    RSUBMITFAIL = 0x45
    RINVSRCTON = 0x48
    RINVSRCNPI = 0x49
    RINVDSTTON = 0x50
    RINVDSTNPI = 0x51
    RINVSYSTYP = 0x53
    RTHROTTLED = 0x58
    RINVSCHED = 0x61
    RINVEXPIRY = 0x62
    RX_T_APPN = 0x64
    RX_P_APPN = 0x65
    RX_R_APPN = 0x66
    RINVOPTPARAMVAL = 0xC4
    RDELIVERYFAILURE = 0xFE
    RUNKNOWNERR = 0xFF


BUSY = (Status.RTHROTTLED, Status.RMSGQFUL)
"""It wants less of us, for a while."""

_OURS = "4.3.5"  # RFC 3463: system incorrectly configured
_MEANINGS: Mapping[int, Delayed | Failed] = {
    Status.RINVMSGLEN: Failed("", "5.3.4"),
    Status.RINVBNDSTS: Delayed("", "4.4.2", is_unreachable=True),
    Status.RALYBND: Delayed("", "4.4.1", is_unreachable=True),
    Status.RSYSERR: Delayed("", "4.3.0", is_unreachable=True),
    Status.RINVSRCADR: Delayed("", _OURS),
    Status.RINVDSTADR: Failed("", "5.1.1"),
    Status.RBINDFAIL: Delayed("", "4.7.8", is_unreachable=True),
    Status.RINVPASWD: Delayed("", "4.7.8", is_unreachable=True),
    Status.RINVSYSID: Delayed("", "4.7.8", is_unreachable=True),
    Status.RMSGQFUL: Delayed("", "4.4.5"),
    Status.RTHROTTLED: Delayed("", "4.4.5"),
    Status.RINVSRCTON: Delayed("", _OURS),
    Status.RINVSRCNPI: Delayed("", _OURS),
    Status.RINVDSTTON: Delayed("", _OURS),
    Status.RINVDSTNPI: Delayed("", _OURS),
    Status.RX_P_APPN: Failed("", "5.0.0"),
    Status.RX_R_APPN: Failed("", "5.7.1"),
    Status.RDELIVERYFAILURE: Failed("", "5.0.0"),
}


def named(status: int) -> str:
    """Give a status as a person wants to read it: ``ESME_RTHROTTLED (0x58)``."""
    return f"ESME_{Status(status).name} (0x{status:02X})" if status in set(Status) else f"status 0x{status:08X}"


def outcome_of(status: int, own: Mapping[int, str]) -> Delayed | Failed:
    """Say what a refusal means; ``own`` has "delayed" or "failed" for a status where that is not what is usual."""
    words = named(status)
    wanted = own.get(status)
    if wanted is not None:
        return Failed(words, "5.5.0") if wanted == "failed" else Delayed(words, "4.5.0")
    meaning = _MEANINGS.get(status, Delayed("", "4.5.0"))
    return evolve(meaning, text=words)
