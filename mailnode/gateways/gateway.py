"""The class that an author derives a gateway from, and what is looked at before one is used.

A gateway is decorated with attrs' ``define``: its fields are the keys of ``[gateway.NAME]``. Fields with ``init=False`` are
its own and no settings.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import ClassVar, Literal

import attrs
from twisted.application.service import IService

from mailnode.gateways.message import OutgoingMessage, OutgoingRecipient
from mailnode.gateways.node import GatewayNode
from mailnode.gateways.outcomes import Delayed, Failed, Outcome
from mailnode.gateways.settings import RESERVED
from mailnode.gateways.templates import parse_template

Answer = Outcome | Mapping[OutgoingRecipient, Outcome] | None
"""What ``deliver`` gives: one outcome for all, one for each, or None when all is well."""


class Gateway:
    """A bridge between mail and another message system. Override ``deliver``, ``source``, or both."""

    troubles: ClassVar[Mapping[type[Exception], Delayed | Failed]] = {}
    """What exceptions of its libraries mean; comes before the general table (``mailnode.gateways.trouble``)."""
    default_map: ClassVar[Sequence[str]] = ()
    """Address templates that count when the configuration gives none."""
    takes_automatic: ClassVar[bool] = False
    """It wants bounces and machines' answers too; people in a chat do not."""
    reads: ClassVar[Literal["octets", "text"]] = "text"
    """What ``deliver`` looks at: of a large message it is made ready on a thread, so that the node goes on."""
    needs: ClassVar[Sequence[str]] = ()
    """Modules that must be importable; the extra that brings them may be named: ``"treq (mailnode[webhook])"``."""
    one_process: ClassVar[bool] = False
    """It cannot run in several processes at once (one login, one connection): then ``[node] workers`` must be 1."""
    fans_out: ClassVar[bool] = False
    """What it submits comes of mail that has passed the door already (a list's copies): no flood guard counts it."""

    node: GatewayNode
    """The node; there before ``start``."""

    async def start(self) -> None:
        """Open what both directions need. Called once before the first ``deliver`` or the source; tried again if it raises."""

    async def stop(self) -> None:
        """Close it. Called only after a ``start`` that did not raise."""

    def source(self) -> IService | None:
        """Give a service that brings messages in (``self.node.submit``); it runs in one process only."""
        return None

    def knows(self, address: str) -> bool:  # noqa: ARG002 - of the signature
        """Tell whether there is somebody of that address on the other side; asked at RCPT, so answer from memory."""
        return True

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Hand a message to the other side, once for all recipients or for each.

        May raise: what that means is told by ``troubles``. May be cancelled when it takes longer than its timeout.
        """
        raise NotImplementedError


def delivers(gateway: type[Gateway]) -> bool:
    """Tell whether the class takes mail out."""
    return gateway.deliver is not Gateway.deliver


def brings(gateway: type[Gateway]) -> bool:
    """Tell whether the class brings mail in."""
    return gateway.source is not Gateway.source


def problems_of(found: object) -> Iterator[str]:
    """Check a class against the seam; a sentence for each thing that is missing, in it or on this machine."""
    yield from misfits_of(found)
    if not isinstance(found, type) or not issubclass(found, Gateway):
        return
    for need in found.needs:
        module, _, extra = need.partition(" ")
        if not _is_there(module):
            install = extra.strip("()") or module
            yield f"{found.__name__} needs {module}, which is not installed: pip install '{install}'"


def misfits_of(found: object) -> Iterator[str]:
    """Check how a class is written; a sentence for each thing that is wrong."""
    if not isinstance(found, type) or not issubclass(found, Gateway):
        yield f"{_name(found)} is no gateway: derive it from mailnode.gateways.api.Gateway"
        return
    name = found.__name__
    if not delivers(found) and not brings(found):
        yield f"{name} has neither deliver nor source: it would do nothing"
    if delivers(found) and not inspect.iscoroutinefunction(found.deliver):
        yield f"{name}.deliver must be written with async def"
    elif delivers(found) and not _takes(found.deliver, 3):
        yield f"{name}.deliver must take message and recipients"
    yield from (
        f"{name}.{method} must be written with async def"
        for method in ("start", "stop")
        if not inspect.iscoroutinefunction(getattr(found, method))
    )
    if brings(found) and inspect.iscoroutinefunction(found.source):
        yield f"{name}.source must be a plain function that gives a service; what waits belongs into start"
    if "__attrs_attrs__" not in vars(found) and _own_annotations(found):
        yield f"{name} has settings and must be decorated with attrs.define"
    fields: Sequence[attrs.Attribute[object]] = getattr(found, "__attrs_attrs__", ())
    taken = [field.name for field in fields if field.init and field.name in RESERVED]
    yield from (f'{name} cannot have a setting "{one}": every gateway has one of that name' for one in taken)
    yield from _bad_templates(found)


def _bad_templates(found: type[Gateway]) -> Iterator[str]:
    if isinstance(found.default_map, str):
        yield f"{found.__name__}.default_map must be a tuple of templates, not one text: a comma is missing"
        return
    for text in found.default_map:
        try:
            parse_template(text)
        except ValueError as error:
            yield f"{found.__name__}.default_map: {error}"


def _own_annotations(found: type) -> list[str]:
    own = vars(found).get("__annotations__", {})
    return [name for name, kind in own.items() if "ClassVar" not in str(kind)]


def _takes(method: object, count: int) -> bool:
    try:
        inspect.signature(method).bind(*range(count))  # type: ignore[arg-type]  # it is callable
    except TypeError:
        return False
    return True


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _name(found: object) -> str:
    return str(getattr(found, "__name__", found))
