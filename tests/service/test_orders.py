"""Tests of the orders between the processes of a node."""

import os
from functools import partial

import pytest

from mailnode.interfaces import Selection
from mailnode.routing.settings import DomainSettings
from mailnode.service.orders import Apply, Order, Recall, Reopen, Wake, packed, read_one, unpacked
from mailnode.service.settings import NodeSettings

SETTINGS = NodeSettings(domain=(DomainSettings(name="example.org", aliases={"staff": ("ann", "bob")}),))


def _is_in(selection: Selection, _message: object, _queued: object) -> bool:
    return bool(selection.domain)


def test_orders_come_through_however_they_are_cut() -> None:
    """Each is given once it has come whole, in order, wherever the pipe has cut them."""
    orders: list[Order] = [Reopen(), Apply(SETTINGS), Wake()]
    octets = b"".join(packed(order) for order in orders)
    for size in (1, 3, 64, len(octets)):
        received = bytearray()
        heard: list[Order] = []
        for start in range(0, len(octets), size):
            received += octets[start : start + size]
            heard += unpacked(received)
        assert heard == orders
        assert not received


def test_a_function_of_a_selection_comes_through() -> None:
    """What was held is named by a function that the other process knows too."""
    meant = partial(_is_in, Selection(domain="example.org"))
    (order,) = unpacked(bytearray(packed(Recall(meant))))
    assert isinstance(order, Recall)
    assert isinstance(order.is_meant, partial)
    assert order.is_meant.args == meant.args


def test_the_first_order_is_read_to_its_last_octet_and_no_further() -> None:
    """What comes behind it is the reactor's to read."""
    reading, writing = os.pipe()
    os.write(writing, packed(Apply(SETTINGS)) + packed(Wake()))
    assert read_one(reading) == Apply(SETTINGS)
    assert os.read(reading, 1000) == packed(Wake())
    os.close(writing)
    with pytest.raises(EOFError):
        read_one(reading)
    os.close(reading)
