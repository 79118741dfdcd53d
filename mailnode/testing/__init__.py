"""The kit for tests of gateways: a node in memory, a clock in the hand, other sides that fail as told. Public.

A test takes ten lines and milliseconds, in a plain function of pytest or anywhere else::

    from mailnode.testing.api import FakeHttp, MemoryNode

    def test_an_outage_costs_nothing():
        web = FakeHttp().will(503, 503, 200)
        node = MemoryNode(Webhook(url="https://example.net/in"), domain="hook.example", http=web)
        node.send("ann@home.example", "alerts@hook.example", subject="Disk full")
        assert "503" in node.queue()[0].reason
        node.advance("1h")
        assert len(web.requests) == 3 and not node.queue()

``MemoryNode`` is put together from the same parts as a real node: reception, router, queue, reports, gateway couriers. Only
the ends are others: a spool in memory, mailboxes that are lists (``node.mailbox("ann@home.example")`` gives EmailMessages),
an outside that takes everything (``node.sent()``), and a clock that stands until ``node.advance("4d")``.

* ``FakePeer``: ``will(...)`` says what the next calls get (a value, an exception, HANG, a function of the arguments),
  ``always(...)`` what those after them get; ``calls`` is what came. What stands in place of a gateway's client awaits
  ``peer.call(...)`` in each of its methods.
* ``FakeHttp``: the same for everything behind ``self.node.http``.
* ``node.inject(Draft(...), key=..., mark=...)`` does what a source does; ``node.receipt(id, Delivered())`` confirms.
* ``now(coroutine)`` gives the result of a coroutine that needs not wait.
* For a real other side: ``MemoryNode(..., reactor=reactor)`` in a trial TestCase, ``await node.settled()``,
  ``await node.advance("1h")`` (each attempt gets the real time it needs), ``await node.stop()``. The queue's clock is still yours.
"""
