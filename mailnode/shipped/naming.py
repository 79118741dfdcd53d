"""Names that mail goes to on a broker, by a template: ``mail.{domain}.{local_part}``.

A template that has nothing of the recipient in it gives one name, and then a message goes there once for all of them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from string import Formatter

from mailnode.gateways.api import Outcome, OutgoingMessage, OutgoingRecipient, Trouble

_OF_RECIPIENT = ("address", "local_part", "domain")
_KNOWN = (*_OF_RECIPIENT, "sender_domain")


def check_template(text: str) -> None:
    """See that a template holds known names and nothing else; ValueError."""
    try:
        names = [(name, how, sign) for _, name, how, sign in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise ValueError(f'"{text}" is no template: {error}') from None
    wrong = [name for name, how, sign in names if name not in _KNOWN or how or sign]
    if wrong:
        expected = ", ".join(f"{{{one}}}" for one in _KNOWN)
        raise ValueError(f"expected only {expected}, not {{{wrong[0]}}}")


def tells_apart(template: str) -> bool:
    """Tell whether recipients of one message may have different names."""
    return any(f"{{{one}}}" in template for one in _OF_RECIPIENT)


def fill(template: str, message: OutgoingMessage, one: OutgoingRecipient) -> str:
    """Make the name for a recipient."""
    return template.format(
        address=one.address,
        local_part=one.mailbox.local_part,
        domain=one.mailbox.domain.lower(),
        sender_domain=message.sender.domain.lower(),
    )


async def to_each_name(
    template: str,
    recipients: Sequence[OutgoingRecipient],
    send: Callable[[Sequence[OutgoingRecipient]], Awaitable[Outcome]],
) -> Mapping[OutgoingRecipient, Outcome]:
    """Send once for all recipients, or once for each when their names may differ; trouble with one is not the next one's."""
    groups = [[one] for one in recipients] if tells_apart(template) else [list(recipients)]
    answers: dict[OutgoingRecipient, Outcome] = {}
    for group in groups:
        try:
            outcome = await send(group)
        except Trouble as trouble:
            outcome = trouble.outcome
        answers |= dict.fromkeys(group, outcome)
    return answers
