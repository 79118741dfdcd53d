"""Everything a test of a gateway imports: ``from mailnode.testing.api import FakeHttp, MemoryNode``."""

from mailnode.gateways.http import HttpResponse
from mailnode.mail.envelope import Notify
from mailnode.testing.node import HOME, MemoryNode, Waiting, now
from mailnode.testing.peers import HANG, FakeHttp, FakePeer, Request

__all__ = ["HANG", "HOME", "FakeHttp", "FakePeer", "HttpResponse", "MemoryNode", "Notify", "Request", "Waiting", "now"]
