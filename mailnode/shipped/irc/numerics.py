"""What a server's error replies mean for a message (RFC 2812 section 5.2, and what servers have added since)."""

from collections.abc import Mapping

from attrs import frozen

from mailnode.gateways.api import Delayed, Failed, Outcome


@frozen
class Refusal:
    """An error reply."""

    number: str
    about: tuple[str, ...]
    """Its parameters between our own name and the text: a nick, a channel, a command."""
    text: str


ABSENT = "401"
"""ERR_NOSUCHNICK: some servers say it of channels too."""

_MEANINGS: Mapping[str, Outcome] = {
    ABSENT: Failed("", "5.1.1"),
    "263": Delayed("", "4.4.5"),  # RPL_TRYAGAIN
    "402": Failed("", "5.1.2"),  # ERR_NOSUCHSERVER
    "403": Failed("", "5.1.1"),  # ERR_NOSUCHCHANNEL
    "404": Delayed("", "4.7.1"),  # ERR_CANNOTSENDTOCHAN: an operator of the channel can give us a voice
    "405": Delayed("", "4.5.3"),  # ERR_TOOMANYCHANNELS
    "406": Failed("", "5.1.1"),  # ERR_WASNOSUCHNICK
    "407": Delayed("", "4.5.3"),  # ERR_TOOMANYTARGETS: too many people in too short a time
    "411": Failed("", "5.6.0"),  # ERR_NORECIPIENT
    "412": Failed("", "5.6.0"),  # ERR_NOTEXTTOSEND
    "413": Failed("", "5.1.3"),  # ERR_NOTOPLEVEL
    "414": Failed("", "5.1.3"),  # ERR_WILDTOPLEVEL
    "437": Delayed("", "4.4.0"),  # ERR_UNAVAILRESOURCE: a channel after a split
    "439": Delayed("", "4.4.5"),  # targets change too fast
    "442": Delayed("", "4.7.1"),  # ERR_NOTONCHANNEL
    "461": Failed("", "5.1.3"),  # ERR_NEEDMOREPARAMS
    "471": Delayed("", "4.7.1"),  # ERR_CHANNELISFULL
    "473": Delayed("", "4.7.1"),  # ERR_INVITEONLYCHAN
    "474": Failed("", "5.7.1"),  # ERR_BANNEDFROMCHAN
    "475": Delayed("", "4.7.8"),  # ERR_BADCHANNELKEY: the key is ours to set right
    "476": Failed("", "5.1.3"),  # ERR_BADCHANMASK
    "477": Delayed("", "4.7.8"),  # this channel or person wants a name that is logged in
    "479": Failed("", "5.1.3"),  # a channel's name the server does not take
    "480": Delayed("", "4.4.5"),  # joins are throttled
    "486": Delayed("", "4.7.8"),  # this person wants names that are logged in
    "489": Failed("", "5.7.10"),  # only those with TLS
    "520": Failed("", "5.7.1"),  # operators only
    "531": Failed("", "5.7.1"),  # this person does not want it
    "716": Failed("", "5.7.1"),  # this person takes messages only from those he knows
}


def is_refusal(number: str) -> bool:
    """Tell whether it says that something was not done for us."""
    return number in _MEANINGS


def meaning(refusal: Refusal) -> Delayed | Failed:
    """Say what it means for the message."""
    found = _MEANINGS[refusal.number]
    text = f"{refusal.number} {refusal.text}".strip()
    return Failed(text, found.status) if isinstance(found, Failed) else Delayed(text, _status(found))


def _status(found: Outcome) -> str:
    return found.status if isinstance(found, Delayed) else "4.4.0"
